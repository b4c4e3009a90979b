#include "fuzz/deflate_options.hpp"
#include "protocol/deflate_negotiation.hpp"

// permessage-deflate is agreed on: an answer keeps to the offer it was given, and each end can read what the other sends.

using namespace hawser;
using namespace hawser::protocol;

namespace {

bool offers(const Headers& request, std::string_view parameter) {
    for (const std::string_view element : request.list(extensions_field)) {
        const auto offer = parse_extension(element);
        if (!offer) continue;
        for (const auto& one : offer->parameters)
            if (one.name == parameter) return true;
    }
    return false;
}

/// A stranger's offers.
void answer(const Headers& request, const DeflateOptions& options) {
    Headers response;
    const auto agreed = answer_deflate(request, response, options);
    fuzz::require(agreed.has_value() == response.has(extensions_field), "what is agreed on is answered");
    if (!agreed) return;
    fuzz::require(agreed->server_max_window_bits <= options.server_max_window_bits, "the server keeps to its window");
    const auto answer = parse_extension(response.get(extensions_field).value());
    fuzz::require(answer && answer->name == "permessage-deflate", "an answer keeps to the grammar");
    for (const auto& parameter : answer->parameters)
        fuzz::require(parameter.name != "client_max_window_bits" || offers(request, parameter.name),
                      "a server never limits the window of a client that did not offer that");
}

/// What an end sends may keep to more than the other counts on, never to less.
void check_sender(bool resets, int bits, bool expected_to_reset, int expected_bits) {
    fuzz::require(resets || !expected_to_reset, "who is expected to reset its window does");
    fuzz::require(bits <= expected_bits, "no window is larger than expected");
}

}  // namespace

void fuzz::run(std::string_view input) {
    Choices choices(input);
    const DeflateOptions ours = deflate_options(choices);
    const DeflateOptions theirs = deflate_options(choices);

    Headers request, response;
    offer_deflate(request, theirs);
    const auto at_server = answer_deflate(request, response, ours);
    std::optional<DeflateAgreement> at_client;
    require(!check_extensions(response, &theirs, at_client), "a client accepts what a server makes of its offer");
    require(at_server.has_value() && at_client.has_value(), "two that can compress agree");
    check_sender(at_client->client_no_context_takeover, at_client->client_max_window_bits, at_server->client_no_context_takeover,
                 at_server->client_max_window_bits);
    check_sender(at_server->server_no_context_takeover, at_server->server_max_window_bits, at_client->server_no_context_takeover,
                 at_client->server_max_window_bits);

    const Exact element(choices.rest());
    const auto parsed = parse_extension(element);
    require(!parsed || !parsed->name.empty(), "an extension has a name");

    const Headers strange{{extensions_field, std::string(std::string_view(element))}};
    answer(strange, ours);
    std::optional<DeflateAgreement> agreed;
    const auto problem = check_extensions(strange, &theirs, agreed);
    require(!problem || !problem->empty(), "a refusal says why");
    if (!problem && agreed)
        require(agreed->server_max_window_bits >= 8 && agreed->server_max_window_bits <= 15, "windows are of 8 to 15 bits");
    require(are_extensions(strange) || problem, "what breaks the grammar is not accepted");
}
