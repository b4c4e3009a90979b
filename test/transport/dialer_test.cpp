#include "transport/dialer.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#include <optional>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/dns_server.hpp"
#include "support/run_until.hpp"
#include "support/sockets.hpp"

using namespace hawser;
using support::Blackhole;
using support::DnsServer;
using transport::Address;
using transport::Descriptor;
using transport::Dialer;
using transport::DialOptions;
using transport::IoResult;
using transport::Transport;

namespace {

struct Fixture {
    DialOptions to(const std::string& host, std::uint16_t port) {
        return {.host = host, .port = port, .timeout = Seconds(20), .resolver = {dns.str(), Seconds(20), 1}};
    }
    static DialOptions to(const Address& address) {
        std::string host = address.str();
        host.resize(host.rfind(':'));
        if (host.front() == '[') host = host.substr(1, host.size() - 2);
        return {.host = host, .port = address.port(), .timeout = Seconds(20)};
    }
    void start(const DialOptions& options) {
        dialer = Dialer::dial(core, options, [this](std::variant<std::unique_ptr<Transport>, Error> outcome) {
            ++calls;
            if (auto* connected = std::get_if<0>(&outcome)) transport = std::move(*connected);
            if (const auto* failed = std::get_if<1>(&outcome)) error = *failed;
        });
        REQUIRE(calls == 0);
    }
    void dial(const DialOptions& options) {
        start(options);
        REQUIRE(support::run_until(core, [&] { return calls > 0; }));
        support::run_ready(core);
        REQUIRE(calls == 1);
    }
    Transport& connected(const DialOptions& options) {
        dial(options);
        if (error) FAIL(error->what());
        return *transport;
    }
    std::string failure(const DialOptions& options) {
        dial(options);
        if (!error) return "connected";
        CHECK(error->errc() == Errc::client_failed);
        return error->what();
    }

    reactor::Core core{reactor::make_ev_loop()};
    DnsServer dns{core};
    int calls = 0;
    std::unique_ptr<Transport> transport;
    std::optional<Error> error;
    std::unique_ptr<Dialer> dialer;
};

Address listening(const Descriptor& socket) { return Address::local_of(socket.get()); }

// An address nobody listens on: on a host of its own, where no port is given to anybody.
Address refusing() { return listening(support::listen_on(Address::literal("127.84.73.61", 0))); }

// [::1] that does not answer, and 127.0.0.1 that does, on one port.
struct SlowFirst {
    Blackhole v6{Address::literal("::1", 0)};
    Descriptor v4;
};

std::unique_ptr<SlowFirst> slow_first() {
    while (true) {
        auto both = std::make_unique<SlowFirst>();
        try {
            both->v4 = support::listen_on(Address::literal("127.0.0.1", both->v6.address().port()));
            return both;
        } catch (const std::system_error& error) {
            if (error.code() != std::errc::address_in_use) throw;
        }
    }
}

}  // namespace

TEST_CASE("dialer: the families take turns, beginning with the first one's") {
    const auto order = [](std::initializer_list<const char*> hosts) {
        std::vector<Address> addresses;
        for (const char* host : hosts) addresses.push_back(Address::literal(host, 1));
        std::string out;
        for (const Address& address : transport::interleave(addresses)) out += address.str() + " ";
        return out;
    };
    CHECK(order({"::1", "::2", "::3", "1.1.1.1"}) == "[::1]:1 1.1.1.1:1 [::2]:1 [::3]:1 ");
    CHECK(order({"::1", "1.1.1.1", "2.2.2.2", "3.3.3.3"}) == "[::1]:1 1.1.1.1:1 2.2.2.2:1 3.3.3.3:1 ");
    CHECK(order({"1.1.1.1", "2.2.2.2", "::1", "::2"}) == "1.1.1.1:1 [::1]:1 2.2.2.2:1 [::2]:1 ");
    CHECK(order({"1.1.1.1"}) == "1.1.1.1:1 ");
    CHECK(order({}).empty());
}

