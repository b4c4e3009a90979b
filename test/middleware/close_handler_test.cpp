#include "support/loopback.hpp"

using namespace support;

TEST_CASE("close handler: a Close is answered with the same status, after the listener") {
    Loopback loop;
    std::vector<std::string> order;
    loop.server.on_close([&](Connection& connection, MessageView m) {
        order.push_back(std::to_string(static_cast<unsigned>(m.close_status)) + " " + std::string(m.content));
        CHECK(connection.is_writable());
    });
    loop.server.start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
    peer.send(RawPeer::frame(0x88, "\x0F\xA1own reason"));
    CHECK(peer.receive() == "\x88\x02\x0F\xA1");
    CHECK(order == std::vector<std::string>{"4001 own reason"});
    loop.until([&] { return loop.endings.size() == 1; });
    CHECK(loop.endings[0].clean);
    CHECK(loop.endings[0].reason == "own reason");
}

TEST_CASE("close handler: an empty Close is answered with an empty one") {
    Loopback loop;
    loop.server.start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
    peer.send(RawPeer::frame(0x88, ""));
    CHECK(peer.receive() == std::string("\x88\x00", 2));
    loop.until([&] { return loop.endings.size() == 1; });
    CHECK(loop.endings[0].code == CloseCode::no_status);
    CHECK(loop.endings[0].clean);
}

TEST_CASE("close handler: a listener that answers itself is not answered over") {
    Loopback loop;
    loop.server.on_close([](Connection& connection, MessageView) { connection.close(CloseCode::policy_violation, "mine"); });
    loop.server.start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
    peer.send(RawPeer::frame(0x88, "\x03\xE8"));
    CHECK(peer.receive() == "\x88\x06\x03\xF0mine");
}

TEST_CASE("close handler: without it the application answers, or the close timeout ends the connection") {
    Loopback loop({.close_timeout = Seconds(0)});
    CHECK(loop.server.remove_close_handler());
    CHECK_FALSE(loop.server.remove_close_handler());
    loop.server.start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
    peer.send(RawPeer::frame(0x88, "\x03\xE8"));
    CHECK(peer.receive().empty());
    loop.until([&] { return loop.endings.size() == 1; });
    CHECK_FALSE(loop.endings[0].clean);
    CHECK(loop.endings[0].code == CloseCode::normal);
    REQUIRE(loop.errors.size() == 1);
    CHECK(loop.errors[0].errc() == Errc::connection_failure);
}
