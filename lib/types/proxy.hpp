#pragma once

#include <optional>
#include <string_view>

#include <hawser/uri.hpp>

namespace hawser {

/// A proxy, as the http option "proxy" names it.
struct Proxy {
    enum class Protocol { http, socks5 };
    Protocol protocol;
    /// Its host, port and credentials; the scheme means nothing.
    Uri uri;
};

/// Reads "http://[user:password@]host:port", or the like with socks5; nothing when it is something else.
std::optional<Proxy> parse_proxy(std::string_view text);

}  // namespace hawser
