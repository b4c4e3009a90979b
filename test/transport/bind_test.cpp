#include "transport/bind.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/child.hpp"
#include "support/descriptors.hpp"
#include "support/sockets.hpp"

using namespace hawser;
using support::connect_to;
using support::has_ipv6;
using transport::Address;
using transport::bind_sockets;
using transport::BoundSocket;
using transport::ListenOptions;

namespace {

/// Called once, between the next bind() and its listen().
std::function<void()> before_listening;

}  // namespace

// In the place of the system's.
extern "C" int listen(int descriptor, int backlog) noexcept {
    if (const auto act = std::exchange(before_listening, nullptr)) act();
    return static_cast<int>(syscall(SYS_listen, descriptor, backlog));
}

namespace {

ListenOptions at(std::string host, std::uint16_t port = 0) { return {.host = std::move(host), .port = port}; }
ListenOptions at_path(std::string path) { return {.unix_path = std::move(path)}; }

std::vector<std::string> names_in(const support::TemporaryDirectory& directory) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory.file(""))) names.push_back(entry.path().filename());
    return names;
}

Error refusal(const ListenOptions& options) {
    try {
        bind_sockets(options);
    } catch (const Error& error) {
        CHECK(error.errc() == Errc::server_failed);
        return error;
    }
    return {Errc::server_failed, "it was not refused"};
}

}  // namespace

TEST_CASE("bind: a literal is bound, and a free port is picked") {
    for (const char* host : support::loopbacks()) {
        const auto bound = bind_sockets(at(host));
        REQUIRE(bound.size() == 1);
        CHECK(bound[0].address.port() != 0);
        CHECK(bound[0].address == Address::literal(host, bound[0].address.port()));
        CHECK(connect_to(bound[0].address));
    }
}

