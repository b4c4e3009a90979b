#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <hawser/uri.hpp>

namespace hawser {

/// A proxy, as the http option "proxy" names it.
struct Proxy {
    enum class Protocol { http, socks5 };
    Protocol protocol;
    /// Its host and credentials; the scheme means nothing, nor does the port.
    Uri uri;
    std::uint16_t port;
};

/// Reads "http://[user:password@]host[:port]", or the like with socks5 or socks5h, which are the same here: the proxy resolves the name.
/// Nothing when it is something else.
std::optional<Proxy> parse_proxy(std::string_view text);

}  // namespace hawser
