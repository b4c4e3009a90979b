#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace hawser::transport {

/// Address of a socket: IPv4, IPv6 or Unix. Small: an idle connection keeps two.
class Address {
public:
    Address() noexcept = default;
    /// What accept, getsockname or getpeername filled in. An IPv4 address mapped into IPv6 is taken for IPv4.
    Address(const sockaddr* address, socklen_t length);
    /// Parses an IPv4 or IPv6 literal (with scope, without brackets); empty when it is none.
    static Address literal(std::string_view host, std::uint16_t port);
    static Address unix_socket(std::string path);
    /// Of an open socket; empty when it cannot be told.
    static Address local_of(int descriptor);

    bool empty() const noexcept;
    int family() const noexcept;
    /// 0 for a Unix socket.
    std::uint16_t port() const noexcept;
    void set_port(std::uint16_t port) noexcept;
    /// 0.0.0.0 or [::], which stand for all addresses of the host.
    bool is_wildcard() const noexcept;
    /// Writes it as the system calls take it; returns its length: 0 when it is empty, or a Unix path that is too long.
    socklen_t to_sockaddr(sockaddr_storage& out) const noexcept;
    /// "127.0.0.1:9001", "[::1]:9001" or "unix:/path"; an unnamed Unix socket is "unix:".
    std::string str() const;
    bool operator==(const Address&) const = default;

private:
    struct Ip {
        std::array<unsigned char, 16> bytes{};  // of IPv4 the first four
        std::uint32_t scope = 0;
        std::uint16_t port = 0;
        bool is_v6 = false;
        bool operator==(const Ip&) const = default;
    };
    struct Unix {
        std::shared_ptr<const std::string> path{};  // null: unnamed, as all accepted peers are
        std::string_view view() const noexcept { return path ? std::string_view(*path) : std::string_view(); }
        bool operator==(const Unix& other) const noexcept { return view() == other.view(); }
    };

    void set_ipv4(const void* bytes, std::uint16_t port) noexcept;
    void set_ipv6(const unsigned char* bytes, std::uint16_t port, std::uint32_t scope) noexcept;

    std::variant<std::monostate, Ip, Unix> value_{};
};

}  // namespace hawser::transport
