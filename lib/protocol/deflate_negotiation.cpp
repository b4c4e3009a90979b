#include "protocol/deflate_negotiation.hpp"

#include <algorithm>
#include <utility>

#include "types/text.hpp"

namespace hawser::protocol {

namespace {

constexpr std::string_view extension_name = "permessage-deflate";
constexpr int least_window_bits = 8;
constexpr int most_window_bits = 15;

/// Takes an element of Sec-WebSocket-Extensions apart.
class ExtensionReader {
public:
    explicit ExtensionReader(std::string_view text) : rest_(text) {}

    bool at_end() {
        skip_space();
        return rest_.empty();
    }
    bool take(char expected) {
        skip_space();
        if (!rest_.starts_with(expected)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    bool take_token(std::string& token) {
        skip_space();
        const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_token_character);
        token.assign(rest_.begin(), end);
        rest_.remove_prefix(token.size());
        return !token.empty();
    }
    /// A token, or a quoted string that is one without its quotes (RFC 6455, section 9.1).
    bool take_value(std::string& value) {
        if (!take('"')) return take_token(value);
        value.clear();
        while (!rest_.empty() && rest_.front() != '"') {
            if (rest_.front() == '\\') rest_.remove_prefix(1);
            if (rest_.empty()) return false;
            value += rest_.front();
            rest_.remove_prefix(1);
        }
        return !rest_.empty() && take('"') && is_token(value);
    }

private:
    void skip_space() {
        while (rest_.starts_with(' ') || rest_.starts_with('\t')) rest_.remove_prefix(1);
    }
    std::string_view rest_;
};

/// The parameters of permessage-deflate in an offer or an answer.
struct Parameters {
    bool server_no_context_takeover = false;
    bool client_no_context_takeover = false;
    std::optional<int> server_max_window_bits{};
    std::optional<int> client_max_window_bits{};  // without a value: 15, which says the same (RFC 7692, section 7.1.2.2)
};

/// A number from 8 to 15 without leading zeros (RFC 7692, section 7.1.2).
std::optional<int> parse_window_bits(std::string_view value) {
    for (int bits = least_window_bits; bits <= most_window_bits; ++bits)
        if (value == std::to_string(bits)) return bits;
    return std::nullopt;
}

bool take_flag(bool& flag, const Extension::Parameter& parameter) { return !parameter.value && !std::exchange(flag, true); }

bool take_bits(std::optional<int>& bits, const Extension::Parameter& parameter, bool needs_value) {
    if (bits || (needs_value && !parameter.value)) return false;
    bits = parameter.value ? parse_window_bits(*parameter.value) : most_window_bits;
    return bits.has_value();
}

/// Nothing when a parameter is unknown, there twice, or has a value that it cannot have (RFC 7692, section 7.1).
std::optional<Parameters> parse_parameters(const Extension& extension, bool is_answer) {
    Parameters parameters;
    for (const Extension::Parameter& parameter : extension.parameters) {
        bool valid = false;
        if (parameter.name == "server_no_context_takeover")
            valid = take_flag(parameters.server_no_context_takeover, parameter);
        else if (parameter.name == "client_no_context_takeover")
            valid = take_flag(parameters.client_no_context_takeover, parameter);
        else if (parameter.name == "server_max_window_bits")
            valid = take_bits(parameters.server_max_window_bits, parameter, true);
        else if (parameter.name == "client_max_window_bits")
            valid = take_bits(parameters.client_max_window_bits, parameter, is_answer);
        if (!valid) return std::nullopt;
    }
    return parameters;
}

std::string header_value(const Parameters& parameters) {
    std::string text(extension_name);
    if (parameters.server_no_context_takeover) text += "; server_no_context_takeover";
    if (parameters.client_no_context_takeover) text += "; client_no_context_takeover";
    if (const auto bits = parameters.server_max_window_bits) text += "; server_max_window_bits=" + std::to_string(*bits);
    if (const auto bits = parameters.client_max_window_bits) {
        text += "; client_max_window_bits";
        if (*bits < most_window_bits) text += "=" + std::to_string(*bits);
    }
    return text;
}

/// What a client offers. A server that cannot limit its window may still do without context takeover, which keeps our memory within
/// bounds as well; one that keeps to a smaller or larger window of ours than we would names its own; and one that can do neither, or knows
/// no parameter at all, is content with the last.
std::vector<Parameters> make_offers(const DeflateOptions& options) {
    Parameters offer;
    offer.server_no_context_takeover = options.server_no_context_takeover;
    offer.client_no_context_takeover = options.client_no_context_takeover;
    offer.client_max_window_bits = most_window_bits;
    Parameters wish = offer;
    wish.client_max_window_bits = options.client_max_window_bits;
    if (options.server_max_window_bits < most_window_bits) {
        wish.server_max_window_bits = options.server_max_window_bits;
        offer.server_no_context_takeover = true;
    } else if (options.client_max_window_bits == most_window_bits) {
        return {offer, Parameters{}};
    }
    return {wish, offer, Parameters{}};
}

/// What a server answers to an offer, or nothing when it declines (RFC 7692, section 7.1). It limits a window only
/// where the offer says that the client knows of it.
std::optional<Parameters> make_answer(const Parameters& offer, const DeflateOptions& options) {
    // zlib compresses with windows from 9 bits only.
    if (offer.server_max_window_bits == least_window_bits) return std::nullopt;
    Parameters answer;
    answer.server_no_context_takeover = offer.server_no_context_takeover || options.server_no_context_takeover;
    answer.client_no_context_takeover = offer.client_no_context_takeover || options.client_no_context_takeover;
    if (offer.server_max_window_bits)
        answer.server_max_window_bits = std::min(*offer.server_max_window_bits, options.server_max_window_bits);
    const int bits = std::min(offer.client_max_window_bits.value_or(most_window_bits), options.client_max_window_bits);
    if (bits == most_window_bits) return answer;
    if (offer.client_max_window_bits)
        answer.client_max_window_bits = bits;
    else
        answer.client_no_context_takeover = true;  // may be asked for in any case (section 7.1.1.2)
    return answer;
}

/// Whether this may be the answer to this offer (RFC 7692, section 7.1). The client's window in an offer is a hint: the answer may allow a
/// larger one (section 7.1.2.2), which we need not fill.
bool fits(const Parameters& answer, const Parameters& offer) {
    if (offer.server_no_context_takeover && !answer.server_no_context_takeover) return false;
    const auto server = answer.server_max_window_bits;
    if (offer.server_max_window_bits && !(server && *server <= *offer.server_max_window_bits)) return false;
    return !answer.client_max_window_bits || offer.client_max_window_bits;
}

DeflateAgreement agreement(const Parameters& answer) {
    return {answer.server_no_context_takeover, answer.client_no_context_takeover, answer.server_max_window_bits.value_or(most_window_bits),
            answer.client_max_window_bits.value_or(most_window_bits)};
}

}  // namespace

std::optional<Extension> parse_extension(std::string_view element) {
    ExtensionReader reader(element);
    Extension extension;
    if (!reader.take_token(extension.name)) return std::nullopt;
    while (!reader.at_end()) {
        Extension::Parameter parameter;
        if (!reader.take(';') || !reader.take_token(parameter.name)) return std::nullopt;
        if (reader.take('=') && !reader.take_value(parameter.value.emplace())) return std::nullopt;
        extension.parameters.push_back(std::move(parameter));
    }
    return extension;
}

bool are_extensions(const Headers& headers) {
    const auto elements = headers.list(extensions_field);
    return std::all_of(elements.begin(), elements.end(), [](std::string_view element) { return parse_extension(element).has_value(); });
}

void offer_deflate(Headers& request, const DeflateOptions& options) {
    std::string value;
    for (const Parameters& offer : make_offers(options)) value += (value.empty() ? "" : ", ") + header_value(offer);
    request.add(extensions_field, value);
}

std::optional<DeflateAgreement> answer_deflate(const Headers& request, Headers& response, const DeflateOptions& options) {
    for (const std::string_view element : request.list(extensions_field)) {
        const auto extension = parse_extension(element);
        if (!extension || extension->name != extension_name) continue;
        const auto offer = parse_parameters(*extension, false);
        const auto answer = offer ? make_answer(*offer, options) : std::nullopt;
        if (!answer) continue;
        response.add(extensions_field, header_value(*answer));
        DeflateAgreement agreed = agreement(*answer);
        agreed.server_max_window_bits = std::min(agreed.server_max_window_bits, options.server_max_window_bits);
        return agreed;
    }
    return std::nullopt;
}

std::optional<std::string> check_extensions(const Headers& response, const DeflateOptions* offered,
                                            std::optional<DeflateAgreement>& agreed) {
    for (const std::string_view element : response.list(extensions_field)) {
        const auto extension = parse_extension(element);
        if (!extension) return "the response's Sec-WebSocket-Extensions is malformed: " + cited(element);
        if (!offered || extension->name != extension_name)
            return "the server uses an extension that was not offered: " + cited(element);
        if (agreed) return "the server agreed on permessage-deflate more than once";
        const auto answer = parse_parameters(*extension, true);
        if (!answer) return "the server's answer has a parameter that permessage-deflate cannot have: " + cited(element);
        const auto offers = make_offers(*offered);
        if (std::none_of(offers.begin(), offers.end(), [&](const Parameters& offer) { return fits(*answer, offer); }))
            return "the server's answer does not fit what was offered of permessage-deflate: " + cited(element);
        agreed = agreement(*answer);
        agreed->client_no_context_takeover |= offered->client_no_context_takeover;
        agreed->client_max_window_bits = std::min(agreed->client_max_window_bits, offered->client_max_window_bits);
    }
    return std::nullopt;
}

}  // namespace hawser::protocol
