#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <hawser/configuration.hpp>
#include <hawser/http.hpp>

namespace hawser::protocol {

/// Why a head was refused: the status a server answers with, and a sentence that says what is wrong.
struct HttpFailure {
    int status = 400;
    std::string reason{};
};

/// Collects and parses the head of one HTTP/1.1 message, strictly (RFC 9112): CR LF only, no obs-fold, no NUL or
/// other control character, token names, no space before the colon. Incremental: every byte is looked at a bounded
/// number of times, however they are split. Bounded by `max_head_size` and `max_header_count`, over which a
/// request is refused with 431. Fails as early as it can.
class HttpParser {
public:
    enum class Kind { request, response };
    enum class Status { incomplete, complete, failed };

    HttpParser(Kind kind, const Configuration& limits);

    /// Takes bytes of the head; `consumed` tells how many: all, unless the head is complete.
    Status feed(std::string_view bytes, std::size_t& consumed);

    /// The parsed head, when complete.
    Request& request() noexcept { return request_; }
    Response& response() noexcept { return response_; }
    /// What is wrong, when failed.
    const HttpFailure& failure() const noexcept { return failure_; }

private:
    // Filled in by whoever implements it.
    Request request_;
    Response response_;
    HttpFailure failure_;
};

/// The bytes of a head. Reason phrase and order as given; a body goes behind it with its Content-Length.
std::string format_request(const Request& request);
std::string format_response(const Response& response);

/// Whether a name or value may stand in a header field (RFC 9110, section 5).
bool is_token(std::string_view text) noexcept;
bool is_field_value(std::string_view text) noexcept;

}  // namespace hawser::protocol
