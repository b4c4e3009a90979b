#include <malloc.h>

#include "support/child.hpp"
#include "support/error_of.hpp"
#include "support/tls_loopback.hpp"

using namespace support;

namespace {

/// Runs until the server has told one error; returns its text.
std::string server_error(TlsLoopback& loop) {
    loop.until([&] { return !loop.errors.empty(); });
    CHECK(loop.errors[0].errc() == Errc::tls_failed);
    return loop.errors[0].what();
}

}  // namespace

TEST_CASE("wss: a message is echoed, and both sides end cleanly") {
    TlsLoopback loop;
    for (const char* host : {"localhost", "127.0.0.1"}) {
        CAPTURE(host);
        const Attempt result = attempt(loop, loop.uri(host), trusting());
        INFO(result.failure());
        CHECK(result.echoed);
        CHECK_FALSE(result.error);
    }
    loop.until([&] { return loop.endings.size() == 2; });
    for (const Disconnect& ending : loop.endings) {
        CHECK(ending.clean);
        CHECK_FALSE(ending.error);
    }
    CHECK(loop.errors.empty());
    CHECK(loop.server.scheme() == "wss");
}

TEST_CASE("wss: large messages arrive whole, in both directions at once") {
    TlsLoopback loop;
    Client client(loop.reactor, loop.uri(), {.configuration = with_ssl(trusting())});
    client.set_frame_size(1 << 20);
    std::string sent(3'000'000, '\0');
    for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 7 + i / 251);
    std::vector<bool> equal;
    client.on_binary([&](Connection&, MessageView m) { equal.push_back(m.content == sent); });
    for (int i = 0; i < 3; ++i) client.binary(sent);
    loop.until([&] { return equal.size() == 3; });
    CHECK(equal == std::vector<bool>{true, true, true});
    CHECK(loop.errors.empty());
}

