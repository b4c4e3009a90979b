#include "support/error_of.hpp"
#include "support/tls_loopback.hpp"

using namespace support;
using Map = std::map<std::string, std::string>;

namespace {

const std::vector<std::string> suites = {"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256"};
SslOptions tls12(SslOptions options) {
    options["crypto_method"] = "TLSv1.2";
    return options;
}

}  // namespace

TEST_CASE("wss options: ciphers narrow the choice down, or leave none") {
    TlsLoopback loop(tls12({{"ciphers", suites[0] + ":" + suites[1]}}));
    const auto cipher = [&](const std::string& list) {
        const Attempt result = attempt(loop, loop.uri(), trusting(tls12({{"ciphers", list}})));
        return result.tls ? result.tls->cipher : result.failure();
    };
    CHECK(cipher(suites[1]) == "TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256");
    CHECK(cipher(suites[0]) == "TLS-ECDHE-ECDSA-WITH-AES-256-GCM-SHA384");
    // The order is the server's.
    CHECK(cipher(suites[1] + ":" + suites[0]) == "TLS-ECDHE-ECDSA-WITH-AES-256-GCM-SHA384");
    CHECK(contains(cipher("ECDHE-ECDSA-CHACHA20-POLY1305"), "handshake_failure (40)"));
    loop.until([&] { return !loop.errors.empty(); });
    CHECK(contains(loop.errors[0].what(), "ciphers"));
}

TEST_CASE("wss options: ChaCha20 is what is taken by default") {
    TlsLoopback loop;
    const Attempt result = attempt(loop, loop.uri(), trusting());
    REQUIRE(result.tls);
    CHECK(contains(result.tls->cipher, "CHACHA20-POLY1305"));
}

TEST_CASE("wss options: the protocol that ALPN chose is told to both") {
    TlsLoopback loop(SslOptions{{"alpn_protocols", "one,two"}});
    const auto chosen = [&](SslOptions options) {
        const Attempt result = attempt(loop, loop.uri(), trusting(std::move(options)));
        return result.tls ? result.tls->alpn_protocol : result.failure();
    };
    CHECK(chosen({{"alpn_protocols", "two,three"}}) == "two");
    CHECK(loop.opened.back()->tls()->alpn_protocol == "two");
    CHECK(chosen({}).empty());
    CHECK(contains(chosen({{"alpn_protocols", "three"}}), "no_application_protocol (120)"));
}

TEST_CASE("wss options: the peer's certificate is kept when that is asked for") {
    const Authority& authority = Authority::instance();
    TlsLoopback loop(SslOptions{{"verify_peer", true}, {"cafile", authority.root_file}, {"capture_peer_cert", true}});
    const SslOptions identity = {{"local_cert", authority.leaf_file}, {"local_pk", authority.key_file}};
    const auto connect = [&](SslOptions options) {
        options.insert(identity.begin(), identity.end());
        return attempt(loop, loop.uri(), trusting(std::move(options)));
    };
    const Attempt without = connect({});
    REQUIRE(without.tls);
    CHECK(without.tls->peer_certificate.empty());
    CHECK(loop.opened[0]->peer_certificate() == authority.leaf.pem);
    CHECK(connect({{"capture_peer_cert", true}}).tls->peer_certificate == authority.leaf.pem);
    const Attempt chain = connect({{"capture_peer_cert_chain", true}});
    CHECK(chain.tls->peer_certificate == authority.leaf.pem);
    CHECK(chain.tls->peer_certificate_chain == std::vector<std::string>{authority.leaf.pem});
}

