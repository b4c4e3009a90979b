#include "transport/socket_options.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <charconv>
namespace hawser::transport {
namespace {

// "ip:port" or "[ip]:port"; empty when it is neither.
Address parse_endpoint(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return {};
    std::string_view host = text.substr(0, colon);
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    std::uint16_t port = 0;
    const char* const end = text.data() + text.size();
    const auto [parsed, error] = std::from_chars(text.data() + colon + 1, end, port);
    if (error != std::errc{} || parsed != end) return {};
    return Address::literal(host, port);
}

}  // namespace

SocketOptions::SocketOptions(const Context& context, int family) {
    const auto add = [&](const char* label, int level, int name, std::int64_t value) {
        options_.push_back({level, name, int(value), label});  // Context has checked the range
    };
    const auto add_number = [&](const char* label, int level, int name) {
        if (const OptionValue* value = context.get_option("socket", label)) add(label, level, name, std::get<std::int64_t>(*value));
    };
    if (const OptionValue* value = context.get_option("socket", "so_keepalive")) {
        add("so_keepalive", SOL_SOCKET, SO_KEEPALIVE, std::get<bool>(*value));
    }
    add_number("so_rcvbuf", SOL_SOCKET, SO_RCVBUF);
    add_number("so_sndbuf", SOL_SOCKET, SO_SNDBUF);
    if (family == AF_UNIX) return;
    add("tcp_nodelay", IPPROTO_TCP, TCP_NODELAY, context.get_option_or("socket", "tcp_nodelay", true));
    add_number("tcp_keepidle", IPPROTO_TCP, TCP_KEEPIDLE);
    add_number("tcp_keepintvl", IPPROTO_TCP, TCP_KEEPINTVL);
    add_number("tcp_keepcnt", IPPROTO_TCP, TCP_KEEPCNT);
}

void SocketOptions::apply(int descriptor) const {
    for (const Option& option : options_) set_socket_option(descriptor, option.level, option.name, option.value, option.label);
}

Descriptor open_stream_socket(int family) {
    Descriptor descriptor(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!descriptor) throw std::system_error(errno, std::generic_category());
    return descriptor;
}

void set_socket_option(int descriptor, int level, int name, int value, const char* label) {
    if (setsockopt(descriptor, level, name, &value, sizeof value) != 0) throw std::system_error(errno, std::generic_category(), label);
}

void bind_local(int descriptor, int family, const Context& context) {
    const OptionValue* value = context.get_option("socket", "bindto");
    if (!value || family == AF_UNIX) return;
    const std::string& text = std::get<std::string>(*value);
    const Address address = parse_endpoint(text);
    const auto fail = [&](int error) { throw std::system_error(error, std::generic_category(), "bindto " + text); };
    if (address.empty()) fail(EINVAL);
    if (address.family() != family) fail(EAFNOSUPPORT);
    // The port's last connection may linger in TIME_WAIT.
    if (address.port() != 0) set_socket_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
    sockaddr_storage storage;
    const socklen_t length = address.to_sockaddr(storage);
    if (bind(descriptor, reinterpret_cast<const sockaddr*>(&storage), length) != 0) fail(errno);
}

Error error_of(Errc code, std::string sentence, std::error_code cause) {
    const std::string end = ": " + cause.message();
    if (cause && sentence.size() >= end.size() && sentence.compare(sentence.size() - end.size(), end.size(), end) == 0) {
        sentence.resize(sentence.size() - end.size());
    }
    return {code, std::move(sentence), cause};
}

std::string unix_path_bound() { return "the path of a socket has at most " + std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes"; }

}  // namespace hawser::transport