TEST_CASE("wss: many small messages are kept in order while the client is slow to read") {
    TlsLoopback loop;
    Client client(loop.reactor, loop.uri(), {.configuration = with_ssl(trusting())});
    int received = 0, wrong = 0;
    client.on_text([&](Connection&, MessageView m) {
        if (m.content != std::string(static_cast<std::size_t>(received % 300), 'x') + std::to_string(received)) ++wrong;
        ++received;
    });
    client.connect();
    loop.until([&] { return client.is_writable(); });
    client.connection()->pause();
    for (int i = 0; i < 20'000; ++i) client.text(std::string(static_cast<std::size_t>(i % 300), 'x') + std::to_string(i));
    for (int i = 0; i < 20; ++i) loop.reactor.run_once(Seconds(0));
    client.connection()->resume();
    loop.until([&] { return received == 20'000; });
    CHECK(wrong == 0);
}

TEST_CASE("wss: the half that is closed by close_notify is told, and the reply still leaves") {
    TlsLoopback loop;
    Configuration configuration = with_ssl(trusting());
    Client client(loop.reactor, loop.uri(), {.configuration = configuration});
    std::string reply;
    std::optional<Disconnect> ending;
    client.on_text([&](Connection&, MessageView m) { reply = m.content; }).on_disconnect([&](Connection&, const Disconnect& end) {
        ending = end;
    });
    client.text("last words");
    loop.until([&] { return !loop.opened.empty() && client.is_writable(); });
    client.connection()->close_write();
    loop.until([&] { return ending.has_value() && loop.endings.size() == 1; });
    CHECK(reply == "last words");
    CHECK_FALSE(ending->error);
    CHECK(loop.endings[0].code == CloseCode::abnormal);
    CHECK_FALSE(loop.endings[0].error);
    CHECK(loop.errors.empty());
}

TEST_CASE("wss: disconnect() ends TLS cleanly too") {
    TlsLoopback loop;
    Client client(loop.reactor, loop.uri(), {.configuration = with_ssl(trusting())});
    client.text("hello");
    loop.until([&] { return !loop.opened.empty() && client.is_writable(); });
    client.disconnect();
    loop.until([&] { return loop.endings.size() == 1; });
    CHECK(loop.errors.empty());
    CHECK(loop.endings[0].code == CloseCode::abnormal);
}

TEST_CASE("wss: a plain client is told so, and harms nobody") {
    TlsLoopback loop;
    const Attempt plain = attempt(loop, loop.uri("localhost", "ws"), {});
    CHECK_FALSE(plain.echoed);
    REQUIRE(plain.error);
    CHECK(plain.error->errc() == Errc::handshake_failed);
    REQUIRE(plain.error->response());
    CHECK(plain.error->response()->status == 400);
    CHECK(contains(plain.failure(), "the server answered 400 This Port Speaks TLS"));
    CHECK(plain.error->response()->body == "This port speaks TLS: ask for it by wss://\n");
    CHECK(contains(server_error(loop), "the client speaks plain HTTP on a port for TLS"));
    CHECK(attempt(loop, loop.uri(), trusting()).echoed);
}

TEST_CASE("wss: a TLS client on a plain port is told so") {
    TlsLoopback tls;
    Server plain(tls.reactor, {.host = "127.0.0.1", .port = 0});
    std::vector<std::string> errors;
    plain.on_error([&](Connection*, const Error& error) { errors.emplace_back(error.what()); });
    plain.start();
    const Attempt result = attempt(tls, "wss://localhost:" + std::to_string(plain.port()) + "/", trusting());
    REQUIRE(result.error);
    CHECK(result.error->errc() == Errc::tls_failed);
    CHECK(contains(result.failure(), "the server speaks plain HTTP on this port: is it for ws:// instead of wss://?"));
    REQUIRE(errors.size() == 1);
}

TEST_CASE("wss: garbage, a reset and an early end concern one connection only") {
    TlsLoopback loop;
    {
        RawPeer peer(loop.reactor.core(), loop.dial());
        peer.send("\x16\x03\x01garbage that is no ClientHello");
        CHECK(contains(server_error(loop), "the TLS handshake failed: "));
        loop.errors.clear();
    }
    {
        RawPeer peer(loop.reactor.core(), loop.dial());
        peer.send(std::string("\x16\x03\x01\x00\x40", 5));
        peer.finish();
        CHECK(contains(server_error(loop), "the TLS handshake failed: the peer closed the connection"));
        loop.errors.clear();
    }
    {
        RawPeer peer(loop.reactor.core(), loop.dial());
        peer.send(std::string("\x16\x03\x01\x00\x40", 5));
        run_ready(loop.reactor.core());
        peer.reset();
        CHECK(contains(server_error(loop), "the TLS handshake failed: Connection reset by peer"));
        loop.errors.clear();
    }
    {
        RawPeer probe(loop.reactor.core(), loop.dial());
        run_ready(loop.reactor.core());
        probe.finish();
        probe.receive();
    }
    CHECK(loop.errors.empty());
    CHECK(attempt(loop, loop.uri(), trusting()).echoed);
}

TEST_CASE("wss: a handshake that does not go on is ended by the handshake's time") {
    TlsLoopback loop;
    Configuration configuration = loop.server.configuration();
    configuration.handshake_timeout = Seconds(0.05);
    loop.server.set_configuration(configuration);
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.send(std::string("\x16\x03\x01\x00\x40", 5));
    peer.receive();
    REQUIRE(loop.errors.size() == 1);
    CHECK(contains(loop.errors[0].what(), "the opening handshake was not complete within 0.05 s: TLS is not established"));
}

TEST_CASE("wss: the second handshake is resumed, unless no_ticket is set on either side") {
    for (const bool at_client : {false, true}) {
        for (const bool no_ticket : {false, true}) {
            CAPTURE(at_client, no_ticket);
            TlsLoopback loop(at_client ? SslOptions{} : SslOptions{{"no_ticket", no_ticket}});
            SslOptions options = trusting({{"capture_peer_cert", true}});
            if (at_client) options["no_ticket"] = no_ticket;
            Client client(loop.reactor, loop.uri(), {.configuration = with_ssl(options)});
            const Attempt first = attempt(loop, loop.uri(), {}, &client);
            const Attempt second = attempt(loop, loop.uri(), {}, &client);
            INFO(first.failure() << second.failure());
            REQUIRE(first.tls);
            REQUIRE(second.tls);
            CHECK(second.echoed);
            CHECK_FALSE(first.tls->resumed);
            CHECK(second.tls->resumed == !no_ticket);
            REQUIRE(loop.opened.size() == 2);
            CHECK_FALSE(loop.opened[0]->tls()->resumed);
            CHECK(loop.opened[1]->tls()->resumed == !no_ticket);
        }
    }
}

TEST_CASE("wss: handshakes leave nothing behind") {
    TlsLoopback loop;
    const SslOptions options = trusting();
    const auto used_after = [&](int handshakes) {
        for (int i = 0; i < handshakes; ++i) REQUIRE(attempt(loop, loop.uri(), options).echoed);
        loop.opened.clear();
        loop.endings.clear();
        loop.opened.shrink_to_fit();
        loop.endings.shrink_to_fit();
        run_ready(loop.reactor.core());
        return mallinfo2().uordblks;
    };
    const std::size_t before = used_after(20);
    const std::size_t after = used_after(100);
    // A connection has more than 35 kB.
    CHECK(after < before + 35'000);
}

TEST_CASE("wss: a child that drops what it inherited says nothing on its parent's connections") {
    TlsLoopback loop;
    auto client = std::make_unique<Client>(loop.reactor, loop.uri(), ClientOptions{.configuration = with_ssl(trusting())});
    int echoes = 0;
    client->on_text([&](Connection&, MessageView) { ++echoes; });
    client->text("before");
    loop.until([&] { return echoes == 1; });
    const bool disconnects = GENERATE(false, true);
    const int status = status_of_child([&] {
        loop.opened.clear();
        if (disconnects) loop.server.disconnect();
        client.reset();
        return 0;
    });
    CHECK(status == 0);
    client->text("after");
    loop.until([&] { return echoes == 2 || !loop.endings.empty(); });
    CHECK(echoes == 2);
    CHECK(loop.errors.empty());
}
