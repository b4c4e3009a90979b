#include "protocol/handshake.hpp"
#include "support/loopback.hpp"

using namespace support;

namespace {

/// A server made of a plain socket: it answers with what the test says.
class RawServer {
public:
    RawServer() : listening_(listen_on(transport::Address::literal("127.0.0.1", 0))) {}
    std::string uri() const { return "ws://" + transport::Address::local_of(listening_.get()).str() + "/"; }
    RawPeer accept(reactor::Core& core) const {
        return RawPeer(core, Descriptor(support::check(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept")));
    }

private:
    Descriptor listening_;
};

/// What a client makes of an answer: its error, or "open".
std::string outcome(const std::string& answer, bool end = false) {
    Reactor reactor;
    const RawServer server;
    Client client(reactor, server.uri(),
                  {.headers = {{"Sec-WebSocket-Protocol", "a, b"}}, .configuration = {.handshake_timeout = Seconds(5)}});
    std::string result;
    client.on_handshake([&](Connection&, const Request&, const Response&) { result = "open"; })
        .on_error([&](Connection*, const Error& error) { result = error.what(); });
    client.connect();
    RawPeer peer = server.accept(reactor.core());
    peer.receive("\r\n\r\n");
    const std::size_t at = peer.received.find("Sec-WebSocket-Key: ") + 19;
    std::string bytes = answer;
    if (const std::size_t place = bytes.find("{accept}"); place != std::string::npos) {
        // The accept value of this request, from a server that computes it.
        Request request;
        request.headers.add("Sec-WebSocket-Key", peer.received.substr(at, 24));
        bytes.replace(place, 8, *protocol::accept_response(request).headers.get("Sec-WebSocket-Accept"));
    }
    peer.send(bytes);
    if (end) peer.finish();
    REQUIRE(run_until(reactor.core(), [&] { return !result.empty(); }));
    return result;
}

const std::string good =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n";

}  // namespace

TEST_CASE("client base: an answer by the book opens") {
    CHECK(outcome(good + "\r\n") == "open");
    CHECK(outcome(good + "Sec-WebSocket-Protocol: b\r\n\r\n") == "open");
    CHECK(outcome("HTTP/1.1 101\r\nupgrade: WebSocket\r\nconnection: keep-alive, upgrade\r\nsec-websocket-accept: {accept}\r\n\r\n") ==
          "open");
}

TEST_CASE("client base: any other answer fails the handshake, and the error says why") {
    const auto fails = [](const std::string& answer, const std::string& reason, bool end = false) {
        const std::string result = outcome(answer, end);
        INFO(result);
        CHECK(result.starts_with("127.0.0.1:"));
        CHECK(result.find(reason) != std::string::npos);
    };
    fails("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404 Not Found");
    fails("HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\nmoved", "302", true);
    fails("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "200");
    fails("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n",
          "Sec-WebSocket-Accept");
    fails("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n", "Upgrade");
    fails("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n", "Connection");
    fails(good + "Sec-WebSocket-Protocol: c\r\n\r\n", "subprotocol that was not offered: \"c\"");
    fails(good + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", "extension that was not offered: \"permessage-deflate\"");
    fails("HTTP/1.1 404 \x9B[2J\xC2\x9B\r\nContent-Length: 0\r\n\r\n", "404 \\x9b[2J\\xc2\\x9b");
    fails("SSH-2.0-OpenSSH_9.2\r\n", "not HTTP/1.1: it begins with \"SSH-2.0-OpenSSH_9.2\"");
    fails("220 ready", "it begins with \"220 ready\"", true);
    fails("HTTP/1.1 101 Sw", "closed the connection during the opening handshake", true);
    fails("", "closed the connection during the opening handshake", true);
}

TEST_CASE("client base: frames behind the answer in the same packet are delivered") {
    Reactor reactor;
    const RawServer server;
    Client client(reactor, server.uri());
    std::string received;
    client.on_text([&](Connection&, MessageView m) { received += m.content; });
    client.connect();
    RawPeer peer = server.accept(reactor.core());
    peer.receive("\r\n\r\n");
    Request request;
    request.headers.add("Sec-WebSocket-Key", peer.received.substr(peer.received.find("Sec-WebSocket-Key: ") + 19, 24));
    peer.send(protocol::format_response(protocol::accept_response(request)) + "\x81\x03one\x81\x03two");
    REQUIRE(run_until(reactor.core(), [&] { return received == "onetwo"; }));
}

TEST_CASE("client base: a server that says nothing is given up after the handshake's time") {
    Reactor reactor;
    const RawServer server;
    Client client(reactor, server.uri(), {.configuration = {.handshake_timeout = Seconds(0.01)}});
    std::optional<Error> failure;
    client.on_error([&](Connection*, const Error& error) { failure = error; });
    client.connect();
    REQUIRE(run_until(reactor.core(), [&] { return failure.has_value(); }));
    CHECK(failure->errc() == Errc::connection_failure);
    CHECK(std::string(failure->what()).find("the opening handshake was not complete within 0.01 s: no whole HTTP response has come") !=
          std::string::npos);
}

TEST_CASE("client base: a masked frame from the server is refused with 1002") {
    Loopback loop;
    Reactor& reactor = loop.reactor;
    const RawServer server;
    Client client(reactor, server.uri());
    std::optional<Error> failure;
    client.on_error([&](Connection*, const Error& error) { failure = error; });
    client.connect();
    RawPeer peer = server.accept(reactor.core());
    peer.receive("\r\n\r\n");
    Request request;
    request.headers.add("Sec-WebSocket-Key", peer.received.substr(peer.received.find("Sec-WebSocket-Key: ") + 19, 24));
    peer.send(protocol::format_response(protocol::accept_response(request)) + RawPeer::frame(0x81, "masked"));
    REQUIRE(run_until(reactor.core(), [&] { return failure.has_value(); }));
    CHECK(failure->errc() == Errc::protocol_error);
}
