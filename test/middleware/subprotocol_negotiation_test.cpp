#include "support/loopback.hpp"

using namespace support;

namespace {

/// Connects a client with these lists; returns the subprotocol agreed on, or the status of the refusal.
std::string agree(std::vector<std::string> served, std::vector<std::string> offered, bool server_requires = false,
                  bool client_requires = false) {
    Loopback loop;
    if (!served.empty()) loop.server.add_middleware(std::make_shared<SubprotocolNegotiation>(served, server_requires));
    loop.server.start();
    Client client(loop.reactor, loop.uri());
    if (!offered.empty()) client.add_middleware(std::make_shared<SubprotocolNegotiation>(offered, client_requires));
    std::string result;
    client
        .on_handshake([&](Connection&, const Request&, const Response& response) {
            result = response.headers.get("Sec-WebSocket-Protocol").value_or("none");
        })
        .on_error([&](Connection*, const Error& error) {
            CHECK(error.errc() == Errc::handshake_failed);
            if (error.response()) result = std::to_string(error.response()->status);
        });
    client.connect();
    loop.until([&] { return !result.empty(); });
    return result;
}

}  // namespace

TEST_CASE("subprotocol negotiation: the first offered one that is served is taken") {
    CHECK(agree({"a", "b", "c"}, {"x", "c", "a"}) == "c");
    CHECK(agree({"a"}, {"a"}) == "a");
}

TEST_CASE("subprotocol negotiation: without agreement there is none, unless one is required") {
    CHECK(agree({"a"}, {"b"}) == "none");
    CHECK(agree({"a"}, {}) == "none");
    CHECK(agree({}, {"b"}) == "none");
    CHECK(agree({"a"}, {"A"}) == "none");
    CHECK(agree({"a"}, {"b"}, true) == "426");
    CHECK(agree({"a"}, {}, true) == "426");
    CHECK(agree({"a"}, {"a"}, true, true) == "a");
}

TEST_CASE("subprotocol negotiation: a client that requires one fails the handshake with handshake_failed") {
    CHECK(agree({"a"}, {"b"}, false, true) == "101");
    CHECK(agree({}, {"b"}, false, true) == "101");
}

TEST_CASE("subprotocol negotiation: what is offered stands in one line, once each, whoever adds it") {
    Loopback loop;
    Request seen;
    loop.server.on_handshake([&](Connection&, const Request& request, const Response&) { seen = request; }).start();
    Client client(loop.reactor, loop.uri());
    client.add_header("Sec-WebSocket-Protocol", "v1.chat").add_header("Sec-WebSocket-Protocol", "v2.chat");
    client.add_middleware(std::make_shared<SubprotocolNegotiation>(std::vector<std::string>{"v2.chat", "v3.chat"}));
    client.add_middleware(std::make_shared<SubprotocolNegotiation>(std::vector<std::string>{}));
    client.add_middleware(std::make_shared<SubprotocolNegotiation>(std::vector<std::string>{"v4.chat"}));
    client.connect();
    loop.until([&] { return !seen.headers.empty(); });
    CHECK(seen.headers.count("Sec-WebSocket-Protocol") == 1);
    CHECK(seen.headers.get("Sec-WebSocket-Protocol") == "v1.chat, v2.chat, v3.chat, v4.chat");
}

TEST_CASE("subprotocol negotiation: a server reads lists and lines") {
    Loopback loop;
    loop.server.add_middleware(std::make_shared<SubprotocolNegotiation>(std::vector<std::string>{"c"})).start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.send(
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Protocol: c\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    CHECK(peer.receive("\r\n\r\n").find("Sec-WebSocket-Protocol: c\r\n") != std::string::npos);
}

TEST_CASE("subprotocol negotiation: what the server refuses names what it supports") {
    Loopback loop;
    loop.server.add_middleware(std::make_shared<SubprotocolNegotiation>(std::vector<std::string>{"a", "b"}, true)).start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.send(
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    CHECK(peer.receive().starts_with("HTTP/1.1 426 "));
    CHECK(peer.received.find("Sec-WebSocket-Protocol: a, b\r\n") != std::string::npos);
}
