#include <algorithm>
#include <string>
#include <vector>

#include "support/error_of.hpp"
#include "support/identity.hpp"

using namespace support;

TEST_CASE("client tls: clients of one reactor resume each other's sessions, with the same host, port and options") {
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

TEST_CASE("client tls: a client notices that its cafile has changed, by itself, by an option set again, or when told") {
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

TEST_CASE("client tls: what a client cannot read any more is told when it is asked to, and does not keep it from connecting") {
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

TEST_CASE("client tls: reload_context() of a client reads what is wrong before it connects, and does nothing for ws") {
    Reactor reactor;
    Client client(reactor, "wss://localhost:1/", {.configuration = with_ssl({{"cafile", "/nowhere"}})});
    CHECK_THROWS_AS(client.reload_context(), Error);
    Client plain(reactor, "ws://localhost:1/", {.configuration = with_ssl({{"cafile", "/nowhere"}})});
    plain.reload_context();
    CHECK_FALSE(plain.is_running());
}

TEST_CASE("client tls: a client's certificate, key and passphrase are changed one after the other") {
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

TEST_CASE("client tls: a pair that is half changed while a client connects is told, and the one before serves on") {
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

TEST_CASE("client tls: a client that comes back between certificate and key uses those before, and tells once") {
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

TEST_CASE("client tls: a client may be destroyed when it is told that TLS keeps it from connecting anew") {
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
