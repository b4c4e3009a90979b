#include "support/loopback.hpp"
#include "support/sim_world.hpp"

using namespace support;

TEST_CASE("rate limit: within the burst messages pass, beyond it reading pauses and nothing is lost") {
    Loopback loop;
    std::vector<std::string> seen;
    bool paused = false;
    loop.server.add_middleware(std::make_shared<RateLimit>(RateLimits{.messages_per_second = 200, .burst = Seconds(0.01)}))
        .on_text([&](Connection& connection, MessageView m) {
            seen.emplace_back(m.content);
            paused = paused || connection.is_paused();
        })
        .start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
    std::string bytes;
    for (int i = 0; i < 10; ++i) bytes += RawPeer::frame(0x81, std::to_string(i));
    peer.send(bytes + RawPeer::frame(0x88, ""));
    peer.receive();
    CHECK(seen == std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
    CHECK(paused);
}

TEST_CASE("rate limit: bytes are bounded as messages are") {
    Loopback loop;
    std::size_t seen = 0;
    bool paused = false;
    loop.server.add_middleware(std::make_shared<RateLimit>(RateLimits{.bytes_per_second = 10'000, .burst = Seconds(0.01)}))
        .on_binary([&](Connection& connection, MessageView m) {
            seen += m.length();
            if (seen <= 100) CHECK_FALSE(connection.is_paused());
            paused = paused || connection.is_paused();
        })
        .start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
    peer.send(RawPeer::frame(0x82, std::string(100, 'a')) + RawPeer::frame(0x82, std::string(100, 'b')) + RawPeer::frame(0x88, ""));
    peer.receive();
    CHECK(seen == 200);
    CHECK(paused);
}

TEST_CASE("rate limit: it may close with 1008 instead") {
    Loopback loop;
    int seen = 0;
    loop.server
        .add_middleware(std::make_shared<RateLimit>(
            RateLimits{.messages_per_second = 0.001, .burst = Seconds(3000), .policy = RateLimits::Policy::close}))
        .on_text([&](Connection&, MessageView) { ++seen; })
        .start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
    for (int i = 0; i < 3; ++i) peer.send(RawPeer::frame(0x81, "x"));
    peer.send(RawPeer::frame(0x89, "control frames are free"));
    peer.receive("free");
    CHECK(seen == 3);
    peer.received.clear();
    peer.send(RawPeer::frame(0x81, "one too many") + RawPeer::frame(0x88, "\x03\xF0"));
    CHECK(peer.receive() == "\x88\x13\x03\xF0too many messages");
    CHECK(seen == 3);
}

TEST_CASE("rate limit: negative rates are refused") {
    CHECK_THROWS_AS(RateLimit({.messages_per_second = -1}), Error);
    CHECK_THROWS_AS(RateLimit({.bytes_per_second = -1}), Error);
    CHECK_THROWS_AS(RateLimit({.burst = Seconds(-1)}), Error);
}

TEST_CASE("rate limit: reading goes on when the rate is met again, to the instant, or when the application says so") {
    SimWorld world({.timeout = Seconds(1e6)});
    world.server->add_middleware(std::make_shared<RateLimit>(RateLimits{.messages_per_second = 0.1, .burst = Seconds(10)}));
    SimPeer peer = world.open_client();
    world.at_server.take();
    for (const char* content : {"1", "2", "3", "4"}) peer.text(content);
    world.settle();
    CHECK(world.at_server.take() == std::vector<std::string>{"text 1", "text 2"});
    CHECK(world.newest()->is_paused());
    world.pass(Seconds(9.999));
    CHECK(world.at_server.lines().empty());
    world.pass(Seconds(0.002));
    CHECK(world.at_server.take() == std::vector<std::string>{"text 3"});
    world.newest()->resume();
    world.settle();
    CHECK(world.at_server.take() == std::vector<std::string>{"text 4"});
}

TEST_CASE("rate limit: one object bounds the connections of several endpoints, each by itself") {
    SimWorld world({.timeout = Seconds(1e6)}, {.timeout = Seconds(1e6)});
    const auto shared = std::make_shared<RateLimit>(RateLimits{.messages_per_second = 0.1, .burst = Seconds(10)});
    world.server->add_middleware(shared);
    world.client->add_middleware(shared);
    SimPeer first = world.open_client();
    const ConnectionPtr paused = world.newest();
    SimPeer second = world.open_client();
    SimPeer third = world.open_server();
    for (const char* content : {"1", "2"}) first.text(content);
    for (SimPeer* peer : {&second, &third}) peer->text("1");
    world.settle();
    CHECK(paused->is_paused());
    CHECK_FALSE(world.newest()->is_paused());
    CHECK_FALSE(world.client->connection()->is_paused());
    CHECK(world.at_server.count("text") == 3);
    CHECK(world.at_client.count("text") == 1);
    world.kept = 1;
    world.end();
}

TEST_CASE("rate limit: it leaves nothing to wait for behind the connection's end") {
    SimWorld world;
    world.server->add_middleware(std::make_shared<RateLimit>(RateLimits{.messages_per_second = 0.001, .burst = Seconds(0)}));
    SimPeer peer = world.open_client();
    peer.text("1");
    world.settle();
    REQUIRE(world.newest()->is_paused());
    world.newest()->disconnect();
    world.server->stop();
    world.settle();
    CHECK(world.loop.armed() == 0);
}

TEST_CASE("rate limit: two of them on a connection each count for themselves") {
    SimWorld world({.timeout = Seconds(1e6)});
    const RateLimits messages{.messages_per_second = 0.1, .burst = Seconds(30)}, bytes{.bytes_per_second = 1, .burst = Seconds(30)};
    const bool messages_first = GENERATE(true, false);
    for (const RateLimits& limits : messages_first ? std::vector{messages, bytes} : std::vector{bytes, messages})
        world.server->add_middleware(std::make_shared<RateLimit>(limits));
    SimPeer peer = world.open_client();
    for (int i = 0; i < 3; ++i) peer.text("1234567890");
    world.settle();
    CHECK(world.at_server.count("text") == 3);
    CHECK_FALSE(world.newest()->is_paused());
    peer.text("1");
    world.settle();
    CHECK(world.newest()->is_paused());
}

TEST_CASE("rate limit: a rate that is hardly one pauses for years, and for no less") {
    SimWorld world({.timeout = Seconds(1e6)});
    world.server->add_middleware(std::make_shared<RateLimit>(RateLimits{.messages_per_second = 1e-300}));
    SimPeer peer = world.open_client();
    peer.text("1");
    world.settle();
    CHECK(world.newest()->is_paused());
    world.pass(Seconds(1000));
    CHECK(world.newest()->is_paused());
}

TEST_CASE("rate limit: a connection that it pauses is shut down cleanly") {
    SimWorld world;
    world.server->add_middleware(std::make_shared<RateLimit>(RateLimits{.messages_per_second = 0.1, .burst = Seconds(10)}));
    SimPeer peer = world.open_client();
    for (int i = 0; i < 5; ++i) peer.text("x");
    world.settle();
    CHECK(world.newest()->is_paused());
    world.server->shutdown(CloseCode::going_away, Seconds(4));
    peer.close(CloseCode::going_away);
    world.settle();
    CHECK(world.at_server.lines().back() == "disconnect 1001 clean");
    CHECK(world.at_server.errors().empty());
}
