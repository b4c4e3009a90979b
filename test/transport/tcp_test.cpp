#include "transport/tcp.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/run_until.hpp"
#include "support/sockets.hpp"

using namespace hawser;
using transport::Address;
using transport::IoResult;
using transport::Transport;
using Status = IoResult::Status;

namespace {

struct Observer final : Transport::Observer {
    void on_transport_ready(Readiness readiness) override {
        last = readiness;
        ++calls;
        if (then) then();
    }
    Readiness last = Readiness::none;
    int calls = 0;
    std::function<void()> then{};
};

// A transport and the blocking socket at its other end.
struct Fixture {
    Fixture() {
        auto [near, far] = support::tcp_pair();
        descriptor = near.get();
        peer = std::move(far);
        local = Address::local_of(near.get());
        remote = Address::local_of(peer.get());
        tcp = transport::make_tcp(core, std::move(near), local, remote);
    }
    // Waits until there is something to read.
    IoResult read(std::span<char> into) {
        Observer observer;
        tcp->watch(observer, Readiness::readable);
        REQUIRE(support::run_until(core, [&] { return observer.calls > 0; }));
        tcp->watch(observer, Readiness::none);
        return tcp->read(into);
    }
    IoResult write(std::string_view text) {
        const iovec slice{const_cast<char*>(text.data()), text.size()};
        return tcp->write({&slice, 1});
    }

    reactor::Core core{reactor::make_ev_loop()};
    int descriptor = -1;
    transport::Descriptor peer{};
    Address local, remote;
    std::unique_ptr<Transport> tcp;
};

std::string receive(int descriptor, std::size_t size) {
    std::string text(size, '\0');
    text.resize(std::size_t(support::check(int(recv(descriptor, text.data(), size, MSG_WAITALL)), "recv")));
    return text;
}

}  // namespace

TEST_CASE("tcp: reads and writes what the peer wrote and reads") {
    Fixture f;
    char buffer[16];
    REQUIRE(send(f.peer.get(), "hello", 5, 0) == 5);
    const IoResult read = f.read(buffer);
    CHECK(read.status == Status::done);
    CHECK(std::string(buffer, read.bytes) == "hello");
    const IoResult wrote = f.write("world");
    CHECK(wrote.status == Status::done);
    CHECK(wrote.bytes == 5);
    CHECK(receive(f.peer.get(), 5) == "world");
    CHECK_FALSE(f.tcp->pending());
}

TEST_CASE("tcp: reads no more than there is room for") {
    Fixture f;
    char buffer[3];
    REQUIRE(send(f.peer.get(), "hello", 5, 0) == 5);
    CHECK(f.read(buffer).bytes == 3);
    const IoResult rest = f.tcp->read(buffer);
    CHECK(std::string(buffer, rest.bytes) == "lo");
}

TEST_CASE("tcp: a read that finds nothing would block") {
    Fixture f;
    char buffer[16];
    CHECK(f.tcp->read(buffer).status == Status::would_block);
}

TEST_CASE("tcp: the halves are closed apart") {
    Fixture f;
    char buffer[16];
    SECTION("the peer's first") {
        REQUIRE(shutdown(f.peer.get(), SHUT_WR) == 0);
        CHECK(f.read(buffer).status == Status::end);
        CHECK(f.write("still open").status == Status::done);
        CHECK(receive(f.peer.get(), 10) == "still open");
    }
    SECTION("ours first") {
        CHECK(f.write("last").status == Status::done);
        CHECK(f.tcp->shutdown_write().status == Status::done);
        CHECK(receive(f.peer.get(), 5) == "last");
        REQUIRE(send(f.peer.get(), "reply", 5, 0) == 5);
        CHECK(f.read(buffer).bytes == 5);
    }
}