TEST_CASE("bind: a listening socket neither blocks nor is inherited") {
    const auto bound = bind_sockets(at("127.0.0.1"));
    CHECK((fcntl(bound[0].descriptor.get(), F_GETFL) & O_NONBLOCK) != 0);
    CHECK((fcntl(bound[0].descriptor.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("bind: without a host both families are taken by one socket") {
    const auto bound = bind_sockets(at(""));
    REQUIRE(bound.size() == 1);
    const std::uint16_t port = bound[0].address.port();
    CHECK(bound[0].address.is_wildcard());
    CHECK(connect_to(Address::literal("127.0.0.1", port)));
    if (has_ipv6()) CHECK(connect_to(Address::literal("::1", port)));
}

TEST_CASE("bind: ipv6_v6only leaves IPv4 out") {
    if (!has_ipv6()) return;
    for (const char* host : {"", "::"}) {
        ListenOptions options = at(host);
        options.context.set_option("socket", "ipv6_v6only", true);
        const auto bound = bind_sockets(options);
        CHECK(connect_to(Address::literal("::1", bound[0].address.port())));
        CHECK_FALSE(connect_to(Address::literal("127.0.0.1", bound[0].address.port())));
    }
}

TEST_CASE("bind: localhost is both loopback addresses with one port, and no others") {
    if (!has_ipv6()) return;
    const auto bound = bind_sockets(at("localhost"));
    REQUIRE(bound.size() == 2);
    CHECK(bound[0].address == Address::literal("127.0.0.1", bound[0].address.port()));
    CHECK(bound[1].address == Address::literal("::1", bound[0].address.port()));
    CHECK(connect_to(bound[0].address));
    CHECK(connect_to(bound[1].address));
    CHECK_FALSE(connect_to(Address::literal("127.0.0.2", bound[0].address.port())));
}

TEST_CASE("bind: of localhost's addresses none may be in use") {
    if (!has_ipv6()) return;
    for (bool is_free = false; !is_free;) {
        const auto holder = bind_sockets(at("::1"));
        const std::uint16_t port = holder[0].address.port();
        const Error error = refusal(at("localhost", port));
        // Of 127.0.0.1 another process may hold the same port: then another one will do.
        is_free = error.what() != "cannot listen on " + Address::literal("127.0.0.1", port).str() + ": Address already in use";
        if (is_free) CHECK(error.what() == "cannot listen on " + holder[0].address.str() + ": Address already in use");
    }
}

TEST_CASE("bind: an address in use is named") {
    const auto holder = bind_sockets(at("127.0.0.1"));
    const Error error = refusal(at("127.0.0.1", holder[0].address.port()));
    CHECK(error.what() == "cannot listen on " + holder[0].address.str() + ": Address already in use");
    CHECK(error.cause() == std::errc::address_in_use);
}

TEST_CASE("bind: so_reuseport shares an address") {
    ListenOptions options = at("127.0.0.1");
    options.context.set_option("socket", "so_reuseport", true);
    const auto first = bind_sockets(options);
    options.port = first[0].address.port();
    CHECK(bind_sockets(options)[0].address == first[0].address);
}

TEST_CASE("bind: a server that has just ended does not keep its port") {
    const char* const host = "127.84.73.60";  // where nothing else is given a port meanwhile
    auto first = bind_sockets(at(host));
    const Address address = first[0].address;
    const auto client = connect_to(address);
    char byte = 'x';
    REQUIRE(send(client.get(), &byte, 1, 0) == 1);
    {
        // The end that closes first is left in TIME_WAIT (RFC 9293, section 3.6.1): here the server's.
        const transport::Descriptor server(support::check(accept(first[0].descriptor.get(), nullptr, nullptr), "accept"));
        REQUIRE(recv(server.get(), &byte, 1, 0) == 1);
    }
    first.clear();
    CHECK(bind_sockets(at(host, address.port()))[0].address == address);
}

TEST_CASE("bind: a client is accepted when it has spoken") {
    int seconds = 0;
    socklen_t length = sizeof seconds;
    const auto bound = bind_sockets(at("127.0.0.1"));
    support::check(getsockopt(bound[0].descriptor.get(), IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, &length), "getsockopt");
    CHECK(seconds == 1);
}

TEST_CASE("bind: an address that the host does not have is refused by name") {
    CHECK(std::string(refusal(at("192.0.2.1", 80)).what()) == "cannot listen on 192.0.2.1:80: Cannot assign requested address");
}

TEST_CASE("bind: a name that cannot be is refused by name") {
    CHECK(std::string(refusal(at("no..name", 80)).what()).rfind("cannot listen on no..name:80: ", 0) == 0);
}

TEST_CASE("bind: a Unix socket is removed at the end") {
    const support::TemporaryDirectory directory;
    const std::string path = directory.file("socket");
    {
        const auto bound = bind_sockets(at_path(path));
        CHECK(bound[0].address.str() == "unix:" + path);
        CHECK(connect_to(bound[0].address));
        CHECK(std::filesystem::is_socket(path));
    }
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("bind: what has taken the Unix socket's place is not removed") {
    const support::TemporaryDirectory directory;
    const std::string path = directory.file("socket");
    auto first = bind_sockets(at_path(path));
    std::filesystem::rename(path, directory.file("old"));
    const auto second = bind_sockets(at_path(path));
    first.clear();
    CHECK(connect_to(second[0].address));
}

TEST_CASE("bind: a Unix socket that nobody listens on is replaced") {
    const support::TemporaryDirectory directory;
    const Address address = Address::unix_socket(directory.file("socket"));
    support::listen_on(address).reset();
    REQUIRE(std::filesystem::is_socket(directory.file("socket")));
    const auto bound = bind_sockets(at_path(directory.file("socket")));
    CHECK(connect_to(bound[0].address));
}

TEST_CASE("bind: a child leaves the Unix socket of its parent where it is, and removes its own") {
    const support::TemporaryDirectory directory;
    auto parents = bind_sockets(at_path(directory.file("parent")));
    const int status = support::status_of_child([&] {
        const auto own = bind_sockets(at_path(directory.file("child")));
        auto dropped = std::move(parents);
        return std::filesystem::is_socket(directory.file("child")) ? 0 : 1;
    });
    CHECK(status == 0);
    CHECK_FALSE(std::filesystem::exists(directory.file("child")));
    CHECK(connect_to(Address::unix_socket(directory.file("parent"))));
    parents.clear();
    CHECK_FALSE(std::filesystem::exists(directory.file("parent")));
}

TEST_CASE("bind: of two that find one stale Unix socket at the same time, one alone replaces it") {
    const support::TemporaryDirectory directory;
    const std::string path = directory.file("socket");
    support::listen_on(Address::unix_socket(path)).reset();
    std::string rival;
    before_listening = [&] { rival = refusal(at_path(path)).what(); };
    const auto bound = bind_sockets(at_path(path));
    CHECK(rival == "cannot listen on unix:" + path + ": another program is about to listen there: Resource temporarily unavailable");
    CHECK(connect_to(Address::unix_socket(path)));
    // From here on it is seen to be in use, and nothing is left of the lock.
    CHECK(refusal(at_path(path)).cause() == std::errc::address_in_use);
    CHECK(names_in(directory) == std::vector<std::string>{"socket"});
}

TEST_CASE("bind: nobody's lock of the folder, nor what is in the way of the lock, keeps a Unix socket from its path") {
    const support::TemporaryDirectory directory;
    const std::string path = directory.file("socket");
    const transport::Descriptor folder(open(directory.file("").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto began = std::chrono::steady_clock::now();
    SECTION("a lock of the folder") { REQUIRE(flock(folder.get(), LOCK_EX | LOCK_NB) == 0); }
    SECTION("a shared lock of the folder") { REQUIRE(flock(folder.get(), LOCK_SH | LOCK_NB) == 0); }
    SECTION("a folder") { std::filesystem::create_directory(path + ".lock"); }
    SECTION("a link") { std::filesystem::create_symlink("/dev/null", path + ".lock"); }
    SECTION("a pipe") { REQUIRE(mkfifo((path + ".lock").c_str(), 0600) == 0); }
    SECTION("a file that a program left which did not come to its end") { std::ofstream(path + ".lock") << "left"; }
    support::listen_on(Address::unix_socket(path)).reset();
    const auto bound = bind_sockets(at_path(path));
    CHECK(connect_to(Address::unix_socket(path)));
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::milliseconds(500));
}

TEST_CASE("bind: an abstract Unix socket needs no file, and no lock") {
    const std::string name = std::string(1, '\0') + "hawser-bind-test-" + std::to_string(getpid());
    const transport::Descriptor folder(open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(flock(folder.get(), LOCK_EX | LOCK_NB) == 0);
    const auto bound = bind_sockets(at_path(name));
    CHECK(connect_to(Address::unix_socket(name)));
    CHECK(refusal(at_path(name)).cause() == std::errc::address_in_use);
}

TEST_CASE("bind: a Unix socket that somebody listens on is left alone") {
    const support::TemporaryDirectory directory;
    const std::string path = directory.file("socket");
    const auto holder = support::listen_on(Address::unix_socket(path), 0);
    const std::string expected = "cannot listen on unix:" + path + ": Address already in use";
    CHECK(refusal(at_path(path)).what() == expected);
    // The backlog is full now: that is somebody, too.
    const auto waiting = connect_to(Address::unix_socket(path), SOCK_NONBLOCK);
    CHECK(refusal(at_path(path)).what() == expected);
    CHECK(std::filesystem::is_socket(path));
}

TEST_CASE("bind: a file that is no socket is left alone") {
    const support::TemporaryDirectory directory;
    const std::string path = directory.file("file");
    std::ofstream(path) << "precious";
    CHECK(refusal(at_path(path)).what() == "cannot listen on unix:" + path + ": what is there is no socket: File exists");
    std::filesystem::create_symlink("file", directory.file("link"));
    CHECK(refusal(at_path(directory.file("link"))).cause() == std::errc::file_exists);
    CHECK(std::filesystem::file_size(path) == 8);
}

TEST_CASE("bind: a Unix path is bounded") {
    const support::TemporaryDirectory directory;
    const std::size_t bound = sizeof(sockaddr_un::sun_path) - 1;
    const auto path_of = [&](std::size_t size) { return directory.file(std::string(size - directory.file("").size(), 'a')); };
    CHECK(bind_sockets(at_path(path_of(bound - 1))).size() == 1);
    CHECK(bind_sockets(at_path(path_of(bound))).size() == 1);
    const std::string path = path_of(bound + 1);
    CHECK(refusal(at_path(path)).what() ==
          "cannot listen on unix:" + path + ": the path of a socket has at most " + std::to_string(bound) + " bytes: File name too long");
}

TEST_CASE("bind: a directory that is not there is refused") {
    CHECK(std::string(refusal(at_path("/no-such-directory/socket")).what()) ==
          "cannot listen on unix:/no-such-directory/socket: No such file or directory");
}

TEST_CASE("bind: a descriptor that listens is taken over") {
    auto listening = support::listen_on(Address::literal("127.0.0.1", 0));
    const Address address = Address::local_of(listening.get());
    const int number = listening.release();
    {
        const auto bound = bind_sockets({.descriptor = number});
        CHECK(bound[0].address == address);
        CHECK(bound[0].descriptor.get() == number);
        CHECK((fcntl(number, F_GETFL) & O_NONBLOCK) != 0);
        CHECK((fcntl(number, F_GETFD) & FD_CLOEXEC) != 0);
    }
    CHECK_FALSE(support::is_open(number));
}

TEST_CASE("bind: a Unix socket that was taken over is not removed") {
    const support::TemporaryDirectory directory;
    const std::string path = directory.file("socket");
    CHECK(bind_sockets({.descriptor = support::listen_on(Address::unix_socket(path)).release()})[0].address.str() == "unix:" + path);
    CHECK(std::filesystem::is_socket(path));
}

TEST_CASE("bind: a descriptor that does not listen is refused and stays open") {
    const auto [stream, other] = support::tcp_pair();
    const std::string name = "cannot listen on descriptor " + std::to_string(stream.get());
    CHECK(refusal({.descriptor = stream.get()}).what() == name + ": it is a socket that does not listen: Invalid argument");
    CHECK(support::is_open(stream.get()));
    const transport::Descriptor file(open("/dev/null", O_RDONLY | O_CLOEXEC));
    CHECK(refusal({.descriptor = file.get()}).cause() == std::errc::not_a_socket);
    CHECK(refusal({.descriptor = 1'000'000}).cause() == std::errc::bad_file_descriptor);
}

TEST_CASE("bind: a refusal leaves nothing open") {
    const auto holder = bind_sockets(at("127.0.0.1"));
    const std::size_t before = support::open_descriptors();
    refusal(at("localhost", holder[0].address.port()));
    refusal(at("192.0.2.1", 80));
    refusal(at_path("/no-such-directory/socket"));
    CHECK(support::open_descriptors() == before);
}