TEST_CASE("dialer: connects to a literal, without a question") {
    for (const char* host : support::loopbacks()) {
        Fixture f;
        const Descriptor listener = support::listen_on(Address::literal(host, 0));
        Transport& transport = f.connected(f.to(host, listening(listener).port()));
        sockaddr_storage peer;
        socklen_t length = sizeof peer;
        const Descriptor accepted(support::check(accept(listener.get(), reinterpret_cast<sockaddr*>(&peer), &length), "accept"));
        CHECK(transport.remote_name() == listening(listener).str());
        CHECK(transport.name() == Address(reinterpret_cast<const sockaddr*>(&peer), length).str());
        char text[] = "hello";
        const iovec slice{text, 5};
        CHECK(transport.write({&slice, 1}).bytes == 5);
        CHECK(recv(accepted.get(), text, 5, MSG_WAITALL) == 5);
        CHECK(f.dns.questions() == 0);
    }
}

TEST_CASE("dialer: connects to a Unix socket") {
    const support::TemporaryDirectory directory;
    const Descriptor listener = support::listen_on(Address::unix_socket(directory.file("socket")));
    Fixture f;
    const Transport& transport = f.connected({.unix_path = directory.file("socket")});
    CHECK(transport.remote_name() == "unix:" + directory.file("socket"));
    CHECK(transport.name() == "unix:");
}

TEST_CASE("dialer: connects by name") {
    Fixture f;
    const Descriptor listener = support::listen_on(Address::literal("127.0.0.1", 0));
    f.dns["host.test"] = {DnsServer::Answer::addresses, {"127.0.0.1"}, {}};
    SECTION("of the name server") {
        CHECK(f.connected(f.to("host.test", listening(listener).port())).remote_name() == listening(listener).str());
    }
    SECTION("of this host") {
        CHECK(f.connected(f.to("localhost", listening(listener).port())).remote_name() == listening(listener).str());
    }
}

TEST_CASE("dialer: connecting begins with the family that the name server answers for") {
    Fixture f;
    const Descriptor listener = support::listen_on(Address::literal("127.0.0.1", 0));
    f.dns["host.test"] = {DnsServer::Answer::addresses, {"127.0.0.1"}, {}, DnsServer::Answer::none};
    DialOptions options = f.to("host.test", listening(listener).port());
    options.timeout = options.resolver.timeout = Seconds(1000);
    CHECK(f.connected(options).remote_name() == listening(listener).str());
}

TEST_CASE("dialer: addresses that are told later are tried when the first ones fail") {
    Fixture f;
    const std::uint16_t port = refusing().port();
    f.dns["host.test"] = {DnsServer::Answer::addresses, {"127.84.73.61"}, {"::1"}, DnsServer::Answer::none};
    DialOptions options = f.to("host.test", port);
    options.resolver.timeout = Seconds(0.1);
    const std::string first = "cannot connect to host.test:" + std::to_string(port) + ": 127.84.73.61:" + std::to_string(port);
    SECTION("there are some") {
        options.resolver.tries = 5;
        f.start(options);
        REQUIRE(support::run_until(f.core, [&] { return f.dns.questions() == 2; }));
        f.dns["host.test"].to_v6.reset();
        REQUIRE(support::run_until(f.core, [&] { return f.calls > 0; }));
        REQUIRE(f.error);
        CHECK(std::string(f.error->what()).find("[::1]:" + std::to_string(port)) != std::string::npos);
        CHECK(std::string(f.error->what()).find("127.84.73.61:") != std::string::npos);
    }
    SECTION("none is told") {
        CHECK(f.failure(options).starts_with(first + ": Connection refused; the AAAA query had no answer ("));
        CHECK(f.error->cause() == std::errc::connection_refused);
    }
    SECTION("none is told in time") {
        options.resolver.timeout = Seconds(1000);
        options.resolver.latest_answer = Seconds(0.01);
        CHECK(f.failure(options) == first + ": Connection refused; the AAAA query had no answer");
    }
    SECTION("there are none") {
        f.dns["host.test"] = {DnsServer::Answer::addresses, {"127.84.73.61"}, {}};
        CHECK(f.failure(options) == first + ": Connection refused");
    }
    SECTION("none of IPv4 is told") {
        f.dns["host.test"] = {DnsServer::Answer::none, {}, {"::1"}, DnsServer::Answer::addresses};
        const std::string text = f.failure(options);
        CHECK(text.find("[::1]:" + std::to_string(port) + ": ") != std::string::npos);
        CHECK(text.find("; the A query had no answer (") != std::string::npos);
    }
}

