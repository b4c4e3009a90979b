#include <hawser/uri.hpp>

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include <hawser/error.hpp>

#include "types/origin.hpp"
#include "types/text.hpp"

namespace hawser {
namespace {

using std::string_view;

constexpr std::size_t longest_uri = 8 * 1024;
// RFC 1035, section 2.3.4, as text.
constexpr std::size_t longest_name = 253;
constexpr std::size_t longest_label = 63;

// The text without what could be its password, however malformed the rest is.
std::string without_user_info(string_view text) {
    const std::size_t at = text.rfind('@');
    if (at == string_view::npos) return std::string(text);
    const std::size_t colon = text.find(':');
    const bool has_scheme = colon < at && text.substr(colon, 3) == "://";
    return std::string(text.substr(0, has_scheme ? colon + 3 : 0)).append("***").append(text.substr(at));
}

[[noreturn]] void refuse(string_view text, const std::string& why) {
    throw Error(Errc::bad_uri, "bad URI " + cited(without_user_info(text)) + ": " + why);
}

// `part` is a part of `text`.
std::string offset(string_view text, string_view part) { return " at offset " + std::to_string(part.data() - text.data()); }

// RFC 3986, section 2.2.
constexpr bool is_reserved(char c) noexcept { return string_view(":/?#[]@!$&'()*+,;=").find(c) != string_view::npos; }

// Whether the "%" at the beginning of `text` encodes a character.
bool is_encoding(string_view text) noexcept { return text.size() >= 3 && is_hex_digit(text[1]) && is_hex_digit(text[2]); }

void check_characters(string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const string_view rest = text.substr(i);
        if (rest[0] == '#') refuse(text, "it has a fragment" + offset(text, rest) + ", which a WebSocket URI cannot have");
        if (rest[0] == '%') {
            if (is_encoding(rest)) continue;
            refuse(text, "the \"%\"" + offset(text, rest) + " is not followed by two hexadecimal digits");
        }
        if (is_unreserved(rest[0]) || is_reserved(rest[0])) continue;
        refuse(text, "the character" + offset(text, rest) + " is not allowed in a URI, percent-encode it");
    }
}

// A host of another script cannot be percent-encoded: DNS knows it by another name.
void check_script(string_view text, string_view authority) {
    string_view host = authority.substr(authority.rfind('@') + 1);
    host = host.substr(0, host.find(':'));
    const auto letter = std::find_if(host.begin(), host.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    if (letter != host.end())
        refuse(text, "the host name has a character" + offset(text, host.substr(static_cast<std::size_t>(letter - host.begin()))) +
                         " that is not ASCII: write it as DNS has it, with A-labels (xn--…, RFC 5890)");
}

// A URI reference, taken apart as RFC 3986, appendix B, does it.
struct Parts {
    std::optional<string_view> scheme{};
    std::optional<string_view> authority{};
    string_view path{};
    string_view tail{};  // query and fragment, with the "?" or "#" that begins them
};

Parts split(string_view text) {
    Parts parts;
    if (const std::size_t end = text.find_first_of(":/?#"); end != string_view::npos && end > 0 && text[end] == ':') {
        parts.scheme = text.substr(0, end);
        text.remove_prefix(end + 1);
    }
    if (text.starts_with("//")) {
        const std::size_t end = std::min(text.find_first_of("/?#", 2), text.size());
        parts.authority = text.substr(2, end - 2);
        text.remove_prefix(end);
    }
    const std::size_t end = std::min(text.find_first_of("?#"), text.size());
    parts.path = text.substr(0, end);
    parts.tail = text.substr(end);
    return parts;
}

std::string parse_scheme(string_view text, const std::optional<string_view>& scheme) {
    const bool is_one = scheme && std::all_of(scheme->begin(), scheme->end(),
                                              [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; });
    if (!is_one) refuse(text, "it has no scheme, expected ws:// or wss://");
    std::string result = lower(*scheme);
    if (result != "ws" && result != "wss") refuse(text, "the scheme is " + cited(*scheme) + ", expected ws or wss");
    return result;
}

struct Authority {
    string_view user_info{}, host{}, port{};
};

Authority split_authority(string_view text, string_view authority) {
    Authority result;
    if (const std::size_t at = authority.rfind('@'); at != string_view::npos) {
        result.user_info = authority.substr(0, at);
        authority.remove_prefix(at + 1);
    }
    // An IPv6 address has colons of its own.
    const std::size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
    if (bracket == string_view::npos) refuse(text, "the \"[\"" + offset(text, authority) + " is not closed");
    const std::size_t end = bracket > 0 ? bracket + 1 : std::min(authority.find(':'), authority.size());
    result.host = authority.substr(0, end);
    authority.remove_prefix(end);
    if (authority.empty()) return result;
    if (authority[0] != ':') refuse(text, "expected a port or a path" + offset(text, authority));
    result.port = authority.substr(1);
    if (result.port.find(':') != string_view::npos) refuse(text, "the host has colons, an IPv6 address stands in brackets");
    return result;
}

std::string decode(string_view text, string_view part) {
    std::string result;
    for (std::size_t i = 0; i < part.size(); ++i) {
        char c = part[i];
        if (c == '@' || c == '[' || c == ']')
            refuse(text, "the user information has a character" + offset(text, part.substr(i)) + " that must be percent-encoded");
        if (c == '%') {
            unsigned char byte = 0;
            std::from_chars(part.data() + i + 1, part.data() + i + 3, byte, 16);
            c = static_cast<char>(byte);
            // RFC 7617, section 2, has none in a user name or password.
            if (is_control_character(c)) refuse(text, "the user information has a control character" + offset(text, part.substr(i)));
            i += 2;
        }
        result += c;
    }
    return result;
}

std::uint16_t parse_port(string_view text, string_view digits, std::uint16_t standard) {
    if (digits.empty()) return standard;
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || end != digits.data() + digits.size() || port == 0) {
        refuse(text, "the port" + offset(text, digits) + " is not a number from 1 to 65535");
    }
    return port;
}

// Gives the address as RFC 5952 writes it, and the zone (RFC 6874) behind a "%".
std::string parse_ipv6(string_view text, string_view host) {
    const std::size_t percent = std::min(host.find('%'), host.size());
    const string_view zone = host.substr(percent);
    in6_addr address{};
    std::array<char, INET6_ADDRSTRLEN> written{};
    if (inet_pton(AF_INET6, std::string(host.substr(0, percent)).c_str(), &address) != 1 ||
        !inet_ntop(AF_INET6, &address, written.data(), written.size())) {
        refuse(text, "the host" + offset(text, host) + " is not an IPv6 address");
    }
    if (zone.empty()) return written.data();
    const string_view name = zone.substr(std::min(zone.size(), string_view("%25").size()));
    if (!zone.starts_with("%25") || name.empty() || !std::all_of(name.begin(), name.end(), is_unreserved)) {
        refuse(text, "the zone" + offset(text, zone) + " is not a \"%25\" and the name of an interface");
    }
    return std::string(written.data()).append("%").append(name);
}

// Such a host is an address to the system's resolver, in octal, hexadecimal or short form if need be: no name.
bool ends_in_number(string_view host) noexcept {
    if (host.ends_with('.')) host.remove_suffix(1);
    string_view last = host.substr(host.rfind('.') + 1);
    const bool is_hexadecimal = last.starts_with("0x") || last.starts_with("0X");
    if (is_hexadecimal) last.remove_prefix(2);
    return is_hexadecimal ? std::all_of(last.begin(), last.end(), is_hex_digit)
                          : !last.empty() && std::all_of(last.begin(), last.end(), is_digit);
}

std::string parse_ipv4(string_view text, string_view host) {
    std::string result(host);
    in_addr address{};
    if (inet_pton(AF_INET, result.c_str(), &address) == 1) return result;
    refuse(text, "the host" + offset(text, host) + " is not an IPv4 address of four decimal numbers from 0 to 255");
}

std::string parse_name(string_view text, string_view name) {
    if (name.size() - (name.ends_with('.') ? 1 : 0) > longest_name) refuse(text, "the host name is longer than 253 bytes");
    std::size_t label = 0;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name[i] == '.') {
            if (label == 0) refuse(text, "the host name has an empty label" + offset(text, name.substr(i)));
            label = 0;
            continue;
        }
        if (!is_alpha(name[i]) && !is_digit(name[i]) && name[i] != '-' && name[i] != '_') {
            refuse(text, "the character" + offset(text, name.substr(i)) + " is not allowed in a host name (write other scripts as xn--…)");
        }
        if (++label > longest_label) refuse(text, "the host name has a label of more than 63 bytes");
    }
    return lower(name);
}

