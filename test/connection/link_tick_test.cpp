// tick_after() of lib/connection/link_settings.cpp, and deadlines that the loop is late for.

#include "connection/link.hpp"
#include "support/catch.hpp"
#include "support/sim_world.hpp"

using namespace hawser;
using namespace support;

namespace {

/// An end of a connection whose ticks are counted. The endpoint's own are far away.
struct Ticked {
    explicit Ticked(bool is_client) : client(is_client) {
        const auto counter = std::make_shared<Callback>();
        counter->on_tick = [this](Connection&, const TickNext& next) {
            ++ticks;
            next();
        };
        if (client)
            world.client->add_middleware(counter);
        else
            world.server->add_middleware(counter);
        world.join();
        world.settle();
    }
    Connection& connection() { return client ? *world.client->connection() : *world.newest(); }
    SimWorld world{{.timeout = Seconds(1e6), .tick_interval = Seconds(1e6)}, {.timeout = Seconds(1e6), .tick_interval = Seconds(1e6)}};
    bool client;
    int ticks = 0;
};

}  // namespace

TEST_CASE("link: tick_after runs the tick hooks once, of several requests at the earliest", "[link][tick]") {
    Ticked ticked(GENERATE(false, true));
    ticked.connection().tick_after(Seconds(20));
    ticked.connection().tick_after(Seconds(10));
    ticked.connection().tick_after(Seconds(30));
    ticked.world.pass(Seconds(9.999));
    CHECK(ticked.ticks == 0);
    ticked.world.pass(Seconds(0.002));
    CHECK(ticked.ticks == 1);
    ticked.world.pass(Seconds(100));
    CHECK(ticked.ticks == 1);
    ticked.connection().tick_after(Seconds(-1));
    ticked.world.settle();
    CHECK(ticked.ticks == 2);
    ticked.connection().tick_after(Seconds(1e300));
    ticked.world.pass(Seconds(1000));
    CHECK(ticked.ticks == 2);
}

TEST_CASE("link: tick_after leaves nothing to wait for behind the connection's end", "[link][tick]") {
    Ticked ticked(GENERATE(false, true));
    const ConnectionPtr kept = ticked.connection().handle();
    kept->tick_after(Seconds(1000));
    SECTION("disconnect") { kept->disconnect(); }
    SECTION("close") { kept->close(); }
    ticked.world.settle();
    kept->tick_after(Seconds(1));
    ticked.world.settle();
    CHECK(ticked.world.loop.armed() == 0);
    ticked.world.pass(Seconds(2000));
    CHECK(ticked.ticks == 0);
    ticked.world.kept = 1;
    ticked.world.end();
}

TEST_CASE("link: an endpoint that has stopped runs no tick hooks; those that are due follow", "[link][tick]") {
    Ticked ticked(true);
    ticked.connection().tick_after(Seconds(10));
    ticked.world.client->stop();
    ticked.world.pass(Seconds(100));
    CHECK(ticked.ticks == 0);
    ticked.world.client->start();
    ticked.world.settle();
    CHECK(ticked.ticks == 1);
}

TEST_CASE("link: what has arrived counts, however late the loop comes to a deadline", "[link][tick]") {
    // The seed says whether the deadline or the socket is served first.
    SimWorld world({.timeout = Seconds(10)}, {}, GENERATE(range(1u, 9u)));
    SimPeer peer = world.open_client();
    world.at_server.take();
    peer.text("in time");
    world.loop.advance(Seconds(11));
    world.settle();
    CHECK(world.at_server.take() == std::vector<std::string>{"text in time"});
    world.pass(Seconds(11));
    CHECK(world.at_server.take() == std::vector<std::string>{"error connection_timeout"});
}

TEST_CASE("link: a client ticks as long as it has a connection", "[link][tick]") {
    SimWorld world;
    int ticks = 0;
    world.client->on_tick([&](Client&) { ++ticks; });
    SimPeer peer = world.open_server();
    world.client->start();
    world.pass(Seconds(2.5));
    CHECK(ticks == 2);
    world.client->disconnect();
    world.pass(Seconds(10));
    CHECK(ticks == 2);
    CHECK(world.loop.armed() == 0);
}
