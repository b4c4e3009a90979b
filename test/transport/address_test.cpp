#include "transport/address.hpp"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "support/catch.hpp"
#include "support/sockets.hpp"

using hawser::transport::Address;

namespace {

// What the system would be given, and gives back.
Address through_sockaddr(const Address& address) {
    sockaddr_storage storage;
    const socklen_t length = address.to_sockaddr(storage);
    return {reinterpret_cast<const sockaddr*>(&storage), length};
}

}  // namespace

TEST_CASE("address: is small, since each idle connection keeps two") { REQUIRE(sizeof(Address) <= 32); }

TEST_CASE("address: literals are parsed and shown") {
    const auto shown = [](std::string_view host) { return Address::literal(host, 9001).str(); };
    CHECK(shown("127.0.0.1") == "127.0.0.1:9001");
    CHECK(shown("255.255.255.255") == "255.255.255.255:9001");
    CHECK(shown("::1") == "[::1]:9001");
    CHECK(shown("2001:DB8:0:0::1") == "[2001:db8::1]:9001");
    CHECK(Address::literal("::", 65535).str() == "[::]:65535");
    CHECK(Address::literal("0.0.0.0", 0).str() == "0.0.0.0:0");
}

TEST_CASE("address: what is no literal is empty") {
    for (const std::string host : {"", "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", "0x7f.0.0.1", "[::1]", "::1::", "1.2.3.4%lo",
                                   "fe80::1%", "fe80::1%no-such-interface", " 127.0.0.1", "127.0.0.1 "}) {
        CAPTURE(host);
        CHECK(Address::literal(host, 1).empty());
    }
    CHECK(Address::literal(std::string("127.0.0.1\0.evil", 15), 1).empty());
    CHECK(Address().str().empty());
    CHECK(Address().family() == AF_UNSPEC);
}

TEST_CASE("address: an IPv4 address mapped into IPv6 is shown as IPv4") {
    CHECK(Address::literal("::ffff:1.2.3.4", 80).str() == "1.2.3.4:80");
    sockaddr_in6 mapped{};
    mapped.sin6_family = AF_INET6;
    mapped.sin6_port = htons(80);
    mapped.sin6_addr.s6_addr[10] = mapped.sin6_addr.s6_addr[11] = 0xff;
    mapped.sin6_addr.s6_addr[12] = 10;
    const Address address(reinterpret_cast<const sockaddr*>(&mapped), sizeof mapped);
    CHECK(address.str() == "10.0.0.0:80");
    CHECK(address.family() == AF_INET);
}

TEST_CASE("address: a scope is kept and shown by the interface's name") {
    char name[IF_NAMESIZE] = {};
    REQUIRE(if_indextoname(1, name));
    const Address named = Address::literal(std::string("fe80::1%") + name, 80);
    CHECK(named.str() == std::string("[fe80::1%") + name + "]:80");
    CHECK(named == Address::literal("fe80::1%1", 80));
    CHECK_FALSE(named == Address::literal("fe80::1", 80));
    CHECK(through_sockaddr(named) == named);
    CHECK(Address::literal("fe80::1%4000000", 80).str() == "[fe80::1%4000000]:80");
}

TEST_CASE("address: survives the way through the system") {
    for (const char* host : {"127.0.0.1", "::1", "2001:db8::ffff"}) {
        const Address address = Address::literal(host, 54321);
        CHECK(through_sockaddr(address) == address);
        CHECK(through_sockaddr(address).port() == 54321);
    }
    const Address path = Address::unix_socket("/tmp/a socket");
    CHECK(through_sockaddr(path) == path);
    CHECK(through_sockaddr(path).str() == "unix:/tmp/a socket");
    CHECK(path.family() == AF_UNIX);
    CHECK(path.port() == 0);
}

TEST_CASE("address: a Unix path is bounded by what the system takes") {
    sockaddr_storage storage;
    const std::size_t bound = sizeof(sockaddr_un::sun_path) - 1;
    for (const std::size_t size : {bound - 1, bound}) {
        const Address address = Address::unix_socket(std::string(size, 'a'));
        CHECK(address.to_sockaddr(storage) > 0);
        CHECK(through_sockaddr(address) == address);
    }
    CHECK(Address::unix_socket(std::string(bound + 1, 'a')).to_sockaddr(storage) == 0);
    CHECK(Address().to_sockaddr(storage) == 0);
}

TEST_CASE("address: unnamed and abstract Unix sockets") {
    sockaddr_un unnamed{};
    unnamed.sun_family = AF_UNIX;
    CHECK(Address(reinterpret_cast<const sockaddr*>(&unnamed), sizeof(sa_family_t)).str() == "unix:");
    CHECK(Address(reinterpret_cast<const sockaddr*>(&unnamed), sizeof(sa_family_t)) == Address::unix_socket(""));
    const Address abstract = Address::unix_socket(std::string("\0name", 5));
    CHECK(abstract.str() == "unix:@name");
    CHECK(through_sockaddr(abstract) == abstract);
    // A path that fills its field has no NUL at the end.
    sockaddr_un full{};
    full.sun_family = AF_UNIX;
    std::fill(std::begin(full.sun_path), std::end(full.sun_path), 'x');
    CHECK(Address(reinterpret_cast<const sockaddr*>(&full), sizeof full).str() == "unix:" + std::string(sizeof full.sun_path, 'x'));
}

TEST_CASE("address: what the system left empty or is of another family is empty") {
    sockaddr_storage storage{};
    CHECK(Address(reinterpret_cast<const sockaddr*>(&storage), 0).empty());
    storage.ss_family = AF_NETLINK;
    CHECK(Address(reinterpret_cast<const sockaddr*>(&storage), sizeof storage).empty());
}

TEST_CASE("address: is compared by value") {
    CHECK(Address::literal("127.0.0.1", 1) == Address::literal("127.0.0.1", 1));
    CHECK_FALSE(Address::literal("127.0.0.1", 1) == Address::literal("127.0.0.1", 2));
    CHECK_FALSE(Address::literal("127.0.0.1", 1) == Address::literal("127.0.0.2", 1));
    CHECK_FALSE(Address::literal("0.0.0.0", 1) == Address::literal("::", 1));
    CHECK(Address::unix_socket("/a") == Address::unix_socket("/a"));
    CHECK_FALSE(Address::unix_socket("/a") == Address::unix_socket("/b"));
}

TEST_CASE("address: wildcards are told apart") {
    CHECK(Address::literal("::", 80).is_wildcard());
    CHECK(Address::literal("0.0.0.0", 80).is_wildcard());
    CHECK_FALSE(Address::literal("::1", 80).is_wildcard());
    CHECK_FALSE(Address::literal("127.0.0.1", 80).is_wildcard());
    CHECK_FALSE(Address::unix_socket("/a").is_wildcard());
    CHECK_FALSE(Address().is_wildcard());
}

TEST_CASE("address: a port is set where there is one") {
    Address ip = Address::literal("::1", 1);
    ip.set_port(2);
    CHECK(ip.str() == "[::1]:2");
    Address path = Address::unix_socket("/a");
    path.set_port(2);
    CHECK(path.str() == "unix:/a");
}

TEST_CASE("address: of a socket is what it was bound to") {
    const auto socket = support::listen_on(Address::literal("127.0.0.1", 0));
    const Address local = Address::local_of(socket.get());
    CHECK(local.port() != 0);
    CHECK(local == Address::literal("127.0.0.1", local.port()));
    CHECK(Address::local_of(-1).empty());
}
