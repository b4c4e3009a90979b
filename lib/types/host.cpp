#include "types/host.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>

#include "types/text.hpp"

namespace hawser {
namespace {

using std::string_view;

/// RFC 3986, section 2.2.
constexpr bool is_sub_delimiter(char c) noexcept { return string_view("!$&'()*+,;=").find(c) != string_view::npos; }

/// reg-name, which IPv4 addresses are too.
bool is_name(string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_unreserved(text[i]) || is_sub_delimiter(text[i])) continue;
        const bool is_encoded = text[i] == '%' && text.size() - i > 2 && is_hex_digit(text[i + 1]) && is_hex_digit(text[i + 2]);
        if (!is_encoded) return false;
        i += 2;
    }
    return !text.empty();
}

/// With a zone, if need be (RFC 6874, section 2).
bool is_ipv6_address(string_view text) {
    const string_view zone = text.substr(std::min(text.find('%'), text.size()));
    if (!zone.empty() && !(zone.starts_with("%25") && is_name(zone.substr(3)))) return false;
    in6_addr address{};
    return inet_pton(AF_INET6, std::string(text.substr(0, text.size() - zone.size())).c_str(), &address) == 1;
}

/// Of a version of IP that is still to come.
bool is_future_address(string_view text) {
    const std::size_t dot = text.find('.');
    if (dot == string_view::npos || lower(text.front()) != 'v') return false;
    const string_view version = text.substr(1, dot - 1), address = text.substr(dot + 1);
    const auto is_part = [](char c) { return is_unreserved(c) || is_sub_delimiter(c) || c == ':'; };
    return !version.empty() && std::all_of(version.begin(), version.end(), is_hex_digit) && !address.empty() &&
           std::all_of(address.begin(), address.end(), is_part);
}

bool is_port(string_view digits) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    return digits.empty() || (error == std::errc() && end == digits.data() + digits.size() && port != 0);
}

}  // namespace

bool is_host_and_port(string_view text) {
    // An IPv6 address has colons of its own.
    const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
    if (bracket == string_view::npos || bracket == 1) return false;
    const string_view literal = text.substr(std::min<std::size_t>(bracket, 1), bracket == 0 ? 0 : bracket - 1);
    const std::size_t end = bracket != 0 ? bracket + 1 : std::min(text.find(':'), text.size());
    const bool is_host = bracket != 0 ? is_ipv6_address(literal) || is_future_address(literal) : is_name(text.substr(0, end));
    const string_view port = text.substr(end);
    return is_host && (port.empty() || (port.front() == ':' && is_port(port.substr(1))));
}

bool is_host_field(string_view value) { return value.empty() || is_host_and_port(value); }

}  // namespace hawser
