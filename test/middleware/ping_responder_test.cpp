#include "support/loopback.hpp"

using namespace support;

TEST_CASE("ping responder: a ping is answered with a pong of the same content, after the listener") {
    Loopback loop;
    std::vector<std::string> pings;
    loop.server.on_ping([&](Connection&, MessageView m) { pings.emplace_back(m.content); });
    loop.server.start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
    for (const std::size_t length : {std::size_t{0}, std::size_t{1}, std::size_t{124}, std::size_t{125}}) {
        const std::string content(length, 'p');
        peer.received.clear();
        peer.send(RawPeer::frame(0x89, content));
        const std::string pong = std::string("\x8A") + static_cast<char>(length) + content;
        CHECK(peer.receive(pong) == pong);
        CHECK(pings.back() == content);
    }
}

TEST_CASE("ping responder: it does not answer after a Close was sent") {
    Loopback loop;
    loop.server.on_text([](Connection& connection, MessageView) { connection.close(); });
    loop.server.start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
    peer.send(RawPeer::frame(0x81, "close") + RawPeer::frame(0x89, "?") + RawPeer::frame(0x88, "\x03\xE8"));
    CHECK(peer.receive() == "\x88\x02\x03\xE8");
    CHECK(loop.errors.empty());
}

TEST_CASE("ping responder: without it the application answers") {
    Loopback loop;
    CHECK(loop.server.remove_ping_responder());
    CHECK_FALSE(loop.server.remove_ping_responder());
    loop.server.on_ping([](Connection& connection, MessageView) { connection.pong("mine"); });
    loop.server.start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
    peer.send(RawPeer::frame(0x89, "theirs"));
    CHECK(peer.receive("mine") == "\x8A\x04mine");
}