std::string parse_host(string_view text, string_view host) {
    if (host.empty()) refuse(text, "it has no host");
    if (host[0] == '[') return parse_ipv6(text, host.substr(1, host.size() - 2));
    return ends_in_number(host) ? parse_ipv4(text, host) : parse_name(text, host);
}

std::string parse_target(string_view text, string_view path, string_view query) {
    for (const string_view part : {path, query}) {
        const std::size_t bracket = part.find_first_of("[]");
        if (bracket != string_view::npos) refuse(text, "the bracket" + offset(text, part.substr(bracket)) + " must be percent-encoded");
    }
    return std::string(path.empty() ? "/" : path).append(query);
}

// RFC 3986, section 5.2.4, for a path that begins with "/" or is empty.
std::string remove_dot_segments(string_view path) {
    std::vector<string_view> segments;
    bool ends_in_slash = false;
    while (!path.empty()) {
        path.remove_prefix(1);
        const string_view segment = path.substr(0, path.find('/'));
        path.remove_prefix(segment.size());
        ends_in_slash = segment == "." || segment == "..";
        if (!ends_in_slash) segments.push_back(segment);
        if (segment == ".." && !segments.empty()) segments.pop_back();
    }
    std::string result;
    for (const string_view segment : segments) result.append("/").append(segment);
    return ends_in_slash ? result + '/' : result;
}