TEST_CASE("dialer: an address whose zone is no interface says so") {
    Fixture f;
    CHECK(f.failure(f.to("fe80::1%nope", 80)) == R"(cannot resolve "fe80::1%nope": this host has no interface "nope")");
    CHECK(f.dns.questions() == 0);
}

TEST_CASE("dialer: a refusal names the address and the reason") {
    Fixture f;
    const Address address = refusing();
    CHECK(f.failure(f.to(address)) == "cannot connect to " + address.str() + ": Connection refused");
    CHECK(f.error->cause() == std::errc::connection_refused);
}

TEST_CASE("dialer: a refusal that comes late is one, too") {
    Fixture f;
    std::optional<Blackhole> slow(Address::literal("127.84.73.61", 0));
    const Address address = slow->address();
    DialOptions options = f.to(address);
    options.timeout = Seconds(1000);  // not what ends it
    f.start(options);
    slow.reset();  // the next try meets nobody
    REQUIRE(support::run_until(f.core, [&] { return f.calls > 0; }));
    REQUIRE(f.error);
    CHECK(f.error->what() == "cannot connect to " + address.str() + ": Connection refused");
}

TEST_CASE("dialer: each address that was tried is named") {
    Fixture f;
    f.dns["host.test"] = {DnsServer::Answer::addresses, {"127.84.73.61", "127.84.73.62"}, {}};
    const std::uint16_t port = refusing().port();
    const std::string text = f.failure(f.to("host.test", port));
    const std::string end = ":" + std::to_string(port), refused = end + ": Connection refused";
    const std::string first = "127.84.73.61" + refused, second = "127.84.73.62" + refused,
                      start = "cannot connect to host.test" + end + ": ";
    CHECK((text == start + first + "; " + second || text == start + second + "; " + first));
}

TEST_CASE("dialer: after a failure the next address is tried") {
    Fixture f;
    const Descriptor listener = support::listen_on(Address::literal("127.84.73.61", 0));
    f.dns["host.test"] = {DnsServer::Answer::addresses, {"127.84.73.62", "127.84.73.61"}, {"::1"}};
    CHECK(f.connected(f.to("host.test", listening(listener).port())).remote_name() == listening(listener).str());
}

TEST_CASE("dialer: a silent address does not hold up the next") {
    if (!support::has_ipv6()) return;
    Fixture f;
    const auto host = slow_first();
    const std::size_t before = support::open_descriptors();
    SECTION("of a name") {
        f.dns["host.test"] = {DnsServer::Answer::addresses, {"127.0.0.1"}, {"::1"}};
        f.connected(f.to("host.test", listening(host->v4).port()));
    }
    SECTION("of this host") { f.connected(f.to("localhost", listening(host->v4).port())); }
    CHECK(f.transport->remote_name() == listening(host->v4).str());
    CHECK(support::open_descriptors() == before + 1);  // the loser is closed
}

TEST_CASE("dialer: the second address waits for its turn") {
    if (!support::has_ipv6()) return;
    Fixture f;
    const auto host = slow_first();
    const auto began = std::chrono::steady_clock::now();
    f.connected(f.to("localhost", listening(host->v4).port()));
    // Never earlier (RFC 8305, section 5); how much later is the system's matter.
    CHECK(std::chrono::steady_clock::now() - began >= std::chrono::milliseconds(250));
}

TEST_CASE("dialer: an address that answers late wins if the others fail") {
    if (!support::has_ipv6()) return;
    Fixture f;
    auto host = slow_first();
    const std::uint16_t port = listening(host->v4).port();
    host->v4.reset();  // refuses from now on
    f.start(f.to("localhost", port));
    Descriptor accepted;
    f.core.start_timer(Seconds(0.3), Seconds(0), [&] { accepted = host->v6.accept_another(); });
    REQUIRE(support::run_until(f.core, [&] { return f.calls > 0; }));
    REQUIRE(f.transport);
    CHECK(f.transport->remote_name() == host->v6.address().str());
}

