#include "types/proxy.hpp"

#include <string>

#include <hawser/error.hpp>

namespace hawser {
namespace {

// A length in one byte (RFC 1929, section 2).
constexpr std::size_t longest_credential = 255;

bool is_possible(const Proxy& proxy) {
    // Basic's user name ends at the first colon (RFC 7617, section 2).
    if (proxy.protocol == Proxy::Protocol::http) return proxy.uri.user().find(':') == std::string::npos;
    return proxy.uri.user().size() <= longest_credential && proxy.uri.password().size() <= longest_credential;
}

}  // namespace

std::optional<Proxy> parse_proxy(std::string_view text) {
    const std::string_view scheme = text.substr(0, text.find(':'));
    if (scheme != "http" && scheme != "socks5") return std::nullopt;
    if (text.ends_with('/')) text.remove_suffix(1);
    try {
        Proxy proxy{scheme == "http" ? Proxy::Protocol::http : Proxy::Protocol::socks5,
                    Uri("ws" + std::string(text.substr(scheme.size())))};
        // The protocols' usual ports are seldom the proxies', so it is to be given.
        const bool has_port = text.ends_with(":" + std::to_string(proxy.uri.port()));
        if (!has_port || proxy.uri.target() != "/" || !is_possible(proxy)) return std::nullopt;
        return proxy;
    } catch (const Error&) {
        return std::nullopt;
    }
}

}  // namespace hawser
