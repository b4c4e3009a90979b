#include <algorithm>
#include <string>
#include <vector>

#include "support/tls_loopback.hpp"

using namespace support;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A certificate and its key in files of their own.
struct Identity {
    Identity(const Files& files, const std::string& name)
        : made(make_certificate({.common_name = name, .dns = {"localhost"}}, &Authority::instance().root)),
          certificate(files.write(name + ".pem", made.pem)),
          key(files.write(name + ".key", made.key)) {}
    Certificate made;
    std::string certificate, key;
};

/// What the server shows to a client that has not been there.
std::string shown_certificate(TlsLoopback& loop) {
    const Attempt result = attempt(loop, loop.uri(), trusting({{"capture_peer_cert", true}, {"no_ticket", true}}));
    return result.tls ? result.tls->peer_certificate : result.failure();
}

void set_ssl(Server& server, const char* name, const std::string& value) { server.set_option("ssl", name, value); }

}  // namespace

TEST_CASE("wss files: clients of one reactor resume each other's sessions, with the same host, port and options") {
    TlsLoopback loop;
    const auto is_resumed = [&](const std::string& uri, const SslOptions& options) {
        const Attempt result = attempt(loop, uri, options);
        INFO(result.failure());
        REQUIRE(result.tls);
        return result.tls->resumed;
    };
    CHECK_FALSE(is_resumed(loop.uri(), trusting()));
    CHECK(is_resumed(loop.uri(), trusting()));
    CHECK_FALSE(is_resumed(loop.uri("127.0.0.1"), trusting()));
    CHECK_FALSE(is_resumed(loop.uri(), trusting({{"verify_depth", 5}})));
    Server other(loop.reactor, {.host = "127.0.0.1", .port = 0, .ssl = true});
    other.set_configuration(with_ssl({{"local_cert", Authority::instance().leaf_file}, {"local_pk", Authority::instance().key_file}}));
    other.on_text([](Connection& connection, MessageView m) { connection.text(m.content); }).start();
    CHECK_FALSE(is_resumed("wss://localhost:" + std::to_string(other.port()) + "/", trusting()));
    CHECK(is_resumed(loop.uri(), trusting()));
}

TEST_CASE("wss files: a client notices that its cafile has changed, by itself, by an option set again, or when told") {
    const Authority& authority = Authority::instance();
    const Files files;
    TlsLoopback loop;
    const std::string file = files.write("ca.pem", make_authority("Other").pem);
    Client client(loop.reactor, loop.uri(), {.configuration = with_ssl({{"cafile", file}})});
    CHECK_FALSE(attempt(loop, loop.uri(), {}, &client).echoed);
    files.write("ca.pem", authority.root.pem);
    SECTION("by itself") {}
    SECTION("an option") { client.set_option("ssl", "cafile", file); }
    SECTION("all options") { client.set_context(Context(client.context())); }
    SECTION("told") { client.reload_context(); }
    CHECK(attempt(loop, loop.uri(), {}, &client).echoed);
}

TEST_CASE("wss files: what a client cannot read any more is told when it is asked to, and does not keep it from connecting") {
    const Files files;
    TlsLoopback loop;
    const std::string file = files.write("ca.pem", Authority::instance().root.pem);
    Client client(loop.reactor, loop.uri(), {.configuration = with_ssl({{"cafile", file}})});
    std::string log;
    client.set_logger(callback_logger([&](LogLevel, std::string_view message, LogFields fields) {
        log += message;
        for (const LogField& field : fields) log += " " + std::string(field.value);
    }));
    CHECK(attempt(loop, loop.uri(), {}, &client).echoed);
    CHECK_FALSE(contains(log, "what has changed on disk is not used"));
    files.write("ca.pem", "nothing");
    CHECK_THROWS_AS(client.reload_context(), Error);
    CHECK_THROWS_AS(client.set_option("ssl", "cafile", file), Error);
    CHECK(attempt(loop, loop.uri(), {}, &client).echoed);
    CHECK(contains(log, "what has changed on disk is not used"));
    CHECK(contains(log, "has no certificate that can be read"));
    // A client that has read nothing yet has nothing to go on with.
    Client other(loop.reactor, loop.uri(), {.configuration = with_ssl({{"cafile", file}})});
    CHECK_THROWS_AS(other.connect(), Error);
}

TEST_CASE("wss files: reload_context() of a client reads what is wrong before it connects, and does nothing for ws") {
    Reactor reactor;
    Client client(reactor, "wss://localhost:1/", {.configuration = with_ssl({{"cafile", "/nowhere"}})});
    CHECK_THROWS_AS(client.reload_context(), Error);
    Client plain(reactor, "ws://localhost:1/", {.configuration = with_ssl({{"cafile", "/nowhere"}})});
    plain.reload_context();
    CHECK_FALSE(plain.is_running());
}

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

