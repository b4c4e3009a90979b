#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace hawser::transport {

/// Address of a socket: IPv4, IPv6 or Unix. Small: an idle connection keeps two.
class Address {
public:
    Address() noexcept = default;
    /// What accept, getsockname or getpeername filled in.
    Address(const sockaddr* address, socklen_t length);
    /// Parses an IPv4 or IPv6 literal (with scope, without brackets); empty when it is none.
    static Address literal(std::string_view host, std::uint16_t port);
    static Address unix_socket(std::string path);
    /// Of an open socket; empty when it cannot be told.
    static Address local_of(int descriptor);

    bool empty() const noexcept;
    int family() const noexcept;
    std::uint16_t port() const noexcept;
    /// Writes it as the system calls take it; returns its length.
    socklen_t to_sockaddr(sockaddr_storage& out) const noexcept;
    /// "127.0.0.1:9001", "[::1]:9001" or "unix:/path"; an unnamed Unix socket is "unix:".
    std::string str() const;
    bool operator==(const Address&) const = default;

private:
    // Filled in by whoever implements it.
};

}  // namespace hawser::transport
