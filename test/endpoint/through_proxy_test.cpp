#include "support/proxy_server.hpp"
#include "support/tls_loopback.hpp"

using namespace support;

namespace {

Configuration through(const std::string& proxy, const SslOptions& options) {
    Configuration configuration = with_ssl(options);
    configuration.context.set_option("http", "proxy", proxy);
    return configuration;
}

}  // namespace

TEST_CASE("through a proxy: wss is verified by the target's name, which the proxy resolves") {
    TlsLoopback loop;
    ProxyServer proxy(loop.reactor.core());
    const std::string port = std::to_string(loop.server.port());
    const auto outcome = [&](const std::string& host) {
        Client client(loop.reactor, loop.uri(host), {.configuration = through("http://me:secret@" + proxy.address(), trusting())});
        return attempt(loop, loop.uri(host), {}, &client);
    };
    CHECK(outcome("localhost").echoed);
    const std::string request =
        "CONNECT localhost:" + port + " HTTP/1.1\r\nHost: localhost:" + port + "\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n";
    CHECK(proxy.requests == std::vector<std::string>{request});
    const Attempt elsewhere = outcome("elsewhere.invalid");
    CHECK(elsewhere.error->errc() == Errc::tls_failed);
    CHECK(elsewhere.failure().find("is not for \"elsewhere.invalid\"") != std::string::npos);
}

TEST_CASE("through a proxy: ws too, and its credentials are the proxy's alone") {
    Loopback loop;
    ProxyServer proxy(loop.reactor.core());
    std::string reply;
    bool was_told = true;
    loop.server.on_text([](Connection& connection, MessageView m) { connection.text(m.content); });
    loop.server.on_handshake([&](Connection&, const Request& request, const Response&) {
        was_told = request.headers.has("Proxy-Authorization") || request.headers.has("Authorization");
    });
    loop.server.start();
    Client client(loop.reactor, "ws://nowhere.invalid:" + std::to_string(loop.server.port()) + "/",
                  {.configuration = through("http://me:secret@" + proxy.address(), {})});
    client.on_text([&](Connection& connection, MessageView m) {
        reply = m.content;
        connection.close();
    });
    client.text("hello");
    REQUIRE(run_until(loop.reactor.core(), [&] { return !reply.empty() && !client.is_connected(); }));
    CHECK(reply == "hello");
    CHECK_FALSE(was_told);
    CHECK(proxy.requests.size() == 1);
}

TEST_CASE("through a proxy: a failure is the client's, and told without credentials") {
    Reactor reactor;
    const std::string nobody = Address::local_of(listen_on(Address::literal("127.84.73.61", 0)).get()).str();
    Client client(reactor, "ws://target.example/", {.configuration = through("socks5://me:secret@" + nobody, {})});
    std::optional<Error> error;
    client.on_error([&](Connection*, const Error& why) { error = why; });
    client.connect();
    REQUIRE(run_until(reactor.core(), [&] { return error.has_value(); }));
    CHECK(error->errc() == Errc::client_failed);
    CHECK(error->what() == "cannot connect to target.example:80 through a proxy (http option \"proxy\"): cannot connect to " + nobody +
                               ": Connection refused");
}

TEST_CASE("through a proxy: what it refuses on purpose is not asked for again") {
    Reactor reactor;
    const Descriptor listening = listen_on(Address::literal("127.0.0.1", 0));
    const auto [answer, asked_again] = GENERATE(std::pair{"401 Unauthorized", false}, std::pair{"403 Forbidden", false},
                                                std::pair{"407 Proxy Authentication Required", false}, std::pair{"503 Busy", true});
    CAPTURE(answer);
    std::vector<Descriptor> asked;
    reactor.core().attach(listening.get(), Readiness::readable, [&, head = "HTTP/1.1 " + std::string(answer) + "\r\n\r\n"](Readiness) {
        asked.emplace_back(check(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
        check(int(::send(asked.back().get(), head.data(), head.size(), MSG_NOSIGNAL)), "send");
    });
    Client client(reactor, "ws://target.example/",
                  {.configuration = through("http://me:wrong@" + Address::local_of(listening.get()).str(), {})});
    client.set_reconnect(ReconnectOptions{.initial = Seconds(0), .maximum = Seconds(0), .max_attempts = 2});
    std::vector<std::string> errors;
    client.on_error([&](Connection*, const Error& error) { errors.emplace_back(error.what()); });
    client.text("lost");
    REQUIRE(run_until(reactor.core(), [&] { return !errors.empty() && errors.back().find("was not sent") != std::string::npos; }));
    CHECK(asked.size() == (asked_again ? 3 : 1));
    CHECK(errors[0].find(answer) != std::string::npos);
    reactor.core().detach(listening.get());
}

TEST_CASE("through a proxy: a Unix socket cannot be reached, and that is refused at once") {
    Reactor reactor;
    const Configuration configuration = through("http://127.0.0.1:1", {});
    const std::string refusal = "http option \"proxy\" is refused beside the Unix socket \"/a\": no proxy leads there";
    CHECK_THROWS_WITH(Client(reactor, "ws://a/", {.unix_path = "/a", .configuration = configuration}), refusal);
    Client client(reactor, "ws://a/", {.unix_path = "/a"});
    CHECK_THROWS_WITH(client.set_configuration(configuration), refusal);
    CHECK_THROWS_WITH(client.set_option("http", "proxy", "http://127.0.0.1:1"), refusal);
}
