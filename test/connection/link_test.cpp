#include "connection/link.hpp"

#include "support/catch.hpp"
#include "support/sim_world.hpp"

using namespace hawser;
using namespace support;
using Catch::Matchers::ContainsSubstring;
using Lines = std::vector<std::string>;

TEST_CASE("link: messages of each kind pass both ways, and the closing handshake ends it", "[link]") {
    SimWorld world;
    world.join();
    world.settle();
    CHECK(world.at_server.take() == Lines{"handshake"});
    CHECK(world.at_client.take() == Lines{"handshake"});
    const ConnectionPtr near = world.newest();
    const ConnectionPtr far = world.client->connection();
    for (const ConnectionPtr& from : {near, far}) {
        Journal& at = from == near ? world.at_client : world.at_server;
        Journal& back = from == near ? world.at_server : world.at_client;
        CHECK(from->text("hello") == SendStatus::ok);
        CHECK(from->binary(std::string("\0\xFF", 2)) == SendStatus::ok);
        CHECK(from->ping("p") == SendStatus::ok);
        CHECK(from->pong("q") == SendStatus::ok);
        world.settle();
        CHECK(at.take() == Lines{"text hello", std::string("binary \0\xFF", 9), "ping p", "pong q"});
        CHECK(back.take() == Lines{"pong p"});
    }
    CHECK(near->close(CloseCode::normal, "done") == SendStatus::ok);
    CHECK_FALSE(near->is_writable());
    CHECK(near->is_readable());
    world.settle();
    CHECK(world.at_client.take() == Lines{"close 1000 done", "disconnect 1000 clean"});
    CHECK(world.at_server.take() == Lines{"close 1000", "disconnect 1000 clean"});
    CHECK(world.at_client.ending()->reason == "done");
    CHECK_FALSE(near->is_connected());
    CHECK_FALSE(far->is_connected());
    world.kept = 2;
    world.end();
}

TEST_CASE("link: on_disconnect sees a connection that has ended", "[link]") {
    SimWorld world;
    world.join();
    world.settle();
    int calls = 0;
    const auto check = [&](Connection& connection) {
        ++calls;
        CHECK_FALSE(connection.is_connected());
        CHECK_FALSE(connection.is_readable());
        CHECK_FALSE(connection.is_writable());
        CHECK(connection.text("too late") == SendStatus::closed);
        CHECK(connection.buffered_amount() == 0);
        CHECK_FALSE(connection.remote_name().empty());
        CHECK(connection.handshake_request());
    };
    world.server->on_disconnect([&](Connection& connection, const Disconnect&) { check(connection); });
    world.client->on_disconnect([&](Connection& connection, const Disconnect&) { check(connection); });
    SECTION("after a closing handshake") { world.newest()->close(); }
    SECTION("after disconnect()") { world.newest()->disconnect(); }
    SECTION("after FIN") { world.newest()->close_write(); }
    world.pass(Seconds(20));
    CHECK(calls == 2);
}

TEST_CASE("link: a client that is never answered fails in time, and so does a server that is never asked", "[link]") {
    Configuration configuration;
    configuration.handshake_timeout = Seconds(3);
    SimWorld world(configuration, configuration);
    SimPeer silent_server = world.raw_server();
    SimPeer silent_client = world.raw_client();
    SimPeer slow_client = world.raw_client();
    slow_client.send("GET / HTTP/1.1\r\n");
    world.pass(Seconds(2.9));
    CHECK(world.at_client.lines().empty());
    CHECK(world.counts->open == 3);
    world.pass(Seconds(0.2));
    CHECK(world.at_client.lines() == Lines{"error connection_failure"});
    CHECK(world.at_server.lines() == Lines{"error connection_failure", "error connection_failure"});
    CHECK(world.counts->open == 0);
}

TEST_CASE("link: silence is told once per silent period, and nothing ends", "[link]") {
    Configuration configuration;
    configuration.timeout = Seconds(10);
    SimWorld world(configuration);
    SimPeer peer = world.open_client();
    world.at_server.take();
    world.pass(Seconds(9.9));
    CHECK(world.at_server.lines().empty());
    world.pass(Seconds(0.2));
    CHECK(world.at_server.take() == Lines{"error connection_timeout"});
    world.pass(Seconds(100));
    CHECK(world.at_server.lines().empty());
    peer.text("I am back");
    world.pass(Seconds(10.1));
    CHECK(world.at_server.take() == Lines{"text I am back", "error connection_timeout"});
    // While it is paused nothing can be received, so that nothing is missed.
    world.newest()->pause();
    peer.text("unread");
    world.pass(Seconds(100));
    CHECK(world.at_server.lines().empty());
}

