#include "transport/address.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace hawser::transport {
namespace {

constexpr std::size_t path_offset = offsetof(sockaddr_un, sun_path);

// Socket addresses are read by copy: what the caller points to need not be aligned for its family.
template <typename T>
T as(const sockaddr* address, socklen_t length) noexcept {
    T out{};
    std::memcpy(&out, address, std::min(sizeof out, std::size_t(length)));
    return out;
}

// Zone of a scoped address (RFC 4007, section 11): an interface's name or its number. 0 when it is neither.
std::uint32_t parse_scope(const std::string& zone) noexcept {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(zone.data(), zone.data() + zone.size(), number);
    if (error == std::errc{} && end == zone.data() + zone.size()) return number;
    return if_nametoindex(zone.c_str());
}

std::string scope_suffix(std::uint32_t scope) {
    if (scope == 0) return {};
    char name[IF_NAMESIZE] = {};
    return "%" + (if_indextoname(scope, name) ? std::string(name) : std::to_string(scope));
}

}  // namespace

Address::Address(const sockaddr* address, socklen_t length) {
    if (length < sizeof(sa_family_t)) return;
    if (address->sa_family == AF_INET) {
        const auto in = as<sockaddr_in>(address, length);
        set_ipv4(&in.sin_addr, ntohs(in.sin_port));
    } else if (address->sa_family == AF_INET6) {
        const auto in6 = as<sockaddr_in6>(address, length);
        set_ipv6(in6.sin6_addr.s6_addr, ntohs(in6.sin6_port), in6.sin6_scope_id);
    } else if (address->sa_family == AF_UNIX) {
        const auto un = as<sockaddr_un>(address, length);
        const std::size_t size = std::min(std::size_t(length), sizeof un) - path_offset;
        // A path ends at NUL; an abstract name (unix(7)) begins with one, and has its length.
        *this = unix_socket({un.sun_path, un.sun_path[0] == '\0' ? size : strnlen(un.sun_path, size)});
    }
}

Address Address::literal(std::string_view host, std::uint16_t port) {
    Address out;
    if (host.find('\0') != std::string_view::npos) return out;
    in_addr v4{};
    if (inet_pton(AF_INET, std::string(host).c_str(), &v4) == 1) {
        out.set_ipv4(&v4, port);
        return out;
    }
    const std::size_t percent = host.find('%');
    in6_addr v6{};
    if (inet_pton(AF_INET6, std::string(host.substr(0, percent)).c_str(), &v6) != 1) return out;
    std::uint32_t scope = 0;
    if (percent != std::string_view::npos) {
        scope = parse_scope(std::string(host.substr(percent + 1)));
        if (scope == 0) return out;
    }
    out.set_ipv6(v6.s6_addr, port, scope);
    return out;
}

Address Address::unix_socket(std::string path) {
    Address out;
    out.value_ = path.empty() ? Unix{} : Unix{std::make_shared<const std::string>(std::move(path))};
    return out;
}

Address Address::local_of(int descriptor) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
    return {reinterpret_cast<const sockaddr*>(&storage), length};
}

void Address::set_ipv4(const void* bytes, std::uint16_t port) noexcept {
    Ip ip;
    std::memcpy(ip.bytes.data(), bytes, sizeof(in_addr));
    ip.port = port;
    value_ = ip;
}

void Address::set_ipv6(const unsigned char* bytes, std::uint16_t port, std::uint32_t scope) noexcept {
    // RFC 4291, section 2.5.5.2: what a dual-stack socket makes of an IPv4 peer.
    static constexpr std::array<unsigned char, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (std::equal(mapped.begin(), mapped.end(), bytes)) return set_ipv4(bytes + mapped.size(), port);
    Ip ip;
    std::copy_n(bytes, ip.bytes.size(), ip.bytes.begin());
    ip.port = port;
    ip.scope = scope;
    ip.is_v6 = true;
    value_ = ip;
}

bool Address::empty() const noexcept { return std::holds_alternative<std::monostate>(value_); }

int Address::family() const noexcept {
    if (const Ip* ip = std::get_if<Ip>(&value_)) return ip->is_v6 ? AF_INET6 : AF_INET;
    return empty() ? AF_UNSPEC : AF_UNIX;
}

std::uint16_t Address::port() const noexcept {
    const Ip* ip = std::get_if<Ip>(&value_);
    return ip ? ip->port : std::uint16_t{0};
}

void Address::set_port(std::uint16_t port) noexcept {
    if (Ip* ip = std::get_if<Ip>(&value_)) ip->port = port;
}

bool Address::is_wildcard() const noexcept {
    const Ip* ip = std::get_if<Ip>(&value_);
    return ip && ip->bytes == std::array<unsigned char, 16>{};
}

socklen_t Address::to_sockaddr(sockaddr_storage& out) const noexcept {
    const auto put = [&out](const auto& address, std::size_t length) {
        std::memcpy(&out, &address, sizeof address);
        return socklen_t(length);
    };
    out = {};
    if (const Ip* ip = std::get_if<Ip>(&value_)) {
        if (ip->is_v6) {
            sockaddr_in6 in6{};
            in6.sin6_family = AF_INET6;
            in6.sin6_port = htons(ip->port);
            in6.sin6_scope_id = ip->scope;
            std::memcpy(&in6.sin6_addr, ip->bytes.data(), sizeof in6.sin6_addr);
            return put(in6, sizeof in6);
        }
        sockaddr_in in{};
        in.sin_family = AF_INET;
        in.sin_port = htons(ip->port);
        std::memcpy(&in.sin_addr, ip->bytes.data(), sizeof in.sin_addr);
        return put(in, sizeof in);
    }
    const Unix* unix_name = std::get_if<Unix>(&value_);
    if (!unix_name || unix_name->view().size() >= sizeof(sockaddr_un::sun_path)) return 0;
    const std::string_view path = unix_name->view();
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    path.copy(un.sun_path, path.size());
    const bool is_path = !path.empty() && path[0] != '\0';
    return put(un, path_offset + path.size() + (is_path ? 1 : 0));
}

std::string Address::str() const {
    if (const Ip* ip = std::get_if<Ip>(&value_)) {
        char text[INET6_ADDRSTRLEN] = {};
        inet_ntop(family(), ip->bytes.data(), text, sizeof text);
        const std::string port = ":" + std::to_string(ip->port);
        return ip->is_v6 ? "[" + (text + scope_suffix(ip->scope)) + "]" + port : text + port;
    }
    if (empty()) return {};
    std::string path(std::get<Unix>(value_).view());
    if (!path.empty() && path[0] == '\0') path[0] = '@';
    return "unix:" + path;
}

}  // namespace hawser::transport