TEST_CASE("wss options: the second connection keeps of the peer's certificate what the first did, at either end") {
    const Authority& authority = Authority::instance();
    const Files files;
    const std::string kept = GENERATE(as<std::string>(), "capture_peer_cert", "capture_peer_cert_chain");
    const std::string version = GENERATE(as<std::string>(), "TLSv1.2", "any");
    SslOptions both{{"cafile", authority.root_file}, {"verify_peer", true}, {kept, true}};
    if (version == "TLSv1.2") both = tls12(both);
    const Certificate issuer = make_authority("Issuer", &authority.root);
    const Certificate own = make_certificate({.dns = {"localhost"}}, &issuer);
    both.insert({{"local_cert", files.write("chain.pem", own.pem + issuer.pem)}, {"local_pk", files.write("own.key", own.key)}});
    TlsLoopback loop(both);
    const bool keeps_chain = kept == "capture_peer_cert_chain";
    for (int i : {1, 2, 3}) {
        CAPTURE(kept, version, i);
        const Attempt result = attempt(loop, loop.uri(), both);
        REQUIRE(result.tls);
        const TlsInfo at_server = *loop.opened.back()->tls();
        for (const TlsInfo& info : {*result.tls, at_server}) {
            CHECK(info.peer_certificate == own.pem);
            CHECK(info.peer_certificate_chain == (keeps_chain ? std::vector{own.pem, issuer.pem} : std::vector<std::string>()));
        }
    }
}

TEST_CASE("wss options: the server's certificate follows the name that the client sends") {
    const Authority& authority = Authority::instance();
    const Files files;
    const auto identity = [&](const std::string& name) {
        const Certificate made = make_certificate({.dns = {name}}, &authority.root);
        files.write(name + ".key", made.key);
        return files.write(name, made.pem) + "," + files.path(name + ".key");
    };
    const Map certificates = {{"a.example.", identity("a.example")}, {"*.w.example", identity("*.w.example")}};
    TlsLoopback loop(SslOptions{{"SNI_server_certs", certificates}});
    const auto failure = [&](const char* name, SslOptions options = {}) {
        options["peer_name"] = name;
        return attempt(loop, loop.uri(), trusting(std::move(options))).failure();
    };
    CHECK(failure("a.example").empty());
    CHECK(failure("A.EXAMPLE").empty());
    CHECK(failure("x.w.example").empty());
    CHECK(contains(failure("b.example"), R"(is not for "b.example" but for "localhost", 127.0.0.1, ::1)"));
    CHECK(failure("localhost").empty());
    CHECK(contains(failure("a.example", {{"SNI_enabled", false}}), R"(is not for "a.example" but for "localhost")"));
    CHECK(failure("localhost", {{"SNI_enabled", false}}).empty());
}

