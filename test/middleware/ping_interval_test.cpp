#include "support/loopback.hpp"

using namespace support;

TEST_CASE("ping interval: a silent peer is pinged, one that answers stays") {
    Loopback loop;
    int pongs = 0;
    loop.server.add_middleware(std::make_shared<PingInterval>(Seconds(0.005))).on_pong([&](Connection&, MessageView) { ++pongs; }).start();
    Client client(loop.reactor, loop.uri());
    int pings = 0;
    client.on_ping([&](Connection&, MessageView) { ++pings; });
    client.connect();
    loop.until([&] { return pongs == 3; });
    CHECK(pings >= 3);
    CHECK(client.is_connected());
    CHECK(loop.errors.empty());
}

TEST_CASE("ping interval: a dead peer is found, reported as such, and disconnected") {
    Loopback loop;
    loop.server.add_middleware(std::make_shared<PingInterval>(Seconds(0.005), Seconds(0.005))).start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
    CHECK(peer.receive() == std::string("\x89\x00", 2));
    loop.until([&] { return loop.endings.size() == 1; });
    REQUIRE(loop.errors.size() == 1);
    CHECK(loop.errors[0].errc() == Errc::ping_timeout);
    CHECK(loop.errors[0].level() == ErrorLevel::connection);
    CHECK(loop.endings[0].error->errc() == Errc::ping_timeout);
    CHECK_FALSE(loop.endings[0].clean);
}

TEST_CASE("ping interval: a client watches its server likewise") {
    Loopback loop;
    loop.server.remove_ping_responder();
    loop.server.start();
    Client client(loop.reactor, loop.uri());
    client.add_middleware(std::make_shared<PingInterval>(Seconds(0.005), Seconds(0.005)));
    std::optional<Error> failure;
    client.on_error([&](Connection*, const Error& error) { failure = error; });
    client.connect();
    loop.until([&] { return failure.has_value(); });
    CHECK(failure->errc() == Errc::ping_timeout);
}

TEST_CASE("ping interval: one object watches many connections, each by itself") {
    Loopback loop;
    loop.server.add_middleware(std::make_shared<PingInterval>(Seconds(0.005), Seconds(0.1))).start();
    RawPeer dead(loop.reactor.core(), loop.dial());
    dead.shake_hands();
    Client alive(loop.reactor, loop.uri());
    alive.connect();
    dead.receive();
    loop.until([&] { return loop.endings.size() == 1; });
    CHECK(alive.is_connected());
    CHECK(loop.server.connection_count() == 1);
}

TEST_CASE("ping interval: times that cannot be are refused") {
    CHECK_THROWS_AS(PingInterval(Seconds(0)), Error);
    CHECK_THROWS_AS(PingInterval(Seconds(1), Seconds(0)), Error);
    CHECK_THROWS_AS(PingInterval(Seconds(-1)), Error);
}
