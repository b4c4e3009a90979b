#include "connection/link.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/sim_world.hpp"

using namespace hawser;
using namespace support;
using Catch::Matchers::ContainsSubstring;
using Lines = std::vector<std::string>;

TEST_CASE("link: meta data of any type is kept by key, also behind the end", "[link][settings]") {
    SimWorld world;
    SimPeer peer = world.open_client();
    const ConnectionPtr connection = world.newest();
    const Connection& same = *connection;
    CHECK(connection->meta<int>("absent") == nullptr);
    connection->set_meta("user", std::string("anna"));
    connection->set_meta("count", 1);
    REQUIRE(same.meta<std::string>("user"));
    CHECK(*same.meta<std::string>("user") == "anna");
    CHECK(same.meta<int>("user") == nullptr);
    ++*connection->meta<int>("count");
    CHECK(*same.meta<int>("count") == 2);
    connection->set_meta("count", std::string("another type"));
    CHECK(same.meta<int>("count") == nullptr);
    connection->set_meta("user", {});
    CHECK(same.meta<std::string>("user") == nullptr);
    connection->disconnect();
    world.settle();
    CHECK(*same.meta<std::string>("count") == "another type");
    connection->set_meta("late", 3);
    CHECK(*same.meta<int>("late") == 3);
    world.kept = 1;
    world.end();
}

TEST_CASE("link: a connection's settings are its own, and what is wrong changes nothing", "[link][settings]") {
    SimWorld world;
    SimPeer one = world.open_client();
    const ConnectionPtr first = world.newest();
    SimPeer other = world.open_client();
    const ConnectionPtr second = world.newest();
    first->set_frame_size(2);
    first->set_timeout(Seconds(0.5));
    first->set_option("http", "user_agent", std::string("test"));
    CHECK(first->frame_size() == 2);
    CHECK(first->timeout() == Seconds(0.5));
    REQUIRE(first->get_option("http", "user_agent"));
    CHECK(second->frame_size() == 4096);
    CHECK(second->get_option("http", "user_agent") == nullptr);
    CHECK_THAT(error_of(Errc::invalid_option, [&] { first->set_frame_size(0); }), ContainsSubstring("frame_size"));
    CHECK_THAT(error_of(Errc::invalid_option, [&] { first->set_timeout(Seconds(-1)); }), ContainsSubstring("timeout"));
    CHECK_THAT(error_of(Errc::invalid_option, [&] { first->set_option("http", "user_agnet", 1); }), ContainsSubstring("user_agent"));
    CHECK(first->frame_size() == 2);
    CHECK(first->timeout() == Seconds(0.5));
    // The endpoint's later ones are for those that have none of their own.
    world.server->set_frame_size(3);
    CHECK(first->frame_size() == 2);
    CHECK(second->frame_size() == 3);
    world.server->send(MessageView{Opcode::text, "1234"});
    world.settle();
    using Frames = std::vector<std::pair<unsigned, std::size_t>>;
    CHECK(one.frames() == Frames{{1, 2}, {0, 2}});
    CHECK(other.frames() == Frames{{1, 3}, {0, 1}});
    world.kept = 2;
    world.end();
}

TEST_CASE("link: a frame size of limit-1, limit and limit+1 cuts a message as it says", "[link][settings]") {
    SimWorld world;
    SimPeer peer = world.open_client();
    const std::size_t size = GENERATE(99u, 100u, 101u);
    world.newest()->set_frame_size(100);
    world.newest()->text(std::string(size, 'x'));
    world.settle();
    const auto frames = peer.frames();
    CHECK(frames.size() == (size > 100 ? 2u : 1u));
    CHECK(frames.front().second == std::min<std::size_t>(size, 100));
}

TEST_CASE("link: a shorter timeout counts from when the last byte came", "[link][settings]") {
    SimWorld world;
    SimPeer peer = world.open_client();
    world.at_server.take();
    world.pass(Seconds(10));
    world.newest()->set_timeout(Seconds(12));
    world.pass(Seconds(1.9));
    CHECK(world.at_server.lines().empty());
    world.pass(Seconds(0.2));
    CHECK(world.at_server.take() == Lines{"error connection_timeout"});
    // A longer one begins anew with the next byte.
    peer.text("x");
    world.newest()->set_timeout(Seconds(100));
    world.pass(Seconds(99));
    CHECK(world.at_server.take() == Lines{"text x"});
    world.pass(Seconds(2));
    CHECK(world.at_server.take() == Lines{"error connection_timeout"});
}

TEST_CASE("link: smaller bounds hold from the next message on", "[link][settings]") {
    SimWorld world;
    SimPeer peer = world.open_client();
    world.at_server.take();
    Configuration smaller;
    smaller.max_message_size = 5;
    peer.text("123456");
    world.settle();
    CHECK(world.at_server.take() == Lines{"text 123456"});
    world.newest()->set_configuration(smaller);
    peer.text("12345");
    peer.text("123456");
    world.settle();
    CHECK(world.at_server.take() == Lines{"text 12345", "error protocol_error"});
    CHECK(peer.lines().back().starts_with("close 1009"));
}

TEST_CASE("link: the logger is told of connections, and of what fails", "[link][settings]") {
    std::vector<std::string> logged;
    Configuration configuration;
    configuration.logger = callback_logger([&](LogLevel level, std::string_view message, LogFields) {
        logged.push_back(std::string(log_level_name(level)) + " " + std::string(message));
    });
    SimWorld world(configuration);
    SimPeer peer = world.open_client();
    peer.send(peer.frame(0x83, {}));
    peer.finish();
    world.settle();
    REQUIRE(logged.size() == 3);
    CHECK(logged[0] == "info connected");
    CHECK_THAT(logged[1], ContainsSubstring("error") && ContainsSubstring("reserved opcode"));
    CHECK(logged[2] == "info disconnected");
}

TEST_CASE("link: tick() runs the tick hooks, of the endpoint and of the connection, while it is connected", "[link][settings]") {
    SimWorld world;
    SimPeer peer = world.open_client();
    const ConnectionPtr connection = world.newest();
    std::string order;
    const auto ticking = [&](char name, bool forwards = true) {
        const auto middleware = std::make_shared<Callback>();
        middleware->on_tick = [&order, name, forwards](Connection&, const TickNext& next) {
            order += name;
            if (forwards) next();
        };
        return middleware;
    };
    connection->tick();
    const auto last = ticking('c');
    world.server->add_middleware(ticking('a'));
    connection->add_middleware(last);
    world.server->add_middleware(ticking('b'));
    connection->tick();
    CHECK(order == "abc");
    CHECK(connection->remove_middleware(*last));
    CHECK_FALSE(connection->remove_middleware(*last));
    connection->add_middleware(ticking('d', false));
    connection->add_middleware(last);
    order.clear();
    connection->tick();
    CHECK(order == "abd");
    connection->disconnect();
    connection->tick();
    CHECK(order == "abd");
    world.settle();
    world.kept = 1;
    world.end();
}
