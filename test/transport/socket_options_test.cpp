#include "transport/socket_options.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <system_error>

#include "support/catch.hpp"
#include "support/sockets.hpp"

using namespace hawser;
using transport::Address;
using transport::Descriptor;

namespace {

int option_of(const Descriptor& socket, int level, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    support::check(getsockopt(socket.get(), level, name, &value, &length), "getsockopt");
    return value;
}

Descriptor socket_with(const Context& context, int family = AF_INET) {
    Descriptor socket = transport::open_stream_socket(family);
    transport::SocketOptions(context, family).apply(socket.get());
    return socket;
}

Context context_with(const char* name, OptionValue value) {
    Context context;
    context.set_option("socket", name, std::move(value));
    return context;
}

}  // namespace

TEST_CASE("socket options: a socket neither blocks nor is inherited") {
    for (const int family : {AF_INET, AF_INET6, AF_UNIX}) {
        const Descriptor socket = transport::open_stream_socket(family);
        CHECK((fcntl(socket.get(), F_GETFL) & O_NONBLOCK) != 0);
        CHECK((fcntl(socket.get(), F_GETFD) & FD_CLOEXEC) != 0);
    }
    CHECK_THROWS_AS(transport::open_stream_socket(-1), std::system_error);
}

TEST_CASE("socket options: without any, only Nagle's algorithm is off") {
    const Descriptor plain = transport::open_stream_socket(AF_INET);
    const Descriptor socket = socket_with({});
    CHECK(option_of(socket, IPPROTO_TCP, TCP_NODELAY) == 1);
    CHECK(option_of(socket, SOL_SOCKET, SO_KEEPALIVE) == 0);
    CHECK(option_of(socket, SOL_SOCKET, SO_RCVBUF) == option_of(plain, SOL_SOCKET, SO_RCVBUF));
    CHECK(option_of(socket, SOL_SOCKET, SO_SNDBUF) == option_of(plain, SOL_SOCKET, SO_SNDBUF));
}

TEST_CASE("socket options: each is applied") {
    CHECK(option_of(socket_with(context_with("tcp_nodelay", false)), IPPROTO_TCP, TCP_NODELAY) == 0);
    CHECK(option_of(socket_with(context_with("so_keepalive", true)), SOL_SOCKET, SO_KEEPALIVE) == 1);
    CHECK(option_of(socket_with(context_with("tcp_keepidle", 11)), IPPROTO_TCP, TCP_KEEPIDLE) == 11);
    CHECK(option_of(socket_with(context_with("tcp_keepintvl", 12)), IPPROTO_TCP, TCP_KEEPINTVL) == 12);
    CHECK(option_of(socket_with(context_with("tcp_keepcnt", 13)), IPPROTO_TCP, TCP_KEEPCNT) == 13);
    // The kernel doubles them, for its own use (socket(7)).
    CHECK(option_of(socket_with(context_with("so_rcvbuf", 20'000)), SOL_SOCKET, SO_RCVBUF) == 40'000);
    CHECK(option_of(socket_with(context_with("so_sndbuf", 30'000)), SOL_SOCKET, SO_SNDBUF) == 60'000);
}

TEST_CASE("socket options: a Unix socket has no TCP options, but the others") {
    Context context = context_with("tcp_keepidle", 11);
    context.set_option("socket", "so_sndbuf", 30'000);
    CHECK(option_of(socket_with(context, AF_UNIX), SOL_SOCKET, SO_SNDBUF) == 60'000);
}

TEST_CASE("socket options: one that the system refuses is named") {
    const Descriptor path = transport::open_stream_socket(AF_UNIX);
    try {
        transport::SocketOptions({}, AF_INET).apply(path.get());
        FAIL("a Unix socket took tcp_nodelay");
    } catch (const std::system_error& error) {
        CHECK(std::string(error.what()).rfind("tcp_nodelay: ", 0) == 0);
    }
}

TEST_CASE("socket options: bindto binds") {
    const auto bound = [](const char* to, int family) {
        const Descriptor socket = transport::open_stream_socket(family);
        transport::bind_local(socket.get(), family, context_with("bindto", std::string(to)));
        return Address::local_of(socket.get());
    };
    const Address v4 = bound("127.0.0.2:0", AF_INET);
    CHECK(v4 == Address::literal("127.0.0.2", v4.port()));
    if (support::has_ipv6()) {
        const Address v6 = bound("[::1]:0", AF_INET6);
        CHECK(v6 == Address::literal("::1", v6.port()));
    }
    // An address that nothing else uses, and a port that was free there a moment ago.
    const Address chosen = bound("127.84.73.60:0", AF_INET);
    CHECK(bound(chosen.str().c_str(), AF_INET) == chosen);
}

TEST_CASE("socket options: bindto that cannot be is named with its reason") {
    const auto why = [](const char* to, int family) {
        const Descriptor socket = transport::open_stream_socket(family);
        try {
            transport::bind_local(socket.get(), family, context_with("bindto", std::string(to)));
        } catch (const std::system_error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    CHECK(why("127.0.0.1:0", AF_INET6) == "bindto 127.0.0.1:0: Address family not supported by protocol");
    CHECK(why("192.0.2.1:0", AF_INET) == "bindto 192.0.2.1:0: Cannot assign requested address");
    CHECK(why("[fe80::1%no-such-zone]:0", AF_INET6) == "bindto [fe80::1%no-such-zone]:0: Invalid argument");
    // It says nothing of Unix sockets.
    CHECK(why("127.0.0.1:0", AF_UNIX).empty());
}

TEST_CASE("socket options: a port in use by a connection that lingers can be bound to") {
    const auto listener = support::listen_on(Address::literal("127.0.0.1", 0));
    const auto dial = [&](const std::string& to) {
        Descriptor socket = transport::open_stream_socket(AF_INET);
        transport::bind_local(socket.get(), AF_INET, context_with("bindto", to));
        return socket;
    };
    // An address that nothing else uses, and a port that was free there a moment ago.
    const Address local = Address::local_of(support::listen_on(Address::literal("127.84.73.62", 0)).get());
    Descriptor first = dial(local.str());
    sockaddr_storage storage;
    const socklen_t length = Address::local_of(listener.get()).to_sockaddr(storage);
    connect(first.get(), reinterpret_cast<const sockaddr*>(&storage), length);
    Descriptor accepted(support::check(accept(listener.get(), nullptr, nullptr), "accept"));
    // Who closes first is left in TIME_WAIT (RFC 9293, section 3.6.1).
    first.reset();
    accepted.reset();
    CHECK_NOTHROW(dial(local.str()));
}
