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
        *this = ipv4(&in.sin_addr, ntohs(in.sin_port));
    } else if (address->sa_family == AF_INET6) {
        const auto in6 = as<sockaddr_in6>(address, length);
        *this = ipv6(in6.sin6_addr.s6_addr, ntohs(in6.sin6_port), in6.sin6_scope_id);
    } else if (address->sa_family == AF_UNIX) {
        const auto un = as<sockaddr_un>(address, length);
        const std::size_t size = std::min(std::size_t(length), sizeof un) - path_offset;
        // A path ends at NUL; an abstract name (unix(7)) begins with one, and has its length.
        *this = unix_socket({un.sun_path, un.sun_path[0] == '\0' ? size : strnlen(un.sun_path, size)});
    }
}

Address Address::literal(std::string_view host, std::uint16_t port) {
    if (host.find('\0') != std::string_view::npos) return {};
    in_addr v4{};
    if (inet_pton(AF_INET, std::string(host).c_str(), &v4) == 1) return ipv4(&v4, port);
    const std::size_t percent = host.find('%');
    in6_addr v6{};
    if (inet_pton(AF_INET6, std::string(host.substr(0, percent)).c_str(), &v6) != 1) return {};
    std::uint32_t scope = 0;
    if (percent != std::string_view::npos) {
        scope = parse_scope(std::string(host.substr(percent + 1)));
        if (scope == 0) return {};
    }
    return ipv6(v6.s6_addr, port, scope);
}

Address Address::unix_socket(std::string path) {
    Address out;
    if (path.empty())
        out.value_ = Unnamed();
    else
        out.value_ = Boxed(std::move(path));
    return out;
}

Address Address::local_of(int descriptor) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
    return {reinterpret_cast<const sockaddr*>(&storage), length};
}

Address Address::ipv4(const void* bytes, std::uint16_t port) noexcept {
    Ipv4 ip;
    std::memcpy(ip.bytes.data(), bytes, sizeof(in_addr));
    ip.port = port;
    Address out;
    out.value_ = ip;
    return out;
}

Address Address::ipv6(const unsigned char* bytes, std::uint16_t port, std::uint32_t scope) {
    // RFC 4291, section 2.5.5.2: what a dual-stack socket makes of an IPv4 peer.
    static constexpr std::array<unsigned char, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (std::equal(mapped.begin(), mapped.end(), bytes)) return ipv4(bytes + mapped.size(), port);
    Ipv6 ip;
    std::copy_n(bytes, ip.bytes.size(), ip.bytes.begin());
    ip.port = port;
    ip.scope = scope;
    Address out;
    out.value_ = Boxed(ip);
    return out;
}

std::string_view Address::unix_path() const noexcept {
    const auto* path = std::get_if<Boxed<std::string>>(&value_);
    return path ? std::string_view(**path) : std::string_view();
}

bool Address::empty() const noexcept { return std::holds_alternative<std::monostate>(value_); }

int Address::family() const noexcept {
    if (empty()) return AF_UNSPEC;
    if (std::holds_alternative<Ipv4>(value_)) return AF_INET;
    return std::holds_alternative<Boxed<Ipv6>>(value_) ? AF_INET6 : AF_UNIX;
}

std::uint16_t Address::port() const noexcept {
    if (const auto* ip = std::get_if<Ipv4>(&value_)) return ip->port;
    const auto* ip = std::get_if<Boxed<Ipv6>>(&value_);
    return ip ? (*ip)->port : std::uint16_t{0};
}

void Address::set_port(std::uint16_t port) {
    if (auto* ip = std::get_if<Ipv4>(&value_)) ip->port = port;
    if (const auto* ip = std::get_if<Boxed<Ipv6>>(&value_)) *this = ipv6((*ip)->bytes.data(), port, (*ip)->scope);
}

bool Address::is_wildcard() const noexcept {
    const auto is_zero = [](const auto& bytes) {
        return std::all_of(bytes.begin(), bytes.end(), [](unsigned char byte) { return byte == 0; });
    };
    if (const auto* ip = std::get_if<Ipv4>(&value_)) return is_zero(ip->bytes);
    const auto* ip = std::get_if<Boxed<Ipv6>>(&value_);
    return ip && is_zero((*ip)->bytes);
}

socklen_t Address::to_sockaddr(sockaddr_storage& out) const noexcept {
    const auto put = [&out](const auto& address, std::size_t length) {
        std::memcpy(&out, &address, sizeof address);
        return socklen_t(length);
    };
    out = {};
    if (const auto* ip = std::get_if<Boxed<Ipv6>>(&value_)) {
        sockaddr_in6 in6{};
        in6.sin6_family = AF_INET6;
        in6.sin6_port = htons((*ip)->port);
        in6.sin6_scope_id = (*ip)->scope;
        std::memcpy(&in6.sin6_addr, (*ip)->bytes.data(), sizeof in6.sin6_addr);
        return put(in6, sizeof in6);
    }
    if (const auto* ip = std::get_if<Ipv4>(&value_)) {
        sockaddr_in in{};
        in.sin_family = AF_INET;
        in.sin_port = htons(ip->port);
        std::memcpy(&in.sin_addr, ip->bytes.data(), sizeof in.sin_addr);
        return put(in, sizeof in);
    }
    const std::string_view path = unix_path();
    if (empty() || path.size() >= sizeof(sockaddr_un::sun_path)) return 0;
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    path.copy(un.sun_path, path.size());
    const bool is_path = !path.empty() && path[0] != '\0';
    return put(un, path_offset + path.size() + (is_path ? 1 : 0));
}

std::string Address::str() const {
    char text[INET6_ADDRSTRLEN] = {};
    if (const auto* ip = std::get_if<Ipv4>(&value_)) {
        inet_ntop(AF_INET, ip->bytes.data(), text, sizeof text);
        return text + (":" + std::to_string(ip->port));
    }
    if (const auto* ip = std::get_if<Boxed<Ipv6>>(&value_)) {
        inet_ntop(AF_INET6, (*ip)->bytes.data(), text, sizeof text);
        return "[" + (text + scope_suffix((*ip)->scope)) + "]:" + std::to_string((*ip)->port);
    }
    if (empty()) return {};
    std::string path(unix_path());
    if (!path.empty() && path[0] == '\0') path[0] = '@';
    return "unix:" + path;
}

}  // namespace hawser::transport
