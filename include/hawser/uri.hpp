#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <hawser/export.hpp>

namespace hawser {

/// A WebSocket URI: `ws://[user:password@]host[:port][/path][?query]`, or `wss` (RFC 6455, section 3, and RFC 3986).
/// Host names are lower-cased; a fragment is refused, since a WebSocket URI has none.
class HAWSER_API Uri {
public:
    /// Parses `text`. Throws `Error` with `Errc::bad_uri`, naming what is wrong and where.
    explicit Uri(std::string_view text);

    /// "ws" or "wss".
    const std::string& scheme() const noexcept { return scheme_; }
    /// Whether the scheme is "wss".
    bool is_secure() const noexcept { return scheme_ == "wss"; }
    /// Name or address; an IPv6 address without its brackets.
    const std::string& host() const noexcept { return host_; }
    /// The given port, or the scheme's: 80 or 443.
    std::uint16_t port() const noexcept { return port_; }
    /// Percent-decoded user information; empty if there is none.
    const std::string& user() const noexcept { return user_; }
    /// Percent-decoded; empty if there is none.
    const std::string& password() const noexcept { return password_; }
    /// Whether a user or a password is given.
    bool has_credentials() const noexcept { return !user_.empty() || !password_.empty(); }
    /// What the request line asks for: path and query, at least "/".
    const std::string& target() const noexcept { return target_; }
    /// Value of the Host header: the host, in brackets if it is IPv6, and the port unless it is the scheme's.
    std::string authority() const;
    /// The URI in normal form, without user information, so that it may be logged.
    std::string str() const;

    /// Resolves a reference against this URI, as a `Location` header asks for (RFC 3986, section 5; RFC 9110, section 10.2.2).
    /// `http` and `https` are taken for `ws` and `wss`; a fragment is dropped; spaces, brackets and other characters that browsers encode
    /// in a path or query, UTF-8 among them, are percent-encoded, as are a backslash and a `%` that no two hexadecimal digits follow.
    /// Credentials stay as long as scheme, host and port do, unless the reference has its own. Throws `Error` with `Errc::bad_uri`.
    Uri resolve(std::string_view reference) const;

private:
    std::string scheme_, user_, password_, host_, target_;
    std::uint16_t port_ = 0;
};

}  // namespace hawser
