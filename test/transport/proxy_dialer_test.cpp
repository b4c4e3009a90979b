#include "transport/proxy_dialer.hpp"

#include <optional>

#include "support/loopback.hpp"

using namespace support;
using transport::Dialer;
using transport::DialOptions;
using transport::IoResult;
using transport::Transport;

namespace {

/// A client on its way to target.example:80, and a proxy that the test plays.
struct Fixture {
    explicit Fixture(const std::string& scheme = "http", Seconds timeout = Seconds(20)) {
        options.host = "target.example";
        options.port = 80;
        options.timeout = timeout;
        options.proxy = parse_proxy(scheme + "://" + where);
    }
    void dial() {
        dialer = Dialer::dial(core, options, [this](std::variant<std::unique_ptr<Transport>, Error> outcome) {
            ++calls;
            dialer.reset();  // as those who dial do
            if (auto* connected = std::get_if<0>(&outcome)) transport = std::move(*connected);
            if (const auto* failed = std::get_if<1>(&outcome)) error = *failed;
        });
        REQUIRE(calls == 0);
    }
    RawPeer accept() {
        dial();
        return RawPeer(core, Descriptor(check(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept")));
    }
    void until_done() {
        REQUIRE(run_until(core, [&] { return calls > 0; }));
        run_ready(core);
        REQUIRE(calls == 1);
    }
    std::string failure() {
        until_done();
        REQUIRE(error);
        CHECK(error->errc() == Errc::client_failed);
        return error->what();
    }
    std::string sentence(const std::string& end) const {
        return R"(cannot connect to target.example:80 through a proxy (http option "proxy"): )" + end;
    }

    reactor::Core core{reactor::make_ev_loop()};
    Descriptor listening = listen_on(Address::literal("127.0.0.1", 0));
    std::string where = Address::local_of(listening.get()).str();
    DialOptions options;
    int calls = 0;
    std::unique_ptr<Transport> transport;
    std::optional<Error> error;
    std::unique_ptr<Dialer> dialer;
};

}  // namespace

TEST_CASE("proxy dialer: what the proxy consents to is a connection like any other") {
    Fixture f;
    RawPeer proxy = f.accept();
    CHECK(proxy.receive("\r\n\r\n").starts_with("CONNECT target.example:80 HTTP/1.1\r\n"));
    proxy.send("HTTP/1.1 200 ");
    run_ready(f.core);
    CHECK(f.calls == 0);
    proxy.send("OK\r\n\r\n");
    f.until_done();
    REQUIRE(f.transport);
    CHECK(f.transport->remote_name() == f.where);
    proxy.send("hello");
    std::array<char, 10> room;
    IoResult result;
    REQUIRE(run_until(f.core, [&] { return (result = f.transport->read(room)).status != IoResult::Status::would_block; }));
    CHECK(std::string(room.data(), result.bytes) == "hello");
}

TEST_CASE("proxy dialer: SOCKS 5 takes several turns") {
    Fixture f("socks5");
    RawPeer proxy = f.accept();
    proxy.receive(std::string("\5\1\0", 3));
    proxy.send(std::string("\5\0", 2));
    proxy.receive(std::string("\0\x50", 2));
    proxy.send(std::string("\5\0\0\1\0\0\0\0\0\0", 10));
    f.until_done();
    CHECK(f.transport);
}

TEST_CASE("proxy dialer: a failure names target, proxy and reason") {
    Fixture f;
    const std::string proxy_name = "the proxy " + f.where + " ";
    SECTION("an answer that is no consent") {
        RawPeer proxy = f.accept();
        proxy.send("HTTP/1.1 403 Forbidden\r\n\r\n");
        CHECK(f.failure() == f.sentence(proxy_name + R"(answered "403 Forbidden")"));
    }
    SECTION("an end") {
        RawPeer proxy = f.accept();
        proxy.send("HTTP/1.1 200 OK\r\n");
        proxy.finish();
        CHECK(f.failure() == f.sentence(proxy_name + "closed the connection"));
    }
    SECTION("a reset") {
        RawPeer proxy = f.accept();
        proxy.receive("\r\n\r\n");
        proxy.reset();
        CHECK(f.failure() == f.sentence(proxy_name + "failed: Connection reset by peer"));
        CHECK(f.error->cause() == std::errc::connection_reset);
    }
    SECTION("nobody listens") {
        f.listening.reset();
        f.dial();
        CHECK(f.failure() == f.sentence("cannot connect to " + f.where + ": Connection refused"));
        CHECK(f.error->cause() == std::errc::connection_refused);
    }
}

TEST_CASE("proxy dialer: a silent proxy ends with the timeout") {
    Fixture f("http", Seconds(0.05));
    RawPeer proxy = f.accept();
    proxy.send("HTTP/1.1 200 OK\r\n");
    CHECK(f.failure() == f.sentence("the proxy " + f.where + " gave no answer within 0.05 s"));
}

TEST_CASE("proxy dialer: destroying it cancels, whatever it is at") {
    Fixture f;
    const std::size_t before = open_descriptors();
    SECTION("connecting") { f.dial(); }
    SECTION("waiting for the answer") {
        RawPeer proxy = f.accept();
        proxy.receive("\r\n\r\n");
        f.dialer.reset();
        proxy.receive();
        CHECK(proxy.ended);
    }
    f.dialer.reset();
    run_ready(f.core);
    CHECK(f.calls == 0);
    CHECK(open_descriptors() == before);
}