TEST_CASE("dialer: silence ends with the timeout") {
    Fixture f;
    const Blackhole silent(Address::literal("127.0.0.1", 0));
    DialOptions options = f.to(silent.address());
    options.timeout = Seconds(0.05);
    CHECK(f.failure(options) == "cannot connect to " + silent.address().str() + ": no answer to TCP within 0.05 s");
}

TEST_CASE("dialer: at the timeout refusals and silence are told apart") {
    if (!support::has_ipv6()) return;
    Fixture f;
    const Blackhole silent(Address::literal("127.0.0.1", 0));
    DialOptions options = f.to("localhost", silent.address().port());
    options.timeout = Seconds(0.05);
    const std::string end = ":" + std::to_string(options.port);
    CHECK(f.failure(options) == "cannot connect to localhost" + end + ": [::1]" + end + ": Connection refused; 127.0.0.1" + end +
                                    ": no answer to TCP within 0.05 s");
}

TEST_CASE("dialer: an answer that came in time counts, however late the loop runs") {
    Fixture f;
    const Blackhole slow(Address::literal("127.0.0.1", 0));
    DialOptions options = f.to(slow.address());
    options.timeout = Seconds(0.05);
    f.start(options);
    const Descriptor accepted = slow.accept_another();
    REQUIRE(support::run_until(f.core, [&] { return f.calls > 0; }));
    CHECK(f.transport);
}

TEST_CASE("dialer: a timeout of zero takes what comes at once, and nothing else") {
    Fixture f;
    const support::TemporaryDirectory directory;
    const Descriptor listener = support::listen_on(Address::unix_socket(directory.file("socket")));
    const Blackhole silent(Address::literal("127.0.0.1", 0));
    f.dns["host.test"] = {DnsServer::Answer::addresses, {"127.0.0.1"}, {}};
    const auto at_once = [](DialOptions options) { return options.timeout = Seconds(0), options; };
    SECTION("what needs no wait") { f.connected(at_once({.unix_path = directory.file("socket")})); }
    SECTION("nobody answers") {
        CHECK(f.failure(at_once(f.to(silent.address()))) ==
              "cannot connect to " + silent.address().str() + ": no answer to TCP within 0 s");
    }
    SECTION("a name") { CHECK(f.failure(at_once(f.to("host.test", 80))) == "cannot resolve \"host.test\": no answer from DNS within 0 s"); }
}

TEST_CASE("dialer: a name that cannot be resolved is named") {
    Fixture f;
    SECTION("there is none") { CHECK(f.failure(f.to("nowhere.test", 80)) == "cannot resolve \"nowhere.test\": Domain name not found"); }
    SECTION("nobody tells") {
        f.dns["silent.test"].answer = DnsServer::Answer::none;
        DialOptions options = f.to("silent.test", 80);
        options.timeout = Seconds(0.05);
        CHECK(f.failure(options) == "cannot resolve \"silent.test\": no answer from DNS within 0.05 s");
    }
    SECTION("it is empty") { CHECK(f.failure(f.to("", 80)) == "cannot resolve \"\": Misformatted domain name"); }
}

TEST_CASE("dialer: a Unix socket that cannot be is named") {
    const support::TemporaryDirectory directory;
    const std::string long_path(sizeof(sockaddr_un::sun_path), 'a'), path = directory.file("socket");
    CHECK(Fixture().failure({.unix_path = path}) == "cannot connect to unix:" + path + ": No such file or directory");
    CHECK(Fixture().failure({.unix_path = long_path}) ==
          "cannot connect to unix:" + long_path + ": the path of a socket has at most 107 bytes: File name too long");
    support::listen_on(Address::unix_socket(path)).reset();
    CHECK(Fixture().failure({.unix_path = path}) == "cannot connect to unix:" + path + ": Connection refused");
}

