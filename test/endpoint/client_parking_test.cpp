#include "support/loopback.hpp"

using namespace support;

TEST_CASE("client parking: a persistent connection that is taken over by one that stops is read at start, behind on_handshake") {
    Loopback loop;
    loop.server.start();
    const ClientOptions persistent{.configuration = {.persistent = true}};
    {
        Client first(loop.reactor, loop.uri(), persistent);
        first.connect();
        loop.until([&] { return first.is_writable() && loop.server.connection_count() == 1; });
    }
    const ConnectionPtr peer = loop.server.connections().first();
    peer->text("one");
    peer->text("two");
    run_ready(loop.reactor.core());
    std::vector<std::string> told;
    const auto follow = [&](Client& client) {
        client.on_handshake([&](Connection&, const Request&, const Response&) { told.emplace_back("handshake"); })
            .on_text([&](Connection&, MessageView m) { told.emplace_back(m.content); });
    };
    const std::vector<std::string> all = {"handshake", "one", "two"};
    Client second(loop.reactor, loop.uri(), persistent);
    follow(second);
    SECTION("it starts") { second.start(); }
    SECTION("it stops, and keeps it") {
        second.connect();
        second.set_persistent(false).stop();
        run_ready(loop.reactor.core());
        CHECK(told == std::vector<std::string>{"handshake"});
        second.start();
        CHECK(told.size() == 1);
    }
    SECTION("it stops, and takes it over again") {
        second.connect().stop().connect();
    }
    SECTION("it stops, and another takes it over") {
        second.connect().stop();
        run_ready(loop.reactor.core());
        CHECK(told.empty());
        Client third(loop.reactor, loop.uri(), persistent);
        follow(third);
        third.start();
        loop.until([&] { return told.size() >= 3; });
    }
    loop.until([&] { return told.size() >= 3; });
    run_ready(loop.reactor.core());
    CHECK(told == all);
    CHECK(peer->is_connected());
}
