#include <mbedtls/x509.h>

#include "support/tls_loopback.hpp"

using namespace support;

// Error::cause() is the system's own code, or TLS's, wherever there is one.

namespace {

/// What a client that cannot connect to `uri`, or not for long, is told first.
Error failure_of(Reactor& reactor, const std::string& uri, Configuration configuration = {}) {
    Client client(reactor, uri, ClientOptions{.configuration = std::move(configuration)});
    std::optional<Error> told;
    client.on_error([&](Connection*, const Error& error) {
        if (!told) told = error;
    });
    client.connect();
    REQUIRE(run_until(reactor.core(), [&] { return told.has_value(); }));
    return *told;
}

}  // namespace

TEST_CASE("error cause: a reset, on reading and on writing, in on_error and in on_disconnect") {
    Loopback loop;
    const bool writes = GENERATE(false, true);
    loop.server.on_text([&](Connection& connection, MessageView) {
        // While this lasts the peer resets the connection.
        if (writes) connection.binary(std::string(100, 'x'));
    });
    loop.server.start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
    peer.send(RawPeer::frame(0x81, "x"));
    peer.reset();
    loop.until([&] { return loop.endings.size() == 1; });
    REQUIRE(loop.errors.size() == 1);
    const std::error_code cause = loop.errors[0].cause();
    CHECK((cause == std::errc::connection_reset || cause == std::errc::broken_pipe));
    CHECK(std::string(loop.errors[0].what()).ends_with(": " + cause.message()));
    REQUIRE(loop.endings[0].error);
    CHECK(loop.endings[0].error->cause() == cause);
}

TEST_CASE("error cause: a refused connection") {
    std::uint16_t port = 0;
    {
        const Descriptor listening = listen_on(transport::Address::literal("127.0.0.1", 0));
        port = transport::Address::local_of(listening.get()).port();
    }
    Reactor reactor;
    const Error error = failure_of(reactor, "ws://127.0.0.1:" + std::to_string(port));
    CHECK(error.cause() == std::errc::connection_refused);
    CHECK(error.errc() == Errc::client_failed);
    CHECK(error.level() == ErrorLevel::connection);
}

TEST_CASE("error cause: a wait that runs out") {
    // A server that accepts, and says nothing.
    const Descriptor silent = listen_on(transport::Address::literal("127.0.0.1", 0));
    const std::string uri = "ws://" + transport::Address::local_of(silent.get()).str();
    Reactor reactor;
    const Error handshake = failure_of(reactor, uri, {.handshake_timeout = Seconds(0.01)});
    CHECK(handshake.cause() == std::errc::timed_out);
    CHECK(std::string(handshake.what()).find("was not complete within ") != std::string::npos);

    Loopback loop({.timeout = Seconds(0.01), .close_timeout = Seconds(0.01)});
    loop.server.start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
    loop.until([&] { return !loop.errors.empty(); });
    CHECK(loop.errors[0].errc() == Errc::connection_timeout);
    CHECK(loop.errors[0].cause() == std::errc::timed_out);
    loop.server.close();
    loop.until([&] { return loop.endings.size() == 1; });
    CHECK(loop.errors.back().errc() == Errc::connection_failure);
    CHECK(loop.errors.back().cause() == std::errc::timed_out);
}

TEST_CASE("error cause: TLS's own code, and the socket's below TLS") {
    TlsLoopback loop;
    const Error untrusted = failure_of(loop.reactor, loop.uri(), with_ssl({{"cafile", Authority::instance().leaf_file}}));
    CHECK(untrusted.errc() == Errc::tls_failed);
    CHECK(untrusted.cause().value() == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED);
    loop.until([&] { return !loop.errors.empty(); });
    CHECK(loop.errors[0].cause());

    loop.errors.clear();
    const linger at_once{1, 0};
    Descriptor socket = loop.dial();
    REQUIRE(send(socket.get(), "\x16\x03", 2, MSG_NOSIGNAL) == 2);
    run_ready(loop.reactor.core());
    setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    socket.reset();
    loop.until([&] { return !loop.errors.empty(); });
    CHECK(loop.errors[0].cause() == std::errc::connection_reset);
}

TEST_CASE("error cause: none where nothing below has failed") {
    Loopback loop;
    loop.server.start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
    peer.send(RawPeer::frame(0x83, "no such opcode"));
    loop.until([&] { return !loop.errors.empty(); });
    CHECK(loop.errors[0].errc() == Errc::protocol_error);
    CHECK_FALSE(loop.errors[0].cause());
}