TEST_CASE("dialer: bindto is where it connects from") {
    Fixture f;
    const Descriptor listener = support::listen_on(Address::literal("127.0.0.1", 0));
    DialOptions options = f.to(listening(listener));
    SECTION("an address of the same family") {
        options.context.set_option("socket", "bindto", std::string("127.0.0.2:0"));
        CHECK(f.connected(options).name().rfind("127.0.0.2:", 0) == 0);
    }
    SECTION("of the other") {
        options.context.set_option("socket", "bindto", std::string("[::1]:0"));
        CHECK(f.failure(options) ==
              "cannot connect to " + listening(listener).str() + ": bindto [::1]:0: Address family not supported by protocol");
    }
    SECTION("of the other, where there is a choice") {
        options.host = "localhost";
        options.context.set_option("socket", "bindto", std::string("127.0.0.1:0"));
        CHECK(f.connected(options).remote_name() == listening(listener).str());
    }
}

TEST_CASE("dialer: the context's options hold for the connection") {
    Fixture f;
    const Descriptor listener = support::listen_on(Address::literal("127.0.0.1", 0));
    DialOptions options = f.to(listening(listener));
    const auto nodelay = [&] {
        const int number = support::next_descriptor();
        f.connected(options);
        int value = -1;
        socklen_t length = sizeof value;
        support::check(getsockopt(number, IPPROTO_TCP, TCP_NODELAY, &value, &length), "getsockopt");
        CHECK((fcntl(number, F_GETFL) & O_NONBLOCK) != 0);
        CHECK((fcntl(number, F_GETFD) & FD_CLOEXEC) != 0);
        return value;
    };
    SECTION("by default") { CHECK(nodelay() == 1); }
    SECTION("otherwise") {
        options.context.set_option("socket", "tcp_nodelay", false);
        CHECK(nodelay() == 0);
    }
}

TEST_CASE("dialer: a connection with itself is a refusal") {
    Fixture f;
    const Address address = refusing();
    DialOptions options = f.to(address);
    options.context.set_option("socket", "bindto", address.str());
    CHECK(f.failure(options) == "cannot connect to " + address.str() + ": Connection refused");
}

TEST_CASE("dialer: destroying it cancels, whatever it is at") {
    Fixture f;
    const Blackhole silent(Address::literal("127.0.0.1", 0));
    const Descriptor listener = support::listen_on(Address::literal("127.0.0.1", 0));
    f.dns["silent.test"].answer = DnsServer::Answer::none;
    const std::size_t before = support::open_descriptors();
    SECTION("resolving") {
        f.start(f.to("silent.test", 80));
        REQUIRE(support::run_until(f.core, [&] { return f.dns.questions() > 0; }));
    }
    SECTION("connecting") {
        f.start(f.to(silent.address()));
        support::run_ready(f.core);
    }
    SECTION("about to tell of a success") { f.start(f.to(listening(listener))); }
    SECTION("about to tell of a failure") { f.start({.unix_path = "/no-such-directory/socket"}); }
    f.dialer.reset();
    CHECK(support::open_descriptors() == before);
    support::run_ready(f.core);
    CHECK(f.calls == 0);
    // Whoever is given the same number meets nothing of it.
    const Descriptor next = support::connect_to(listening(listener));
    bool is_writable = false;
    f.core.attach(next.get(), Readiness::writable, [&](Readiness) { is_writable = f.core.detach(next.get()); });
    REQUIRE(support::run_until(f.core, [&] { return is_writable; }));
}

TEST_CASE("dialer: may be destroyed by what it calls") {
    Fixture f;
    const Descriptor listener = support::listen_on(Address::literal("127.0.0.1", 0));
    f.dns["host.test"] = {DnsServer::Answer::addresses, {"127.0.0.1"}, {}};
    const std::size_t before = support::open_descriptors();
    for (const std::string host : {"127.0.0.1", "host.test", "nowhere.test", ""}) {
        bool is_done = false;
        f.dialer = Dialer::dial(f.core, f.to(host, listening(listener).port()), [&](auto) { f.dialer.reset(), is_done = true; });
        REQUIRE(support::run_until(f.core, [&] { return is_done; }));
    }
    CHECK(support::open_descriptors() == before);
}