// The host as it stands in a URI.
std::string bracketed(const std::string& host) {
    if (host.find(':') == std::string::npos) return host;
    const std::size_t percent = host.find('%');
    return percent == std::string::npos ? '[' + host + ']' : '[' + host.substr(0, percent) + "%25" + host.substr(percent + 1) + ']';
}

constexpr std::uint16_t standard_port(bool is_secure) noexcept { return is_secure ? 443 : 80; }

std::string port_suffix(const Uri& uri) {
    return uri.port() == standard_port(uri.is_secure()) ? std::string() : ':' + std::to_string(uri.port());
}

// Path or query of a reference, with what browsers encode there percent-encoded; a backslash and a "%" that encodes nothing, too.
std::string encoded(string_view part) {
    constexpr string_view digits = "0123456789ABCDEF", to_encode = " \"<>[\\]^`{|}";
    std::string result;
    for (std::size_t i = 0; i < part.size(); ++i) {
        const char c = part[i];
        const auto byte = static_cast<unsigned char>(c);
        const bool is_plain = c == '%' ? is_encoding(part.substr(i)) : byte < 0x80 && to_encode.find(c) == string_view::npos;
        if (is_plain)
            result += c;
        else
            result.append("%").append(1, digits[byte >> 4]).append(1, digits[byte & 0xF]);
    }
    return result;
}

// The scheme that a `Location` has in HTTP's terms, in WebSocket's.
std::string websocket_scheme(string_view scheme) {
    if (equals_ignoring_case(scheme, "http")) return "ws";
    if (equals_ignoring_case(scheme, "https")) return "wss";
    return std::string(scheme);
}

// Of a reference with a scheme or an authority. Without an authority it is no URI of ours: that is for the parser to say.
std::string resolved_uri(const std::string& base_scheme, const Parts& parts) {
    std::string text = websocket_scheme(parts.scheme.value_or(base_scheme)) + ':';
    if (!parts.authority) return text.append(parts.path);
    return text.append("//").append(*parts.authority).append(encoded(remove_dot_segments(parts.path))).append(encoded(parts.tail));
}

// Of a reference that has neither.
std::string resolved_target(const std::string& base, const Parts& parts) {
    const string_view base_path = string_view(base).substr(0, base.find('?'));
    std::string target;
    if (!parts.path.empty()) {
        const bool is_absolute = parts.path.starts_with('/');
        target.append(is_absolute ? string_view() : base_path.substr(0, base_path.rfind('/') + 1)).append(encoded(parts.path));
        target = remove_dot_segments(target);
    } else {
        target = parts.tail.starts_with('?') ? base_path : base;
    }
    return target.append(encoded(parts.tail));
}

}  // namespace

Uri::Uri(string_view text) {
    if (text.size() > longest_uri) refuse(text, "it is longer than " + std::to_string(longest_uri) + " bytes");
    const Parts parts = split(text);
    check_script(text, parts.authority.value_or(""));
    check_characters(text);
    scheme_ = parse_scheme(text, parts.scheme);
    if (!parts.authority) refuse(text, "there is no \"//\" behind the scheme");
    const Authority authority = split_authority(text, *parts.authority);
    const std::size_t colon = std::min(authority.user_info.find(':'), authority.user_info.size());
    user_ = decode(text, authority.user_info.substr(0, colon));
    if (colon < authority.user_info.size()) password_ = decode(text, authority.user_info.substr(colon + 1));
    host_ = parse_host(text, authority.host);
    port_ = parse_port(text, authority.port, standard_port(is_secure()));
    target_ = parse_target(text, parts.path, parts.tail);
}

std::string Uri::authority() const {
    // A zone means nothing to another host (RFC 6874, section 1).
    return bracketed(host_.substr(0, host_.find('%'))) + port_suffix(*this);
}

std::string Uri::str() const { return scheme_ + "://" + bracketed(host_) + port_suffix(*this) + target_; }

// RFC 3986, section 5.2.2. A fragment is for who gets the answer (RFC 9110, section 10.2.2).
Uri Uri::resolve(string_view reference) const {
    if (reference.size() > longest_uri) refuse(reference, "it is longer than " + std::to_string(longest_uri) + " bytes");
    // Browsers take a backslash for a slash there, and what follows for a host.
    const bool has_slashes = reference.size() > 1 && reference.find_first_not_of("/\\") > 1;
    if (has_slashes && reference.substr(0, 2).find('\\') != string_view::npos)
        refuse(reference, "it begins with a backslash where a host may be meant: that is written \"//\"");
    const Parts parts = split(reference.substr(0, reference.find('#')));
    const bool is_relative = !parts.scheme && !parts.authority;
    Uri result(is_relative ? scheme_ + "://" + bracketed(host_) + port_suffix(*this) + resolved_target(target_, parts)
                           : resolved_uri(scheme_, parts));
    // Who names us the address does not know by which zone we reach it.
    if (result.host_ == host_.substr(0, host_.find('%'))) result.host_ = host_;
    if (!result.has_credentials() && have_same_origin(result, *this)) {
        result.user_ = user_;
        result.password_ = password_;
    }
    return result;
}

}  // namespace hawser
