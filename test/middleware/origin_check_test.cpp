#include "support/loopback.hpp"

using namespace support;

namespace {

/// The status that a request with these fields gets.
std::string status_for(const std::string& fields, bool allow_absent = true) {
    Loopback loop;
    loop.server.add_middleware(std::make_shared<OriginCheck>(std::vector<std::string>{"https://Example.com", "null"}, allow_absent))
        .start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.send(
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
        fields + "\r\n");
    loop.until([&] {
        peer.receive("\n");
        return !peer.received.empty();
    });
    return peer.received.substr(9, 3);
}

}  // namespace

TEST_CASE("origin check: origins on the list pass, without regard to case") {
    CHECK(status_for("Origin: https://example.com\r\n") == "101");
    CHECK(status_for("Origin: HTTPS://EXAMPLE.COM\r\n") == "101");
    CHECK(status_for("Origin: null\r\n") == "101");
}

TEST_CASE("origin check: others get 403") {
    for (const char* origin :
         {"http://example.com", "https://example.com:444", "https://example.com.evil", "https://evil/https://example.com", ""})
        CHECK(status_for(std::string("Origin: ") + origin + "\r\n") == "403");
    CHECK(status_for("Origin: https://example.com\r\nOrigin: https://evil\r\n") == "403");
}

TEST_CASE("origin check: an absent Origin passes if it may") {
    CHECK(status_for("") == "101");
    CHECK(status_for("", false) == "403");
}
