#include "types/proxy.hpp"

#include <string>

#include <hawser/error.hpp>

#include "types/text.hpp"

namespace hawser {
namespace {

// A length in one byte (RFC 1929, section 2).
constexpr std::size_t longest_credential = 255;
// Registered for the protocols: http and socks.
constexpr std::uint16_t http_port = 80, socks_port = 1080;

bool is_possible(const Proxy& proxy) {
    // Basic's user name ends at the first colon (RFC 7617, section 2).
    if (proxy.protocol == Proxy::Protocol::http) return proxy.uri.user().find(':') == std::string::npos;
    return proxy.uri.user().size() <= longest_credential && proxy.uri.password().size() <= longest_credential;
}

}  // namespace

std::optional<Proxy> parse_proxy(std::string_view text) {
    // Of any case (RFC 3986, section 3.1).
    const std::string scheme = lower(text.substr(0, text.find(':')));
    const bool is_http = scheme == "http";
    if (!is_http && scheme != "socks5" && scheme != "socks5h") return std::nullopt;
    const std::string rest(text.substr(scheme.size()));
    try {
        Proxy proxy{is_http ? Proxy::Protocol::http : Proxy::Protocol::socks5, Uri("ws" + rest), is_http ? http_port : socks_port};
        // Where none is given, the two schemes of WebSocket have two.
        if (proxy.uri.port() == Uri("wss" + rest).port()) proxy.port = proxy.uri.port();
        if (proxy.uri.target() != "/" || !is_possible(proxy)) return std::nullopt;
        return proxy;
    } catch (const Error&) {
        return std::nullopt;
    }
}

}  // namespace hawser
