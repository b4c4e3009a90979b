#include <algorithm>
#include <string>
#include <vector>

#include "support/error_of.hpp"
#include "support/identity.hpp"

using namespace support;

namespace {

/// What the server shows to a client that has not been there.
std::string shown_certificate(TlsLoopback& loop) {
    const Attempt result = attempt(loop, loop.uri(), trusting({{"capture_peer_cert", true}, {"no_ticket", true}}));
    return result.tls ? result.tls->peer_certificate : result.failure();
}

void set_ssl(Server& server, const char* name, const std::string& value) { server.set_option("ssl", name, value); }

}  // namespace

TEST_CASE("wss files: a server's certificate and key are changed one after the other, in either order") {
    const Files files;
    const Identity old(files, "old"), next(files, "next");
    TlsLoopback loop(SslOptions{{"local_cert", old.certificate}, {"local_pk", old.key}});
    CHECK(shown_certificate(loop) == old.made.pem);
    SECTION("the certificate first") {
        set_ssl(loop.server, "local_cert", next.certificate);
        set_ssl(loop.server, "local_pk", next.key);
    }
    SECTION("the key first") {
        set_ssl(loop.server, "local_pk", next.key);
        set_ssl(loop.server, "local_cert", next.certificate);
    }
    SECTION("the files below the same names, told of one after the other") {
        files.write("old.pem", next.made.pem);
        set_ssl(loop.server, "local_cert", old.certificate);
        files.write("old.key", next.made.key);
        set_ssl(loop.server, "local_pk", old.key);
    }
    SECTION("both, and then it is told to read them") {
        set_ssl(loop.server, "local_cert", next.certificate);
        set_ssl(loop.server, "local_pk", next.key);
        loop.server.reload_context();
    }
    CHECK(shown_certificate(loop) == next.made.pem);
    CHECK(loop.errors.empty());
}

TEST_CASE("wss files: a pair that does not fit is told at the next handshake, once, and the old one serves on") {
    const Files files;
    const Identity old(files, "old"), next(files, "next");
    TlsLoopback loop(SslOptions{{"local_cert", old.certificate}, {"local_pk", old.key}});
    set_ssl(loop.server, "local_cert", next.certificate);
    CHECK(std::get<std::string>(*loop.server.get_option("ssl", "local_cert")) == next.certificate);
    CHECK_THROWS_AS(loop.server.reload_context(), Error);
    CHECK(loop.errors.empty());
    CHECK(shown_certificate(loop) == old.made.pem);
    REQUIRE(loop.errors.size() == 1);
    CHECK(loop.errors[0].errc() == Errc::invalid_option);
    CHECK(contains(loop.errors[0].what(), "does not belong to the first certificate in"));
    CHECK(shown_certificate(loop) == old.made.pem);
    CHECK(loop.errors.size() == 1);
    set_ssl(loop.server, "local_pk", next.key);
    CHECK(shown_certificate(loop) == next.made.pem);
    CHECK_THROWS_AS(set_ssl(loop.server, "local_cert", files.path("missing")), Error);
}

TEST_CASE("wss files: a server that its listener ends when a pair does not fit takes no connection") {
    const Files files;
    const Identity old(files, "old"), next(files, "next");
    TlsLoopback loop(SslOptions{{"local_cert", old.certificate}, {"local_pk", old.key}});
    bool told = false;
    loop.server.on_error([&](Connection*, const Error&) {
        told = true;
        loop.server.disconnect();
    });
    set_ssl(loop.server, "local_pk", next.key);
    const Descriptor peer = loop.dial();
    loop.until([&] { return told; });
    run_ready(loop.reactor.core());
    CHECK_FALSE(loop.server.is_running());
    CHECK(loop.opened.empty());
}

TEST_CASE("wss files: a server that its listener stops when a pair does not fit takes that connection's messages when it goes on") {
    const Files files;
    const Identity old(files, "old"), next(files, "next");
    TlsLoopback loop(SslOptions{{"local_cert", old.certificate}, {"local_pk", old.key}});
    bool told = false;
    loop.server.on_error([&](Connection*, const Error&) {
        told = true;
        loop.server.stop();
    });
    set_ssl(loop.server, "local_pk", next.key);
    Client client(loop.reactor, loop.uri(), {.configuration = with_ssl(trusting())});
    std::size_t echoes = 0;
    client.on_text([&](Connection&, MessageView) { ++echoes; });
    client.connect();
    client.text("hello");
    loop.until([&] { return told && !loop.opened.empty(); });
    for (int i = 0; i < 5; ++i) run_ready(loop.reactor.core());
    CHECK(echoes == 0);
    loop.server.start();
    loop.until([&] { return echoes == 1; });
}

TEST_CASE("wss files: a certificate and a key are set one after the other where one file had both, or there was none") {
    const Files files;
    const Identity old(files, "old"), next(files, "next");
    TlsLoopback loop(SslOptions{{"local_cert", files.write("both.pem", old.made.pem + old.made.key)}});
    CHECK(shown_certificate(loop) == old.made.pem);
    set_ssl(loop.server, "local_cert", next.certificate);
    set_ssl(loop.server, "local_pk", next.key);
    CHECK(shown_certificate(loop) == next.made.pem);
    Client client(loop.reactor, loop.uri(), {.configuration = with_ssl(trusting())});
    CHECK(attempt(loop, loop.uri(), {}, &client).echoed);
    client.set_option("ssl", "local_cert", next.certificate).set_option("ssl", "local_pk", next.key);
    CHECK(attempt(loop, loop.uri(), {}, &client).echoed);
    CHECK(loop.errors.empty());
    // A key that is there, and cannot be read, is no option that is missing.
    const std::string broken = files.write("broken.pem", next.made.pem + "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n");
    Client other(loop.reactor, loop.uri(), {.configuration = with_ssl(trusting())});
    other.reload_context();
    CHECK_THROWS_AS(other.set_option("ssl", "local_cert", broken), Error);
}
