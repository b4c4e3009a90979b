#include "support/loopback.hpp"
#include "support/sim_world.hpp"

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
    // A loop that the machine kept away for longer than the peer had for its pong pings anew.
    CHECK(peer.receive().starts_with(std::string("\x89\x00", 2)));
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
    CHECK_THROWS_AS(PingInterval(Seconds(1e300)), Error);
}

TEST_CASE("ping interval: a dead peer is found in interval and pong timeout, to the instant") {
    SimWorld world;
    world.server->add_middleware(std::make_shared<PingInterval>(Seconds(20), Seconds(5)));
    SimPeer peer = world.open_client();
    world.pass(Seconds(7));
    peer.text("heard at 7");
    world.pass(Seconds(19.999));
    CHECK(peer.lines().empty());
    world.pass(Seconds(0.002));
    CHECK(peer.lines() == std::vector<std::string>{"ping"});
    world.pass(Seconds(4.998));
    CHECK(world.at_server.take() == std::vector<std::string>{"handshake", "text heard at 7"});
    world.pass(Seconds(0.002));
    CHECK(world.at_server.take() == std::vector<std::string>{"error ping_timeout", "disconnect 1006"});
    CHECK(world.at_server.ending()->error->errc() == Errc::ping_timeout);
}

TEST_CASE("ping interval: without an interval it is the connection's timeout") {
    SimWorld world({.timeout = Seconds(30)});
    world.server->add_middleware(std::make_shared<PingInterval>());
    SimPeer peer = world.open_client();
    world.pass(Seconds(29.999));
    CHECK(peer.lines().empty());
    world.pass(Seconds(0.002));
    CHECK(peer.lines() == std::vector<std::string>{"ping"});
}

TEST_CASE("ping interval: a pong that came before a callback which took too long still counts") {
    // The seed says whether the deadline or the socket is served first.
    SimWorld world({}, {}, GENERATE(range(1u, 9u)));
    world.server->add_middleware(std::make_shared<PingInterval>(Seconds(20), Seconds(5)));
    SimPeer peer = world.open_client();
    world.pass(Seconds(20.001));
    peer.send({Opcode::pong, ""});
    world.loop.advance(Seconds(6));
    world.settle();
    CHECK(world.at_server.take() == std::vector<std::string>{"handshake", "pong"});
}

TEST_CASE("ping interval: silence is not the peer's while nobody reads, nor can it be asked when writing is closed") {
    SimWorld world({.timeout = Seconds(1e6)});
    world.server->add_middleware(std::make_shared<PingInterval>(Seconds(20), Seconds(5)));
    SimPeer peer = world.open_client();
    world.at_server.take();
    SECTION("paused, with a ping on its way or not") {
        world.pass(Seconds(GENERATE(1.0, 21.0)));
        world.newest()->pause();
        peer.send({Opcode::pong, ""});
        world.pass(Seconds(1000));
        CHECK(world.newest()->is_connected());
        world.newest()->resume();
        world.pass(Seconds(10));
        CHECK(world.at_server.take() == std::vector<std::string>{"pong"});
        world.pass(Seconds(30));
        CHECK(world.at_server.has("error ping_timeout"));
    }
    SECTION("half-closed") {
        world.newest()->close_write();
        world.pass(Seconds(1000));
        CHECK(world.at_server.lines().empty());
        CHECK(world.newest()->is_readable());
    }
}

TEST_CASE("ping interval: an endpoint that has stopped waits for no pong") {
    SimWorld world({}, {.timeout = Seconds(1e6)});
    world.client->add_middleware(std::make_shared<PingInterval>(Seconds(20), Seconds(5)));
    SimPeer peer = world.open_server();
    world.at_client.take();
    world.pass(Seconds(21));
    world.client->stop();
    peer.send({Opcode::pong, ""});
    world.pass(Seconds(1000));
    CHECK(world.at_client.lines().empty());
    world.client->start();
    world.pass(Seconds(10));
    CHECK(world.at_client.take() == std::vector<std::string>{"pong"});
}

TEST_CASE("ping interval: it leaves nothing to wait for behind the connection's end") {
    Loopback loop;
    loop.server.start();
    Client client(loop.reactor, loop.uri());
    client.add_middleware(std::make_shared<PingInterval>(Seconds(1000), Seconds(1000)));
    client.on_handshake([&](Connection&, const Request&, const Response&) {
        client.close();
        loop.server.shutdown();
    });
    client.connect();
    loop.reactor.run();  // until nothing is left
    CHECK(client.connection());
}