TEST_CASE("wss files: a client's certificate, key and passphrase are changed one after the other") {
    const Authority& authority = Authority::instance();
    const Files files;
    const Identity old(files, "old"), next(files, "next");
    TlsLoopback loop(SslOptions{{"verify_peer", true}, {"cafile", authority.root_file}, {"capture_peer_cert", true}});
    Client client(loop.reactor, loop.uri(),
                  {.configuration = with_ssl(trusting({{"local_cert", old.certificate}, {"local_pk", old.key}}))});
    CHECK(attempt(loop, loop.uri(), {}, &client).echoed);
    client.set_option("ssl", "local_pk", next.key);
    CHECK_THROWS_AS(client.reload_context(), Error);
    CHECK(attempt(loop, loop.uri(), {}, &client).echoed);
    CHECK(loop.opened.back()->peer_certificate() == old.made.pem);
    client.set_option("ssl", "local_cert", next.certificate);
    CHECK(attempt(loop, loop.uri(), {}, &client).echoed);
    CHECK(loop.opened.back()->peer_certificate() == next.made.pem);
}

TEST_CASE("wss files: a pair that is half changed while a client connects is told, and the one before serves on") {
    const Files files;
    const Identity old(files, "old"), next(files, "next");
    TlsLoopback loop;
    Client client(loop.reactor, loop.uri(),
                  {.configuration = with_ssl(trusting({{"local_cert", old.certificate}, {"local_pk", old.key}}))});
    std::string said;
    client.on_error([&](Connection*, const Error& error) { said += error.what(); });
    client.connect();
    client.set_option("ssl", "local_pk", next.key);
    loop.until([&] { return !said.empty(); });
    CHECK(contains(said, "does not belong to the first certificate"));
    loop.until([&] { return !loop.opened.empty(); });
    client.disconnect();
    client.set_option("ssl", "local_cert", next.certificate);
    CHECK(attempt(loop, loop.uri(), {}, &client).echoed);
}

TEST_CASE("wss files: a client that comes back between certificate and key uses those before, and tells once") {
    const Files files;
    const Identity old(files, "old"), next(files, "next");
    TlsLoopback loop(SslOptions{{"verify_peer", true}, {"cafile", Authority::instance().root_file}, {"capture_peer_cert", true}});
    Client client(loop.reactor, loop.uri(),
                  {.configuration = with_ssl(trusting({{"local_cert", old.certificate}, {"local_pk", old.key}}))});
    client.set_reconnect({.initial = Seconds(0.01)});
    std::vector<std::string> said;
    client.on_error([&](Connection*, const Error& error) { said.push_back(error.what()); });
    const auto shown_next = [&] {
        const std::size_t before = loop.opened.size();
        if (before == 0) client.connect();
        if (before > 0) loop.opened.back()->disconnect();
        loop.until([&] { return loop.opened.size() > before && client.is_connected(); });
        return loop.opened.back()->peer_certificate();
    };
    const auto misfits = [&] {
        return std::count_if(said.begin(), said.end(), [](const auto& one) { return contains(one, "does not belong to the first"); });
    };
    CHECK(shown_next() == old.made.pem);
    client.set_option("ssl", "local_cert", next.certificate);
    CHECK(misfits() == 0);
    CHECK(shown_next() == old.made.pem);
    CHECK(misfits() == 1);
    CHECK(shown_next() == old.made.pem);
    CHECK(misfits() == 1);
    client.set_option("ssl", "local_pk", next.key);
    CHECK(shown_next() == next.made.pem);
    CHECK(misfits() == 1);
}

TEST_CASE("wss files: a client may be destroyed when it is told that TLS keeps it from connecting anew") {
    const Files files;
    const Identity old(files, "old"), next(files, "next");
    TlsLoopback loop;
    const SslOptions options = trusting({{"local_cert", old.certificate}, {"local_pk", old.key}});
    auto client = std::make_unique<Client>(loop.reactor, loop.uri(), ClientOptions{.configuration = with_ssl(options)});
    client->set_reconnect(ReconnectOptions{.initial = Seconds(0), .maximum = Seconds(0)}).connect();
    loop.until([&] { return client->is_writable() && loop.server.connection_count() == 1; });
    int told = 0;
    client->on_error([&](Connection*, const Error&) {
        ++told;
        client.reset();
    });
    // It does not fit the key.
    client->set_option("ssl", "local_cert", next.certificate);
    loop.server.connections().first()->disconnect();
    loop.until([&] { return !client; });
    CHECK(told == 1);
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
