#include "transport/listener.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <vector>

#include "support/accept_failures.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/run_until.hpp"
#include "support/sockets.hpp"

using namespace hawser;
using support::accept_failures;
using transport::Address;
using transport::Descriptor;
using transport::Listener;
using transport::ListenOptions;
using transport::Transport;

namespace {

struct Fixture {
    explicit Fixture(const ListenOptions& options = {.host = "127.0.0.1"}) {
        const auto on_accept = [this](std::unique_ptr<Transport> transport) {
            accepted.push_back(std::move(transport));
            if (then) then();
        };
        const auto on_error = [this](const Error& error) {
            errors.push_back(error);
            if (then) then();
        };
        listener = Listener::open(core, options, on_accept, on_error);
        listener->set_accepting(true);
    }
    std::uint16_t port() const { return listener->address().port(); }
    Transport& accept_one() {
        const std::size_t before = accepted.size();
        REQUIRE(support::run_until(core, [&] { return accepted.size() > before; }));
        return *accepted.back();
    }

    reactor::Core core{reactor::make_ev_loop()};
    std::vector<std::unique_ptr<Transport>> accepted;
    std::vector<Error> errors;
    std::function<void()> then{};
    std::unique_ptr<Listener> listener;
};

ListenOptions with(const char* option, OptionValue value) {
    ListenOptions options{.host = "127.0.0.1"};
    options.context.set_option("socket", option, std::move(value));
    return options;
}

int option_of(int descriptor, int level, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    support::check(getsockopt(descriptor, level, name, &value, &length), "getsockopt");
    return value;
}

// No descriptor can be had beyond those that are open now.
class NoMoreDescriptors {
public:
    NoMoreDescriptors() {
        getrlimit(RLIMIT_NOFILE, &before_);
        const rlimit none{rlim_t(support::next_descriptor()), before_.rlim_max};
        support::check(setrlimit(RLIMIT_NOFILE, &none), "setrlimit");
    }
    NoMoreDescriptors(const NoMoreDescriptors&) = delete;
    NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;
    ~NoMoreDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

// A client that has spoken: the kernel keeps a silent one back for a second.
Descriptor speak_to(const Address& address) {
    Descriptor client = support::connect_to(address);
    if (client) support::check(int(send(client.get(), "x", 1, 0)), "send");
    return client;
}

bool is_dropped(const Descriptor& socket) {
    char byte;
    return recv(socket.get(), &byte, 1, MSG_DONTWAIT) < 0 && errno == ECONNRESET;
}

}  // namespace

TEST_CASE("listener: hands out what it accepts, with both names") {
    for (const char* host : support::loopbacks()) {
        Fixture f({.host = host});
        const Descriptor client = speak_to(f.listener->address());
        Transport& transport = f.accept_one();
        CHECK(transport.name() == f.listener->address().str());
        CHECK(transport.remote_name() == Address::local_of(client.get()).str());
        char text[] = "hello";
        const iovec slice{text, 5};
        CHECK(transport.write({&slice, 1}).bytes == 5);
        CHECK(recv(client.get(), text, 5, MSG_WAITALL) == 5);
    }
}

TEST_CASE("listener: on all interfaces each connection has the address it came to") {
    Fixture f({.host = ""});
    std::vector<const char*> hosts = support::loopbacks();
    hosts.push_back("127.0.0.2");
    for (const char* host : hosts) {
        const Address address = Address::literal(host, f.port());
        const Descriptor client = speak_to(address);
        Transport& transport = f.accept_one();
        CHECK(transport.name() == address.str());
        CHECK(transport.remote_name() == Address::local_of(client.get()).str());
    }
}

TEST_CASE("listener: on localhost accepts from both families") {
    Fixture f({.host = "localhost"});
    for (const char* host : support::loopbacks()) {
        const Descriptor client = speak_to(Address::literal(host, f.port()));
        CHECK(f.accept_one().name() == Address::literal(host, f.port()).str());
    }
}

TEST_CASE("listener: accepts on a Unix socket") {
    const support::TemporaryDirectory directory;
    ListenOptions options{.unix_path = directory.file("socket")};
    options.context.set_option("socket", "so_sndbuf", 30'000);
    Fixture f(options);
    const Descriptor client = speak_to(f.listener->address());
    const int number = support::next_descriptor();
    Transport& transport = f.accept_one();
    CHECK(transport.name() == "unix:" + directory.file("socket"));
    CHECK(transport.remote_name() == "unix:");
    CHECK(option_of(number, SOL_SOCKET, SO_SNDBUF) == 60'000);
}

TEST_CASE("listener: what it accepts neither blocks nor is inherited") {
    Fixture f;
    const Descriptor client = speak_to(f.listener->address());
    const int number = support::next_descriptor();
    f.accept_one();
    CHECK((fcntl(number, F_GETFL) & O_NONBLOCK) != 0);
    CHECK((fcntl(number, F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("listener: the context's options hold for what it accepts") {
    const auto accepted_option = [](const ListenOptions& options, int level, int name) {
        Fixture f(options);
        const Descriptor client = speak_to(f.listener->address());
        const int number = support::next_descriptor();
        f.accept_one();
        return option_of(number, level, name);
    };
    CHECK(accepted_option({.host = "127.0.0.1"}, IPPROTO_TCP, TCP_NODELAY) == 1);
    CHECK(accepted_option(with("tcp_nodelay", false), IPPROTO_TCP, TCP_NODELAY) == 0);
    CHECK(accepted_option(with("so_keepalive", true), SOL_SOCKET, SO_KEEPALIVE) == 1);
    CHECK(accepted_option(with("tcp_keepidle", 11), IPPROTO_TCP, TCP_KEEPIDLE) == 11);
    CHECK(accepted_option(with("so_rcvbuf", 20'000), SOL_SOCKET, SO_RCVBUF) == 40'000);
    CHECK(accepted_option({.descriptor = support::listen_on(Address::literal("127.0.0.1", 0)).release()}, IPPROTO_TCP, TCP_NODELAY) == 1);
}

TEST_CASE("listener: does not accept before it is told to, and leaves connections waiting when told not to") {
    Fixture f;
    f.listener->set_accepting(false);
    const Descriptor first = speak_to(f.listener->address());
    REQUIRE(first);
    support::run_ready(f.core);
    CHECK(f.accepted.empty());
    f.listener->set_accepting(true);
    f.accept_one();

    const auto idle = Listener::open(
        f.core, {.host = "127.0.0.1"}, [](auto) { FAIL("accepted"); }, [](const Error&) {});
    const Descriptor second = speak_to(idle->address());
    support::run_ready(f.core);
    CHECK_FALSE(is_dropped(second));
}

TEST_CASE("listener: takes so many at a time that others get their turn") {
    for (const std::size_t waiting : {63U, 64U, 65U}) {
        Fixture f;
        std::vector<Descriptor> clients;
        for (std::size_t i = 0; i < waiting; ++i) clients.push_back(speak_to(f.listener->address()));
        f.core.run_once(Seconds(1));
        CHECK(f.accepted.size() == std::min(waiting, std::size_t(64)));
        REQUIRE(support::run_until(f.core, [&] { return f.accepted.size() == waiting; }));
    }
}

TEST_CASE("listener: stops at once when told to while it accepts") {
    Fixture f;
    f.then = [&] { f.listener->set_accepting(false); };
    const Descriptor first = speak_to(f.listener->address()), second = speak_to(f.listener->address());
    f.accept_one();
    support::run_ready(f.core);
    CHECK(f.accepted.size() == 1);
}

TEST_CASE("listener: may be destroyed by what it calls") {
    Fixture f;
    const Address address = f.listener->address();
    f.then = [&] { f.listener.reset(); };
    const Descriptor first = speak_to(address), second = speak_to(address);
    f.accept_one();
    support::run_ready(f.core);
    CHECK(f.accepted.size() == 1);
    CHECK_FALSE(speak_to(address));
}

TEST_CASE("listener: an exception of what it calls leaves the others waiting, not lost") {
    Fixture f;
    f.then = [&] {
        f.then = nullptr;
        throw std::runtime_error("of the application");
    };
    const Descriptor first = speak_to(f.listener->address()), second = speak_to(f.listener->address());
    CHECK_THROWS_WITH(f.core.run_once(Seconds(1)), "of the application");
    CHECK(f.accepted.size() == 1);
    f.accept_one();
}

TEST_CASE("listener: after an exception that was caught on its way it takes no more in that turn") {
    Fixture f;
    f.then = [&] { f.core.guard([] { throw std::runtime_error("of the application"); }); };
    const Descriptor first = speak_to(f.listener->address()), second = speak_to(f.listener->address());
    CHECK_THROWS_WITH(f.core.run_once(Seconds(1)), "of the application");
    CHECK(f.accepted.size() == 1);
}

TEST_CASE("listener: a client that is gone before it is accepted is no failure") {
    Fixture f;
    Descriptor gone = speak_to(f.listener->address());
    const linger at_once{1, 0};
    REQUIRE(setsockopt(gone.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
    gone.reset();
    const Descriptor client = speak_to(f.listener->address());
    REQUIRE(support::run_until(
        f.core, [&] { return !f.accepted.empty() && f.accepted.back()->remote_name() == Address::local_of(client.get()).str(); }));
    CHECK(f.errors.empty());
}

TEST_CASE("listener: an error of one connection is no failure") {
    Fixture f;
    accept_failures = {EINTR, ECONNABORTED, EPROTO, EPERM, ETIMEDOUT, ENETDOWN, EHOSTUNREACH, ENETUNREACH, ENOPROTOOPT, EOPNOTSUPP};
    const Descriptor client = speak_to(f.listener->address());
    f.core.run_once(Seconds(1));
    CHECK(f.accepted.size() == 1);
    CHECK(f.errors.empty());
}

TEST_CASE("listener: errors of connections without end do not keep others from their turn") {
    Fixture f;
    accept_failures.assign(65, ECONNABORTED);
    const Descriptor client = speak_to(f.listener->address());
    f.core.run_once(Seconds(1));
    CHECK(accept_failures.size() == 1);
    f.accept_one();
}

TEST_CASE("listener: a failure is told once, and again after it was over") {
    Fixture f;
    for (std::size_t episode = 1; episode <= 2; ++episode) {
        accept_failures = {ENOBUFS, ENOMEM};
        const Descriptor client = speak_to(f.listener->address());
        f.accept_one();
        CHECK(accept_failures.empty());
        REQUIRE(f.errors.size() == episode);
    }
    CHECK(f.errors[0].what() == "cannot accept connections on " + f.listener->address().str() + ": No buffer space available");
    CHECK(f.errors[0].errc() == Errc::connection_failure);
    CHECK(f.errors[0].cause() == std::errc::no_buffer_space);
}

TEST_CASE("listener: accepting pauses after a failure") {
    Fixture f;
    accept_failures = {ENOBUFS};
    const Descriptor client = speak_to(f.listener->address());
    const auto began = std::chrono::steady_clock::now();
    f.accept_one();
    CHECK(f.errors.size() == 1);
    // Never earlier; how much later is the system's matter.
    CHECK(std::chrono::steady_clock::now() - began >= std::chrono::milliseconds(100));
}

TEST_CASE("listener: without a descriptor left it drops what waits, one in each pause") {
    Fixture f;
    const auto client = [&] { return speak_to(f.listener->address()); };
    {
        // A sanitizer needs descriptors for what it sees for the first time: it sees it all here.
        const Descriptor dropped = client(), kept = client();
        accept_failures = {EMFILE};
        REQUIRE(support::run_until(f.core, [&] { return is_dropped(dropped); }));
        f.accept_one();
    }
    const Descriptor dropped = client(), dropped_next = client(), kept = client();
    {
        const NoMoreDescriptors limit;
        const auto began = std::chrono::steady_clock::now();
        REQUIRE(support::run_until(f.core, [&] { return is_dropped(dropped); }));
        REQUIRE(support::run_until(f.core, [&] { return is_dropped(dropped_next); }));
        // Never earlier; how much later is the system's matter.
        CHECK(std::chrono::steady_clock::now() - began >= std::chrono::milliseconds(100));
    }
    CHECK_FALSE(is_dropped(kept));
    CHECK(f.accept_one().remote_name() == Address::local_of(kept.get()).str());
    REQUIRE(f.errors.size() == 2);
    CHECK(f.errors[1].what() ==
          "cannot accept connections on " + f.listener->address().str() + " (raise the limit of open files): Too many open files");
    CHECK(f.errors[1].cause() == std::errc::too_many_files_open);
}

TEST_CASE("listener: may be destroyed when it tells of a failure") {
    Fixture f;
    f.then = [&] { f.listener.reset(); };
    accept_failures = {EMFILE};
    const Descriptor client = speak_to(f.listener->address());
    REQUIRE(support::run_until(f.core, [&] { return !f.errors.empty(); }));
    support::run_ready(f.core);
    CHECK(f.errors.size() == 1);
}

TEST_CASE("listener: may be told to stop and to go on while it pauses") {
    Fixture f;
    accept_failures = {ENOMEM};
    const Descriptor client = speak_to(f.listener->address());
    REQUIRE(support::run_until(f.core, [&] { return !f.errors.empty(); }));
    f.listener->set_accepting(false);
    CHECK_FALSE(f.core.run_once(Seconds(0)));  // nothing is left to wait for
    f.listener->set_accepting(true);
    f.core.run_once(Seconds(1));
    CHECK(f.accepted.size() == 1);
}

TEST_CASE("listener: leaves nothing open") {
    Fixture f;
    f.listener.reset();
    const std::size_t before = support::open_descriptors();
    for (const char* host : {"", "localhost", "127.0.0.1"}) {
        Fixture other({.host = host});
        const Descriptor client = speak_to(Address::literal("127.0.0.1", other.port()));
        other.accept_one();
    }
    CHECK(support::open_descriptors() == before);
}