TEST_CASE("wss options: the server name has no dot of the root, wherever the name is from") {
    const Descriptor listening = listen_on(transport::Address::literal("127.0.0.1", 0));
    const std::string port = std::to_string(transport::Address::local_of(listening.get()).port());
    Reactor reactor;
    const bool is_given = GENERATE(false, true);
    Client client(reactor, "wss://localhost.:" + port, {.configuration = with_ssl(trusting())});
    if (is_given) client.set_option("ssl", "peer_name", "name.example.");
    client.connect();
    const Descriptor socket(check(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
    std::string hello;
    const std::string name = is_given ? "name.example" : "localhost";
    REQUIRE(run_until(reactor.core(), [&] {
        char bytes[1024];
        const ssize_t size = recv(socket.get(), bytes, sizeof bytes, MSG_DONTWAIT);
        if (size > 0) hello.append(bytes, static_cast<std::size_t>(size));
        return hello.find(name) != std::string::npos;
    }));
    CHECK(hello.find(std::string("\0", 1) + static_cast<char>(name.size()) + name) != std::string::npos);
    CHECK(hello.find(name + ".") == std::string::npos);
}

TEST_CASE("wss options: without a default certificate an unknown name is refused") {
    const Authority& authority = Authority::instance();
    Reactor reactor;
    Server server(reactor, {.host = "127.0.0.1", .port = 0, .ssl = true});
    server.set_configuration(with_ssl({{"SNI_server_certs", Map{{"localhost", authority.leaf_file + "," + authority.key_file}}}}));
    server.on_text([](Connection& connection, MessageView m) { connection.text(m.content); });
    server.start();
    const auto failure = [&](const char* name) {
        Client client(reactor, "wss://127.0.0.1:" + std::to_string(server.port()),
                      {.configuration = with_ssl(trusting({{"peer_name", name}}))});
        std::string text;
        client.on_error([&](Connection*, const Error& error) { text = error.what(); });
        bool opened = false;
        client.on_handshake([&](Connection&, const Request&, const Response&) { opened = true; });
        client.start();
        REQUIRE(run_until(reactor.core(), [&] { return opened || !text.empty(); }));
        return text;
    };
    CHECK(failure("localhost").empty());
    CHECK(contains(failure("b.example"), "unrecognized_name (112)"));
}

TEST_CASE("wss options: a key with a passphrase") {
    const Authority& authority = Authority::instance();
    const Files files;
    const std::string encrypted = files.path("encrypted.key");
    if (std::system(
            ("openssl pkey -in " + authority.key_file + " -aes256 -traditional -passout pass:secret -out " + encrypted + " 2>/dev/null")
                .c_str()) != 0) {
        WARN("openssl is missing");
        return;
    }
    const SslOptions options = {{"local_cert", authority.leaf_file}, {"local_pk", encrypted}};
    const auto with = [&](const char* passphrase) {
        SslOptions more = options;
        if (passphrase) more["passphrase"] = passphrase;
        return more;
    };
    TlsLoopback loop(with("secret"));
    CHECK(attempt(loop, loop.uri(), trusting()).echoed);
    for (const char* wrong : {"wrong", static_cast<const char*>(nullptr)}) {
        try {
            TlsLoopback refused(with(wrong));
            FAIL("it was taken");
        } catch (const Error& error) {
            CHECK(error.errc() == Errc::invalid_option);
            CHECK(contains(error.what(), "ssl option \"passphrase\": "));
        }
    }
}

TEST_CASE("wss options: a changed certificate serves the next handshakes, and the connections that are there go on") {
    const Authority& authority = Authority::instance();
    const Files files;
    const std::string file = files.write("server.pem", authority.leaf.pem + authority.leaf.key);
    const Certificate next = make_certificate({.common_name = "next", .dns = {"localhost"}}, &authority.root);
    TlsLoopback loop(SslOptions{{"local_cert", file}});
    const auto certificate = [&] {
        const Attempt result = attempt(loop, loop.uri(), trusting({{"capture_peer_cert", true}}));
        return result.tls ? result.tls->peer_certificate : result.failure();
    };
    Client old(loop.reactor, loop.uri(), {.configuration = with_ssl(trusting())});
    int echoes = 0;
    old.on_text([&](Connection&, MessageView) { ++echoes; });
    old.text("before");
    loop.until([&] { return echoes == 1; });
    CHECK(certificate() == authority.leaf.pem);

    files.write("server.pem", next.pem + next.key);
    CHECK(certificate() == authority.leaf.pem);
    loop.server.reload_context();
    CHECK(certificate() == next.pem);

    files.write("server.pem", "nothing");
    CHECK_THROWS_AS(loop.server.reload_context(), Error);
    CHECK(certificate() == next.pem);
    CHECK_THROWS_AS(loop.server.set_option("ssl", "local_cert", files.path("missing")), Error);
    CHECK(std::get<std::string>(*loop.server.get_option("ssl", "local_cert")) == file);
    CHECK(certificate() == next.pem);

    loop.server.set_option("ssl", "local_cert", files.write("other.pem", authority.leaf.pem + authority.leaf.key));
    CHECK(certificate() == authority.leaf.pem);
    old.text("after");
    loop.until([&] { return echoes == 2; });
    CHECK(loop.errors.empty());
}

TEST_CASE("wss options: a client's change counts from its next handshake") {
    TlsLoopback loop;
    Client client(loop.reactor, loop.uri(),
                  {.configuration = with_ssl({{"cafile", Authority::instance().root_file}, {"peer_name", "wrong"}})});
    CHECK_FALSE(attempt(loop, loop.uri(), {}, &client).echoed);
    client.set_option("ssl", "peer_name", "localhost");
    CHECK(attempt(loop, loop.uri(), {}, &client).echoed);
}

TEST_CASE("wss options: a server without a certificate does not start") {
    Reactor reactor;
    Server server(reactor, {.host = "127.0.0.1", .port = 0, .ssl = true});
    CHECK_THROWS_AS(server.start(), Error);
    CHECK_FALSE(server.is_running());
}

TEST_CASE("wss options: capath is a folder of certificates") {
    TlsLoopback loop;
    const Files files;
    files.write("root.pem", Authority::instance().root.pem);
    files.write("README", "not a certificate\n");
    const std::string path = files.path("");
    CHECK(attempt(loop, loop.uri(), {{"capath", path}}).echoed);
}