TEST_CASE("link: a clock that jumps tells silence, and ends nothing", "[link]") {
    SimWorld world;
    world.join();
    world.settle();
    world.at_server.take();
    world.loop.advance(std::chrono::hours(5));
    world.settle();
    CHECK(world.at_server.take() == Lines{"error connection_timeout"});
    CHECK(world.newest()->text("still there") == SendStatus::ok);
    world.settle();
    CHECK(world.at_client.has("text still there"));
}

TEST_CASE("link: a Close that is not answered ends after close_timeout, whoever sent it", "[link]") {
    Configuration configuration;
    configuration.close_timeout = Seconds(2);
    SimWorld world(configuration);
    SimPeer peer = world.open_client();
    world.at_server.take();
    SECTION("own") {
        world.newest()->close(CloseCode::going_away, "bye");
        world.settle();
        CHECK(peer.lines() == Lines{"close 1001 bye"});
        // It does not run anew.
        world.pass(Seconds(1.9));
        peer.text("not yet");
        world.settle();
        CHECK(world.at_server.take() == Lines{"text not yet"});
        world.pass(Seconds(0.2));
        CHECK(world.at_server.take() == Lines{"error connection_failure", "disconnect 1006"});
    }
    SECTION("the peer's, without a close handler") {
        world.server->remove_close_handler();
        peer.close(CloseCode::going_away);
        world.pass(Seconds(1.9));
        CHECK(world.at_server.take() == Lines{"close 1001"});
        world.pass(Seconds(0.2));
        CHECK(world.at_server.take() == Lines{"error connection_failure", "disconnect 1001"});
    }
    CHECK(world.counts->open == 0);
}

TEST_CASE("link: a client waits for the server to close the socket, but not for ever", "[link]") {
    Configuration configuration;
    configuration.close_timeout = Seconds(2);
    SimWorld world({}, configuration);
    SimPeer peer = world.open_server();
    world.at_client.take();
    peer.close();
    world.pass(Seconds(1.9));
    CHECK(peer.lines() == Lines{"close 1000"});
    CHECK(world.at_client.take() == Lines{"close 1000"});
    CHECK(world.counts->open == 1);
    world.pass(Seconds(0.2));
    CHECK(world.at_client.take() == Lines{"disconnect 1000 clean"});
}

TEST_CASE("link: what breaks the protocol is told, answered with a Close, and ends", "[link]") {
    SimWorld world;
    SimPeer peer = world.open_client();
    world.at_server.take();
    peer.text("good");
    peer.send(peer.frame(0x83, "reserved opcode"));
    peer.text("behind it");
    world.settle();
    CHECK(world.at_server.take() == Lines{"text good", "error protocol_error"});
    CHECK_THAT(world.at_server.errors().back(), ContainsSubstring("reserved opcode"));
    CHECK(peer.lines() == Lines{"close 1002 reserved opcode"});
    CHECK(peer.socket().sees_end());
    peer.finish();
    world.settle();
    CHECK(world.at_server.take() == Lines{"disconnect 1006"});
    REQUIRE(world.at_server.ending()->error);
    CHECK(world.at_server.ending()->error->errc() == Errc::protocol_error);
}

TEST_CASE("link: identities grow and are unique, in whichever reactor", "[link]") {
    SimWorld one, two;
    one.join();
    two.join();
    one.join();
    one.settle();
    two.settle();
    const auto all = one.server->connections();
    REQUIRE(all.size() == 2);
    const std::uint64_t first = (*all.begin())->identity(), other = two.newest()->identity(), last = one.newest()->identity();
    CHECK(first < other);
    CHECK(other < last);
}

TEST_CASE("link: chunking never changes what is told", "[link]") {
    const auto run = [](const WireOptions& options) {
        SimWorld world;
        world.at_server.then = [](std::string_view line, Connection* connection) {
            if (line.starts_with("text")) connection->text(line.substr(5));
        };
        world.join(options);
        world.at_client.then = [](std::string_view line, Connection* connection) {
            if (line != "handshake") return;
            for (int i = 0; i < 20; ++i) {
                connection->text(std::to_string(i) + std::string(static_cast<std::size_t>(i * 700), 'x'));
                connection->ping(std::to_string(i));
            }
            connection->close(CloseCode::normal, "that is all");
        };
        world.pass(Seconds(10));
        return std::pair(world.at_server.lines(), world.at_client.lines());
    };
    const auto whole = run({});
    CHECK(whole.first.size() == 43);
    CHECK(whole.second.size() == 43);
    const std::uint64_t seed = GENERATE(range(1u, 11u));
    CAPTURE(seed);
    CHECK(run({.capacity = 1000, .seed = seed}) == whole);
    CHECK(run({.seed = seed, .record = 512}) == whole);
}
