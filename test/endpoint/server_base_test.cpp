#include "support/frames.hpp"
#include "support/loopback.hpp"

using namespace support;

namespace {

std::string request(const std::string& extra = {}) {
    return "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
           extra + "\r\n";
}

}  // namespace

TEST_CASE("server base: bad requests get their status, are told with the peer's address, and harm nobody else") {
    Loopback loop;
    loop.server.on_text([](Connection& connection, MessageView m) { connection.text(m.content); }).start();
    RawPeer bystander(loop.reactor.core(), loop.dial());
    bystander.shake_hands();
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03 client hello", "400"},
        {"nonsense\r\n\r\n", "400"},
        {"GET / HTTP/1.1\nHost: a\n\n", "400"},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", "400"},
        {std::string("GET / HTTP/1.1\r\nHost: a\0\r\n\r\n", 28), "400"},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(17'000, 'x'), "431"},
        {"POST / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", "405"},
        {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n\r\n", "426"},
        {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
         "short\r\n\r\n",
         "400"},
        {request("Content-Length: 5\r\n"), "400"},
        {request("Transfer-Encoding: chunked\r\n"), "400"},
        {request("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), "400"},
    };
    for (const auto& [bytes, status] : cases) {
        INFO(bytes.substr(0, 200));
        loop.errors.clear();
        RawPeer peer(loop.reactor.core(), loop.dial());
        peer.send(bytes);
        CHECK(peer.receive().starts_with("HTTP/1.1 " + status + " "));
        REQUIRE(loop.errors.size() == 1);
        CHECK(loop.errors[0].errc() == Errc::handshake_failed);
        CHECK(std::string(loop.errors[0].what()).starts_with("127.0.0.1:"));
    }
    bystander.send(RawPeer::frame(0x81, "well"));
    CHECK(bystander.receive("well") == "\x81\x04well");
    CHECK(loop.endings.empty());
}

TEST_CASE("server base: frames that break the protocol get a Close with the status, then the end") {
    Loopback loop({.max_message_size = 10});
    loop.server.start();
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"\x81\x01"
         "a",
         "\x03\xEA"},                                                               // not masked: 1002
        {RawPeer::frame(0x91, "a"), "\x03\xEA"},                                    // RSV3
        {RawPeer::frame(0xC1, "a"), "\x03\xEA"},                                    // RSV1 without an extension
        {RawPeer::frame(0x09, "a"), "\x03\xEA"},                                    // fragmented ping
        {RawPeer::frame(0x80, "a"), "\x03\xEA"},                                    // nothing to continue
        {RawPeer::frame(0x88, "\x03"), "\x03\xEA"},                                 // status of one byte
        {RawPeer::frame(0x81, "\xC0\x80"), "\x03\xEF"},                             // not UTF-8: 1007
        {RawPeer::frame(0x82, "12345678901"), "\x03\xF1"},                          // 11 bytes: 1009
        {std::string("\x82\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10), "\x03\xEA"},  // a length of 2^64 - 1
        {std::string("\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0\0\0", 14), "\x03\xF1"},
    };
    for (const auto& [bytes, status] : cases) {
        INFO(status);
        loop.endings.clear();
        RawPeer peer(loop.reactor.core(), loop.dial());
        peer.shake_hands();
        peer.send(bytes);
        const std::string& close = peer.receive();
        REQUIRE(close.size() > 4);
        CHECK(close[0] == '\x88');
        CHECK(close.substr(2, 2) == status);
        peer.finish();
        loop.until([&] { return loop.endings.size() == 1; });
        CHECK_FALSE(loop.endings[0].clean);
        CHECK(loop.endings[0].error->errc() == Errc::protocol_error);
    }
}

TEST_CASE("server base: a peer that stalls is dropped by the deadline of its state") {
    Loopback loop({.handshake_timeout = Seconds(0.01), .close_timeout = Seconds(0.01)});
    loop.server.on_text([](Connection& connection, MessageView) { connection.close(); });
    loop.server.start();
    RawPeer mute(loop.reactor.core(), loop.dial()), slow(loop.reactor.core(), loop.dial());
    slow.send("GET / HTTP/1.1\r\nHo");
    CHECK(mute.receive().empty());
    CHECK(slow.receive().empty());
    CHECK(loop.errors.size() == 2);
    loop.server.set_configuration({.close_timeout = Seconds(0.01)});
    RawPeer stubborn(loop.reactor.core(), loop.dial());
    stubborn.shake_hands();
    stubborn.send(RawPeer::frame(0x81, "close, and I will not answer"));
    CHECK(stubborn.receive() == "\x88\x02\x03\xE8");
    CHECK(loop.errors.back().errc() == Errc::connection_failure);
    RawPeer broken(loop.reactor.core(), loop.dial());
    broken.shake_hands();
    broken.send(RawPeer::frame(0x83, "and I keep the socket"));
    broken.receive();
    loop.until([&] { return loop.endings.size() == 2; });
}

TEST_CASE("server base: a handshake under way when the shutdown begins is dropped, one accepted later refused") {
    Loopback loop;
    auto slow = std::make_shared<Callback>();
    std::vector<HttpNext> pending;
    slow->on_http_incoming = [&](Connection&, HttpMessage, const HttpNext& next) { pending.push_back(next.later()); };
    loop.server.add_middleware(slow).start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.send(request());
    loop.until([&] { return pending.size() == 1; });
    loop.server.shutdown(CloseCode::going_away, Seconds(60));
    CHECK(peer.receive().empty());
    pending[0](Request{});  // too late: without effect
    run_ready(loop.reactor.core());
    CHECK(loop.server.connection_count() == 0);
}

TEST_CASE("server base: long messages leave a block to each other, and nothing is left of one that never ends") {
    Loopback loop;
    int messages = 0;
    std::vector<ConnectionPtr> kept;
    loop.server.on_handshake([&](Connection& connection, const Request&, const Response&) { kept.push_back(connection.handle()); })
        .on_binary([&](Connection&, const MessageView&) { ++messages; })
        .start();
    const std::weak_ptr<Buffer>& spare = loop.reactor.core().spare();
    RawPeer slow(loop.reactor.core(), loop.dial()), quick(loop.reactor.core(), loop.dial());
    slow.shake_hands();
    quick.shake_hands();
    // Longer than what is received at once.
    const std::string frame = raw_frame(first::binary, std::string(100'000, 'x'), true);
    slow.send(std::string_view(frame).substr(0, 1000));
    run_ready(loop.reactor.core());
    slow.send(std::string_view(frame).substr(1000, 1000));
    loop.until([&] { return !spare.expired(); });
    CHECK(spare.lock()->capacity() == 0);
    quick.send(frame);
    loop.until([&] { return messages == 1; });
    CHECK(spare.lock()->capacity() == 100'000);
    slow.reset();
    loop.until([&] { return loop.endings.size() == 1; });
    CHECK(kept.size() == 2);
    CHECK(spare.expired());
}