TEST_CASE("tcp: a reset is a failure that names itself") {
    Fixture f;
    char buffer[16];
    const linger at_once{1, 0};
    REQUIRE(setsockopt(f.peer.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
    f.peer.reset();
    const IoResult result = f.read(buffer);
    CHECK(result.status == Status::failed);
    CHECK(result.error() == std::errc::connection_reset);
}

TEST_CASE("tcp: a write after the end fails and raises no signal") {
    Fixture f;
    CHECK(f.tcp->shutdown_write().status == Status::done);
    const IoResult result = f.write("late");
    CHECK(result.status == Status::failed);
    CHECK(result.error() == std::errc::broken_pipe);
}

TEST_CASE("tcp: to shut an unconnected socket is a failure") {
    reactor::Core core(reactor::make_ev_loop());
    const auto tcp = transport::make_tcp(core, transport::Descriptor(socket(AF_INET, SOCK_STREAM, 0)), {}, {});
    const IoResult result = tcp->shutdown_write();
    CHECK(result.status == Status::failed);
    CHECK(result.error() == std::errc::not_connected);
}

TEST_CASE("tcp: writes at most as many slices as the system takes") {
    Fixture f;
    for (const int count : {IOV_MAX - 1, IOV_MAX, IOV_MAX + 1}) {
        CAPTURE(count);
        std::string text(std::size_t(count), 'x');
        std::vector<iovec> slices;
        for (char& c : text) slices.push_back({&c, 1});
        const IoResult result = f.tcp->write(slices);
        CHECK(result.status == Status::done);
        CHECK(result.bytes == std::size_t(std::min(count, IOV_MAX)));
        CHECK(receive(f.peer.get(), result.bytes) == text.substr(0, result.bytes));
    }
}

TEST_CASE("tcp: empty slices write nothing and hold nothing up") {
    Fixture f;
    char byte = 'x';
    std::vector<iovec> slices;
    CHECK(f.tcp->write(slices).status == Status::would_block);
    slices.assign(IOV_MAX + 1, iovec{&byte, 0});
    CHECK(f.tcp->write(slices).status == Status::would_block);
    slices.push_back({&byte, 1});
    CHECK(f.tcp->write(slices).bytes == 1);
    CHECK(receive(f.peer.get(), 1) == "x");
}

TEST_CASE("tcp: a write that does not fit goes on when the observer hears of it") {
    Fixture f;
    std::string text(8 * 1024 * 1024, '\0');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = char(i * 7 / 5);
    std::string received;
    std::size_t sent = 0;
    Observer observer;
    bool has_blocked = false;
    observer.then = [&] {
        const IoResult result = f.write(std::string_view(text).substr(sent));
        REQUIRE(result.status != Status::failed);
        REQUIRE(result.bytes <= text.size() - sent);
        has_blocked = has_blocked || sent + result.bytes < text.size();
        sent += result.bytes;
        if (sent == text.size()) f.tcp->watch(observer, Readiness::none);
    };
    f.tcp->watch(observer, Readiness::writable);
    f.core.attach(f.peer.get(), Readiness::readable, [&](Readiness) {
        std::string part(256 * 1024, '\0');
        const int n = support::check(int(recv(f.peer.get(), part.data(), part.size(), 0)), "recv");
        received.append(part, 0, std::size_t(n));
    });
    REQUIRE(support::run_until(f.core, [&] { return received.size() == text.size(); }));
    f.core.detach(f.peer.get());
    CHECK(has_blocked);
    CHECK((received == text));
}

TEST_CASE("tcp: the observer hears of what it asked for, from then on") {
    Fixture f;
    Observer first, second;
    f.tcp->watch(first, Readiness::both);
    support::run_ready(f.core);
    CHECK(first.last == Readiness::writable);
    REQUIRE(send(f.peer.get(), "x", 1, 0) == 1);
    f.tcp->watch(second, Readiness::readable);
    const int before = first.calls;
    REQUIRE(support::run_until(f.core, [&] { return second.calls > 0; }));
    CHECK(second.last == Readiness::readable);
    CHECK(first.calls == before);
    f.tcp->watch(second, Readiness::none);
    const int calls = second.calls;
    support::run_ready(f.core);
    CHECK(second.calls == calls);
}

TEST_CASE("tcp: the observer may destroy the transport") {
    Fixture f;
    Observer observer;
    observer.then = [&] { f.tcp.reset(); };
    f.tcp->watch(observer, Readiness::writable);
    REQUIRE(support::run_until(f.core, [&] { return observer.calls > 0; }));
    support::run_ready(f.core);
    CHECK(observer.calls == 1);
    CHECK_FALSE(support::is_open(f.descriptor));
}

TEST_CASE("tcp: close releases the descriptor at once, and what follows is without effect") {
    Fixture f;
    Observer observer;
    f.tcp->watch(observer, Readiness::both);
    f.tcp->close();
    CHECK_FALSE(support::is_open(f.descriptor));
    // Whoever is given the number next must not be touched.
    const transport::Descriptor reused(fcntl(f.peer.get(), F_DUPFD_CLOEXEC, f.descriptor));
    REQUIRE(reused.get() == f.descriptor);
    f.tcp->close();
    f.tcp->watch(observer, Readiness::both);
    char buffer[16];
    CHECK(f.tcp->read(buffer).status == Status::failed);
    CHECK(f.write("x").status == Status::failed);
    CHECK(f.tcp->shutdown_write().status == Status::failed);
    CHECK_FALSE(f.tcp->pending());
    support::run_ready(f.core);
    CHECK(observer.calls == 0);
    f.tcp.reset();
    CHECK(support::is_open(reused.get()));
}

TEST_CASE("tcp: names stay readable after close") {
    Fixture f;
    f.tcp->close();
    CHECK(f.tcp->name() == f.local.str());
    CHECK(f.tcp->remote_name() == f.remote.str());
}

TEST_CASE("tcp: works over a Unix socket") {
    reactor::Core core(reactor::make_ev_loop());
    int pair[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    const auto near = transport::make_tcp(core, transport::Descriptor(pair[0]), Address::unix_socket("/run/x"), Address::unix_socket(""));
    const auto far = transport::make_tcp(core, transport::Descriptor(pair[1]), {}, {});
    char text[] = "hello", buffer[16];
    const iovec slice{text, 5};
    CHECK(near->write({&slice, 1}).bytes == 5);
    CHECK(far->read(buffer).bytes == 5);
    CHECK(near->shutdown_write().status == Status::done);
    CHECK(far->read(buffer).status == Status::end);
    CHECK(near->name() == "unix:/run/x");
    CHECK(near->remote_name() == "unix:");
}
