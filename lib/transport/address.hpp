#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace hawser::transport {

/// Address of a socket: IPv4, IPv6 or Unix. Small, as an idle connection keeps two: IPv4, which most have, takes no memory elsewhere.
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
    void set_port(std::uint16_t port);
    /// 0.0.0.0 or [::], which stand for all addresses of the host.
    bool is_wildcard() const noexcept;
    /// Writes it as the system calls take it; returns its length: 0 when it is empty, or a Unix path that is too long.
    socklen_t to_sockaddr(sockaddr_storage& out) const noexcept;
    /// "127.0.0.1:9001", "[::1]:9001" or "unix:/path"; an unnamed Unix socket is "unix:".
    std::string str() const;
    bool operator==(const Address&) const = default;

private:
    /// Kept elsewhere, and copied with the address.
    template <typename T>
    class Boxed {
    public:
        explicit Boxed(T value) : value_(std::make_unique<const T>(std::move(value))) {}
        Boxed(const Boxed& other) : Boxed(*other) {}
        Boxed(Boxed&&) noexcept = default;
        Boxed& operator=(const Boxed& other) { return *this = Boxed(other); }
        Boxed& operator=(Boxed&&) noexcept = default;
        const T& operator*() const noexcept { return *value_; }
        const T* operator->() const noexcept { return value_.get(); }
        bool operator==(const Boxed& other) const noexcept { return **this == *other; }

    private:
        std::unique_ptr<const T> value_;
    };
    struct Ipv4 {
        std::array<unsigned char, 4> bytes{};
        std::uint16_t port = 0;
        bool operator==(const Ipv4&) const = default;
    };
    struct Ipv6 {
        std::array<unsigned char, 16> bytes{};
        std::uint32_t scope = 0;
        std::uint16_t port = 0;
        bool operator==(const Ipv6&) const = default;
    };
    struct Unnamed {  // a Unix socket, as all accepted peers are
        bool operator==(const Unnamed&) const = default;
    };

    static Address ipv4(const void* bytes, std::uint16_t port) noexcept;
    static Address ipv6(const unsigned char* bytes, std::uint16_t port, std::uint32_t scope);
    std::string_view unix_path() const noexcept;

    std::variant<std::monostate, Ipv4, Unnamed, Boxed<Ipv6>, Boxed<std::string>> value_{};
};

}  // namespace hawser::transport
