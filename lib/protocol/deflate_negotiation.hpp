#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/compression.hpp>
#include <hawser/http.hpp>

namespace hawser::protocol {

inline constexpr const char* extensions_field = "Sec-WebSocket-Extensions";

/// An element of Sec-WebSocket-Extensions (RFC 6455, section 9.1): names as they were written, values without quotes.
struct Extension {
    struct Parameter {
        std::string name{};
        std::optional<std::string> value{};
    };
    std::string name{};
    std::vector<Parameter> parameters{};
};

/// Nothing when the element breaks the grammar.
std::optional<Extension> parse_extension(std::string_view element);
/// Whether every element of every Sec-WebSocket-Extensions keeps to the grammar.
bool are_extensions(const Headers& headers);

/// What both ends have agreed on.
struct DeflateAgreement {
    bool server_no_context_takeover = false;
    bool client_no_context_takeover = false;
    int server_max_window_bits = 15;
    int client_max_window_bits = 15;

    bool operator==(const DeflateAgreement&) const = default;
};

/// Client: adds what is offered to the request, the preferred offer first.
void offer_deflate(Headers& request, const DeflateOptions& options);
/// Server: accepts the first offer that it can, and adds that to the response. An offer that is wrong is declined,
/// as RFC 7692, section 7, has it.
std::optional<DeflateAgreement> answer_deflate(const Headers& request, Headers& response, const DeflateOptions& options);
/// Client: what is wrong with the extensions in the response, or nothing; then `agreed` tells what is used. `offered` is
/// null when nothing was offered.
std::optional<std::string> check_extensions(const Headers& response, const DeflateOptions* offered,
                                            std::optional<DeflateAgreement>& agreed);

}  // namespace hawser::protocol