TEST_CASE("ping interval: one object watches the connections of several endpoints, each by itself") {
    SimWorld world;
    const auto shared = std::make_shared<PingInterval>(Seconds(20), Seconds(5));
    world.server->add_middleware(shared);
    world.client->add_middleware(shared);
    SimPeer first = world.open_client();
    world.pass(Seconds(10));
    SimPeer second = world.open_client();
    SimPeer third = world.open_server();
    world.pass(Seconds(10.001));
    CHECK(first.lines() == std::vector<std::string>{"ping"});
    CHECK(second.lines().empty());
    world.pass(Seconds(5));
    CHECK(world.at_server.count("error ping_timeout") == 1);
    world.pass(Seconds(5));
    CHECK(second.lines() == std::vector<std::string>{"ping"});
    CHECK(third.lines() == std::vector<std::string>{"ping"});
    second.send({Opcode::pong, ""});
    world.pass(Seconds(5));
    CHECK(world.at_server.count("error ping_timeout") == 1);
    CHECK(world.at_client.count("error ping_timeout") == 1);
}

TEST_CASE("ping interval: added to a connection that is open, or to its endpoint, it watches from its first tick on") {
    SimWorld world({}, {.timeout = Seconds(1e6)});
    SimPeer peer = world.open_server();
    world.client->start();
    world.pass(Seconds(100));
    world.at_client.take();
    const auto watching = std::make_shared<PingInterval>(Seconds(20), Seconds(5));
    if (GENERATE(true, false))
        world.client->connection()->add_middleware(watching);
    else
        world.client->add_middleware(watching);
    world.pass(Seconds(20.5));
    CHECK(peer.lines().empty());
    world.pass(Seconds(1));
    CHECK(peer.lines() == std::vector<std::string>{"ping"});
    world.pass(Seconds(5));
    CHECK(world.at_client.take() == std::vector<std::string>{"error ping_timeout", "disconnect 1006"});
}

TEST_CASE("ping interval: two of them on a connection each keep their own time") {
    SimWorld world({.timeout = Seconds(1e6)});
    world.server->add_middleware(std::make_shared<PingInterval>(Seconds(100), Seconds(100)));
    world.server->add_middleware(std::make_shared<PingInterval>(Seconds(20), Seconds(5)));
    SimPeer peer = world.open_client();
    world.pass(Seconds(19.9));
    CHECK(peer.lines().empty());
    world.pass(Seconds(0.2));
    CHECK(peer.lines() == std::vector<std::string>{"ping"});
    world.pass(Seconds(5));
    CHECK(world.at_server.count("error ping_timeout") == 1);
}

TEST_CASE("ping interval: taken out and added again, it does not wait for a pong that it could not see") {
    SimWorld world({}, {.timeout = Seconds(1e6)});
    const auto watching = std::make_shared<PingInterval>(Seconds(20), Seconds(5));
    world.client->add_middleware(watching);
    SimPeer peer = world.open_server();
    world.client->start();
    world.pass(Seconds(21));
    CHECK(peer.lines() == std::vector<std::string>{"ping"});
    world.client->remove_middleware(*watching);
    peer.send({Opcode::pong, ""});
    world.pass(Seconds(1000));
    world.at_client.take();
    world.client->add_middleware(watching);
    world.pass(Seconds(6));
    CHECK(world.at_client.lines().empty());
    world.pass(Seconds(25));
    CHECK(world.at_client.has("error ping_timeout"));
}

TEST_CASE("ping interval: a peer in the middle of one slow frame is heard, and found dead once it stops") {
    SimWorld world;
    world.server->add_middleware(std::make_shared<PingInterval>(Seconds(20), Seconds(5)));
    SimPeer peer = world.open_client();
    world.at_server.take();
    const std::string bytes = peer.encode({Opcode::binary, std::string(GENERATE(200u, 100'000u), 'x')}, 1 << 20);
    const std::size_t piece = bytes.size() / 40;
    std::size_t sent = 0;
    // One piece in the last moment of each wait.
    for (; sent + piece < bytes.size(); sent += piece) {
        peer.send(bytes.substr(sent, piece));
        world.pass(Seconds(4.9));
    }
    CHECK(world.newest()->is_connected());
    const bool completes = GENERATE(true, false);
    if (completes) {
        peer.send(bytes.substr(sent));
        world.settle();
        CHECK(world.at_server.count("binary") == 1);
    }
    world.pass(Seconds(25.1));
    CHECK(world.at_server.lines().back() == "disconnect 1006");
    CHECK(world.at_server.count("error ping_timeout") == 1);
    CHECK(world.at_server.ending()->error->cause() == std::errc::timed_out);
}
