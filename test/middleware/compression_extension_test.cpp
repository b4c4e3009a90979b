#include <algorithm>
#include <random>
#include <utility>

#include "support/loopback.hpp"

using namespace support;

namespace {

std::shared_ptr<CompressionExtension> compression(const DeflateOptions& options = {}) {
    return std::make_shared<CompressionExtension>(options);
}

/// Texts that compress, noise, and short and empty messages.
std::vector<std::string> contents() {
    std::mt19937 random(17);
    std::vector<std::string> all = {"", "short", std::string(5000, 'x'), std::string(1'000'000, 'y')};
    for (int i = 0; i < 5; ++i) {
        std::string noise(random() % 3000, '\0');
        for (char& byte : noise) byte = static_cast<char>(random());
        all.push_back(noise);
        std::string text;
        for (int word = 0; word < 500; ++word) text += std::to_string(random() % 1000) + " words ";
        all.push_back(text);
    }
    return all;
}

/// Echoes all contents through a server and a client; returns the extension they agreed on.
std::string echo(const std::shared_ptr<Middleware>& at_server, const std::shared_ptr<Middleware>& at_client) {
    Loopback loop;
    const auto reply = [](Connection& connection, MessageView message) { connection.send(message); };
    loop.server.on_binary(reply);
    if (at_server) loop.server.add_middleware(at_server);
    loop.server.start();
    Client client(loop.reactor, loop.uri());
    if (at_client) client.add_middleware(at_client);
    const std::vector<std::string> sent = contents();
    std::vector<std::string> received;
    std::string agreed;
    client.on_binary([&](Connection&, MessageView message) { received.emplace_back(message.content); });
    client.on_handshake([&](Connection&, const Request&, const Response& response) {
        agreed = response.headers.get("Sec-WebSocket-Extensions").value_or("none");
    });
    for (const std::string& content : sent) client.binary(content);
    loop.until([&] { return received.size() == sent.size(); });
    CHECK(received == sent);
    CHECK(loop.errors.empty());
    client.close();
    loop.until([&] { return !loop.endings.empty(); });
    CHECK(loop.endings.front().clean);
    return agreed;
}

}  // namespace

TEST_CASE("compression extension: it is off unless both ends have it") {
    CHECK(echo(nullptr, nullptr) == "none");
    CHECK(echo(compression(), nullptr) == "none");
    CHECK(echo(nullptr, compression()) == "none");
    CHECK(echo(compression(), compression()) == "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12");
}

TEST_CASE("compression extension: every combination of takeover and windows carries messages both ways") {
    for (int flags = 0; flags < 4; ++flags)
        for (const auto& [server_bits, client_bits] : {std::pair{9, 15}, std::pair{15, 9}, std::pair{12, 12}}) {
            CAPTURE(flags, server_bits, client_bits);
            const DeflateOptions of_server{(flags & 1) != 0, (flags & 2) != 0, server_bits, client_bits, 1 + flags * 2, 1 + flags};
            const DeflateOptions of_client{false, false, 15, 15};
            const std::string by_server = echo(compression(of_server), compression(of_client));
            CHECK((by_server.find("server_no_context_takeover") != std::string::npos) == ((flags & 1) != 0));
            CHECK((by_server.find("client_no_context_takeover") != std::string::npos) == ((flags & 2) != 0));
            CHECK(by_server.find("server_max_window_bits") == std::string::npos);
            const std::string by_client = echo(compression(of_client), compression(of_server));
            CHECK((by_client.find("server_no_context_takeover") != std::string::npos) == ((flags & 1) != 0));
            CHECK((by_client.find("client_no_context_takeover") != std::string::npos) == ((flags & 2) != 0));
        }
}

TEST_CASE("compression extension: one object serves both ends, and options that cannot be are refused") {
    const auto both = compression({.server_no_context_takeover = true});
    CHECK(echo(both, both).starts_with("permessage-deflate; server_no_context_takeover"));
    CHECK_THROWS_AS(CompressionExtension({.memory_level = 10}), Error);
    CHECK_THROWS_AS(CompressionExtension({.server_max_window_bits = 8}), Error);
}

TEST_CASE("compression extension: a broadcast reaches compressed and plain connections alike") {
    Loopback loop;
    loop.server.add_middleware(compression({.server_no_context_takeover = true})).start();
    const std::string content(3000, 'b');
    std::vector<std::unique_ptr<Client>> clients;
    int received = 0;
    for (int i = 0; i < 6; ++i) {
        Client& client = *clients.emplace_back(std::make_unique<Client>(loop.reactor, loop.uri()));
        if (i % 2 == 0) client.add_middleware(compression());
        client.on_text([&](Connection&, MessageView message) {
            CHECK(message.content == content);
            ++received;
        });
        client.connect();
    }
    loop.until([&] { return loop.server.connection_count() == 6; });
    CHECK(loop.server.text(content) == 6);
    loop.until([&] { return received == 6; });
}

TEST_CASE("compression extension: a peer that breaks compression is failed, and nobody else") {
    Loopback loop;
    loop.server.add_middleware(compression()).start();
    const auto answer_to = [&](const std::string& frames) {
        RawPeer peer(loop.reactor.core(), loop.dial());
        peer.shake_hands("Sec-WebSocket-Extensions: permessage-deflate\r\n");
        peer.send(frames);
        return peer.receive().substr(2, 2);
    };
    CHECK(answer_to(RawPeer::frame(0xC1, "\xFF")) == "\x03\xEF");
    CHECK(answer_to(RawPeer::frame(0xC9, "x")) == "\x03\xEA");
    CHECK(answer_to(RawPeer::frame(0x41, "") + RawPeer::frame(0xC0, "x")) == "\x03\xEA");
    CHECK(loop.errors.size() == 3);
}

TEST_CASE("compression extension: a middleware may decide by connection") {
    const auto by_path = std::make_shared<Callback>();
    by_path->on_http_outgoing = [](Connection& connection, HttpMessage message, const HttpNext& next) {
        if (connection.handshake_request()->path() == "/") connection.use_compression({});
        next(std::move(message));
    };
    CHECK(echo(by_path, compression()) != "none");
    by_path->on_http_outgoing = [](Connection& connection, HttpMessage message, const HttpNext& next) {
        if (connection.handshake_request()->path() == "/other") connection.use_compression({});
        next(std::move(message));
    };
    CHECK(echo(by_path, compression()) == "none");
    by_path->on_http_outgoing = nullptr;
    Loopback loop;
    loop.server.start();
    Client client(loop.reactor, loop.uri());
    client.connect();
    loop.until([&] { return client.is_connected() && loop.server.connection_count() == 1; });
    CHECK_THROWS_AS(client.connection()->use_compression({.level = 0}), Error);
}
