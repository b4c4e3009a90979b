#include "support/error_of.hpp"
#include "support/loopback.hpp"

using namespace support;

namespace {

/// As many clients, each with its handshake complete.
std::vector<std::unique_ptr<Client>> connect(Loopback& loop, std::size_t count) {
    std::vector<std::unique_ptr<Client>> clients;
    for (std::size_t i = 0; i < count; ++i) clients.push_back(std::make_unique<Client>(loop.reactor, loop.uri()));
    for (const auto& client : clients) client->connect();
    loop.until([&] {
        return std::all_of(clients.begin(), clients.end(), [](const auto& client) { return client->is_writable(); }) &&
               loop.server.connection_count() == count;
    });
    return clients;
}

}  // namespace

TEST_CASE("server: what it is and where it listens can be asked") {
    Loopback loop;
    CHECK_FALSE(loop.server.is_running());
    CHECK(loop.server.port() == 0);
    CHECK(loop.server.name().empty());
    loop.server.start();
    CHECK(loop.server.is_running());
    CHECK(loop.server.port() != 0);
    CHECK(loop.server.name() == "127.0.0.1:" + std::to_string(loop.server.port()));
    CHECK(loop.server.scheme() == "ws");
    CHECK_FALSE(loop.server.is_ssl());
    loop.server.start();  // again: without effect
    CHECK(loop.server.is_running());
}

TEST_CASE("server: without a port it is 80, with TLS 443") {
    Reactor reactor;
    CHECK(Server(reactor).port() == 80);
    const Server secure(reactor, {.ssl = true});
    CHECK(secure.port() == 443);
    CHECK(secure.scheme() == "wss");
}

TEST_CASE("server: a port in use is an error that names it") {
    Loopback loop;
    loop.server.start();
    Server second(loop.reactor, {.host = "127.0.0.1", .port = loop.server.port()});
    try {
        second.start();
        FAIL("it listens");
    } catch (const Error& error) {
        CHECK(error.errc() == Errc::server_failed);
        CHECK(error.level() == ErrorLevel::handler);
        CHECK(std::string(error.what()).find("127.0.0.1:" + std::to_string(loop.server.port())) != std::string::npos);
        CHECK(error.cause().value() == EADDRINUSE);
    }
    CHECK_FALSE(second.is_running());
}

TEST_CASE("server: connections are a container, oldest first") {
    Loopback loop;
    loop.server.start();
    CHECK(loop.server.connections().empty());
    CHECK(loop.server.connections().first() == nullptr);
    const auto clients = connect(loop, 3);
    const Connections all = loop.server.connections();
    REQUIRE(all.size() == 3);
    CHECK(loop.server.connection_count() == 3);
    const ConnectionPtr first = all.first();
    CHECK(all.get(first->identity()) == first);
    CHECK(all.has(first->identity()));
    CHECK(all.get(0) == nullptr);
    CHECK(all.get(~std::uint64_t{0}) == nullptr);
    std::uint64_t last = 0;
    for (const ConnectionPtr& connection : all) {
        CHECK(connection->identity() > last);
        last = connection->identity();
    }
    CHECK(all.filter([&](const Connection& one) { return one.identity() != last; }).size() == 2);
    first->disconnect();
    std::size_t visited = 0;
    all.walk([&](Connection&) { ++visited; });
    CHECK(visited == 2);
    CHECK(loop.server.connections().size() == 2);
}

TEST_CASE("server: readable and writable connections are told apart") {
    Loopback loop;
    loop.server.start();
    const auto clients = connect(loop, 2);
    loop.server.connections().first()->close_write();
    CHECK(loop.server.readable_connections().size() == 2);
    CHECK(loop.server.writable_connections().size() == 1);
    loop.server.connections().get(loop.server.writable_connections().first()->identity())->close_read();
    CHECK(loop.server.readable_connections().size() == 1);
}

TEST_CASE("server: a broadcast reaches all who are writable") {
    Loopback loop;
    loop.server.start();
    const auto clients = connect(loop, 4);
    std::size_t texts = 0, binaries = 0, pings = 0, pongs = 0, closes = 0;
    for (const auto& client : clients)
        client->on_text([&](Connection&, MessageView m) { texts += m.content == "to all"; })
            .on_binary([&](Connection&, MessageView m) { binaries += m.length() == 100'000; })
            .on_ping([&](Connection&, MessageView) { ++pings; })
            .on_pong([&](Connection&, MessageView) { ++pongs; })
            .on_close([&](Connection&, MessageView m) { closes += m.close_status == CloseCode::going_away && m.content == "bye"; });
    loop.server.connections().first()->close_write();
    CHECK(loop.server.text("to all") == 3);
    CHECK(loop.server.send(PreparedMessage(Binary(std::string(100'000, 'b')))) == 3);
    CHECK(loop.server.ping("?") == 3);
    CHECK(loop.server.pong("!") == 3);
    CHECK(loop.server.close(CloseCode::going_away, "bye") == 3);
    CHECK(loop.server.text("too late") == 0);
    loop.until([&] { return closes == 3; });
    CHECK(texts == 3);
    CHECK(binaries == 3);
    CHECK(pings == 3);
    CHECK(pongs == 3);
}

TEST_CASE("server: a broadcast that cannot be sent is reported and sent to nobody") {
    Loopback loop;
    loop.server.start();
    const auto clients = connect(loop, 1);
    CHECK(loop.server.text("\xFF") == 0);
    REQUIRE(loop.errors.size() == 1);
    CHECK(loop.errors[0].errc() == Errc::message_encoding);
    CHECK(loop.server.ping(std::string(126, 'x')) == 0);
    CHECK(loop.errors.back().errc() == Errc::message_too_big);
}

TEST_CASE("server: stop keeps the connections and reads nothing, start resumes") {
    Loopback loop;
    std::size_t received = 0;
    loop.server.on_text([&](Connection& connection, MessageView m) {
        ++received;
        connection.text(m.content);
    });
    loop.server.start();
    const auto clients = connect(loop, 1);
    std::size_t echoed = 0;
    clients[0]->on_text([&](Connection&, MessageView) { ++echoed; });
    loop.server.stop();
    CHECK_FALSE(loop.server.is_running());
    clients[0]->text("while stopped");
    const Descriptor waiting = loop.dial();
    run_ready(loop.reactor.core());
    CHECK(received == 0);
    CHECK(loop.server.connection_count() == 1);
    loop.server.start();
    loop.until([&] { return echoed == 1; });
    CHECK(received == 1);
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
}

TEST_CASE("server: run returns after stop, and may run again") {
    Loopback loop;
    int rounds = 0;
    loop.reactor.post([&] { loop.server.stop(); });
    loop.server.run();
    CHECK_FALSE(loop.server.is_running());
    loop.reactor.post([&] {
        CHECK(loop.server.is_running());
        ++rounds;
        loop.server.stop();
    });
    loop.server.run();
    CHECK(rounds == 1);
}

TEST_CASE("server: disconnect drops all, and it may start anew") {
    Loopback loop;
    loop.server.start();
    const auto clients = connect(loop, 3);
    const std::uint16_t port = loop.server.port();
    loop.server.disconnect();
    CHECK_FALSE(loop.server.is_running());
    loop.until([&] { return loop.endings.size() == 3; });
    CHECK(loop.endings[0].code == CloseCode::abnormal);
    CHECK_FALSE(loop.endings[0].clean);
    CHECK(loop.server.connection_count() == 0);
    CHECK_FALSE(loop.dial());
    loop.server.start();
    CHECK(loop.server.port() == port);
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
}

TEST_CASE("server: shutdown sends 1001 to all and ends run when they have gone") {
    Loopback loop;
    loop.server.start();
    const auto clients = connect(loop, 5);
    std::size_t told = 0;
    for (const auto& client : clients)
        client->on_close([&](Connection&, MessageView m) { told += m.close_status == CloseCode::going_away; });
    const Descriptor handshaking = loop.dial();
    run_ready(loop.reactor.core());
    loop.reactor.post([&] { loop.server.shutdown(); });
    loop.server.run();
    CHECK(told == 5);
    CHECK(loop.endings.size() == 5);
    CHECK(std::all_of(loop.endings.begin(), loop.endings.end(), [](const Disconnect& ending) { return ending.clean; }));
    CHECK_FALSE(loop.dial());
}

TEST_CASE("server: shutdown drops those who do not answer in time") {
    Loopback loop;
    loop.server.start();
    RawPeer silent(loop.reactor.core(), loop.dial());
    silent.shake_hands();
    loop.server.shutdown(CloseCode::service_restart, Seconds(0));
    loop.until([&] { return loop.endings.size() == 1; });
    CHECK_FALSE(loop.endings[0].clean);
    CHECK(silent.receive() == std::string("\x88\x02\x03\xF4", 4));
    CHECK_THROWS_AS(loop.server.shutdown(CloseCode::going_away, Seconds(-1)), Error);
}

TEST_CASE("server: one that is started again while it shuts down goes on") {
    Loopback loop;
    loop.server.start();
    Client client(loop.reactor, loop.uri());
    client.remove_close_handler();
    client.connect();
    loop.until([&] { return loop.server.connection_count() == 1; });
    loop.server.shutdown(CloseCode::going_away, Seconds(0.005));
    loop.server.start();
    CHECK(loop.server.is_running());
    bool is_past = false;
    loop.reactor.after(Seconds(0.01), [&] { is_past = true; });
    loop.until([&] { return is_past; });
    CHECK(loop.server.is_running());
    CHECK(loop.server.connection_count() == 1);
    Client another(loop.reactor, loop.uri());
    another.connect();
    loop.until([&] { return another.is_writable(); });
}

TEST_CASE("server: max_connections is a bound, beyond it is 503 with Retry-After") {
    Loopback loop;
    loop.server.set_max_connections(2);
    loop.server.start();
    std::vector<std::unique_ptr<RawPeer>> peers;
    for (int i = 0; i < 2; ++i) {
        peers.push_back(std::make_unique<RawPeer>(loop.reactor.core(), loop.dial()));
        peers.back()->shake_hands();
    }
    Client third(loop.reactor, loop.uri());
    std::optional<Error> refused;
    third.on_error([&](Connection*, const Error& error) { refused = error; });
    third.connect();
    loop.until([&] { return refused.has_value(); });
    CHECK(refused->errc() == Errc::handshake_failed);
    REQUIRE(refused->response() != nullptr);
    CHECK(refused->response()->status == 503);
    CHECK(refused->response()->headers.has("Retry-After"));
    CHECK(refused->response()->body == "the server has as many connections as it may have\n");
    peers.pop_back();
    loop.until([&] { return loop.server.connection_count() == 1; });
    peers.push_back(std::make_unique<RawPeer>(loop.reactor.core(), loop.dial()));
    peers.back()->shake_hands();
}

TEST_CASE("server: on_http answers the health checks of proxies, which speak HTTP/1.0 and ask by OPTIONS") {
    Loopback loop;
    loop.server.on_http([](const Request& request) { return Response{200, {}, {}, request.method + " " + request.target}; }).start();
    const auto ask = [&](const std::string& request) {
        RawPeer peer(loop.reactor.core(), loop.dial());
        peer.send(request);
        return std::string(peer.receive());
    };
    for (const std::string method : {"GET", "OPTIONS"}) {
        for (const char* rest : {" / HTTP/1.0\r\n\r\n", " / HTTP/1.0\r\nHost: a\r\n\r\n", " / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                                 " / HTTP/1.1\r\nHost: a\r\n\r\n"}) {
            const std::string answer = ask(method + rest);
            CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
            CHECK(answer.find("Connection: close\r\n") != std::string::npos);
            CHECK(answer.ends_with("\r\n\r\n" + method + " /"));
        }
    }
    CHECK(ask("OPTIONS * HTTP/1.0\r\n\r\n").ends_with("OPTIONS *"));
    CHECK(ask("HEAD / HTTP/1.0\r\n\r\n").ends_with("\r\n\r\n"));
    CHECK(loop.errors.empty());
}

TEST_CASE("server: an answer of on_http that cannot be sent, or is 101, becomes 500 and is told, and the server goes on") {
    Loopback loop;
    Response bad =
        GENERATE(Response{101, {}, {}, {}}, Response{200, {}, {{"X-Name", "a\r\nX-Injected: b"}}, "page"}, Response{204, {}, {}, "page"});
    bool opened = false;
    loop.server.on_handshake([&](Connection&, const Request&, const Response&) { opened = true; });
    loop.server.on_http([&](const Request& request) { return request.target == "/bad" ? bad : Response{.body = "page"}; }).start();
    RawPeer first(loop.reactor.core(), loop.dial());
    first.send("GET /bad HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(first.receive().starts_with("HTTP/1.1 500 "));
    CHECK(first.received.find("Injected") == std::string::npos);
    REQUIRE(loop.errors.size() == 1);
    CHECK(loop.errors[0].errc() == Errc::handshake_failed);
    RawPeer second(loop.reactor.core(), loop.dial());
    second.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(second.receive().ends_with("page"));
    CHECK_FALSE(opened);
}

TEST_CASE("server: on_http answers pages, HEAD without the body; without it they get 426") {
    Loopback loop;
    loop.server.start();
    const auto ask = [&](const std::string& method) {
        RawPeer peer(loop.reactor.core(), loop.dial());
        peer.send(method + " /health?x=1 HTTP/1.1\r\nHost: a\r\n\r\n");
        return std::string(peer.receive());
    };
    const std::string none = ask("GET");
    CHECK(none.starts_with("HTTP/1.1 426 Upgrade Required\r\n"));
    CHECK(none.find("Sec-WebSocket-Version: 13\r\n") != std::string::npos);
    loop.server.on_http([](const Request& request) {
        return Response{200, {}, {{"Content-Type", "text/plain"}}, std::string(request.path()) + " is well\n"};
    });
    const std::string page = ask("GET");
    CHECK(page.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(page.find("Content-Length: 16\r\n") != std::string::npos);
    CHECK(page.find("Connection: close\r\n") != std::string::npos);
    CHECK(page.ends_with("\r\n\r\n/health is well\n"));
    const std::string head = ask("HEAD");
    CHECK(head.find("Content-Length: 16\r\n") != std::string::npos);
    CHECK(head.ends_with("\r\n\r\n"));
    CHECK(ask("POST").starts_with("HTTP/1.1 405 "));
}

TEST_CASE("server: on_http may replace itself, throw, and destroy the server") {
    std::optional<Loopback> loop;
    loop.emplace();
    loop->server.start();
    RawPeer first(loop->reactor.core(), loop->dial());
    loop->server.on_http([&](const Request&) {
        loop->server.on_http([](const Request&) -> Response { throw std::runtime_error("no page"); });
        return Response{.body = "first"};
    });
    first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(first.receive().ends_with("first"));
    RawPeer second(loop->reactor.core(), loop->dial());
    second.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(second.receive().starts_with("HTTP/1.1 500 "));
    REQUIRE(loop->errors.size() == 1);
    CHECK(loop->errors[0].errc() == Errc::callback_failed);
    CHECK(std::string(loop->errors[0].what()).ends_with("no page"));
}

TEST_CASE("server: Unix sockets have names, and leave no file behind") {
    const TemporaryDirectory directory;
    const std::string path = directory.file("socket");
    Reactor reactor;
    {
        Server server(reactor, {.unix_path = path});
        server.on_text([](Connection& connection, MessageView m) { connection.text(m.content); });
        server.start();
        CHECK(server.name() == "unix:" + path);
        CHECK(server.port() == 0);
        Client client(reactor, "ws://localhost/", {.unix_path = path});
        std::string answer, remote;
        client.on_text([&](Connection& connection, MessageView m) {
            answer = m.content;
            remote = connection.remote_name();
        });
        client.text("over a Unix socket");
        REQUIRE(run_until(reactor.core(), [&] { return !answer.empty(); }));
        CHECK(answer == "over a Unix socket");
        CHECK(remote == "unix:" + path);
    }
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("server: takes over a descriptor that listens already") {
    Descriptor listening = listen_on(transport::Address::literal("127.0.0.1", 0));
    const std::uint16_t port = transport::Address::local_of(listening.get()).port();
    Reactor reactor;
    Server server(reactor, {.descriptor = listening.release()});
    server.start();
    CHECK(server.port() == port);
    RawPeer peer(reactor.core(), connect_to(transport::Address::literal("127.0.0.1", port)));
    peer.shake_hands();
}

TEST_CASE("server: a descriptor that was used up is refused, whatever has ended its listening") {
    const TemporaryDirectory directory;
    const bool is_unix = GENERATE(false, true);
    const auto address = is_unix ? transport::Address::unix_socket(directory.file("s")) : transport::Address::literal("127.0.0.1", 0);
    Descriptor listening = listen_on(address);
    const std::string where = transport::Address::local_of(listening.get()).str();
    Reactor reactor;
    Server server(reactor, {.descriptor = listening.release()});
    // Neither uses it up: it was not started yet.
    server.stop().disconnect();
    server.start();
    CHECK(server.name() == where);
    // It listens on.
    server.stop().start();
    CHECK(server.is_running());
    SECTION("disconnect") { server.disconnect(); }
    SECTION("stop, disconnect") { server.stop().disconnect(); }
    SECTION("disconnect, stop") { server.disconnect().stop(); }
    SECTION("shutdown") { server.shutdown(); }
    SECTION("stop, shutdown") { server.stop().shutdown(); }
    SECTION("shutdown, disconnect, stop") { server.shutdown().disconnect().stop(); }
    for (int tries = 0; tries < 2; ++tries) {
        const std::string refusal = error_of(Errc::server_failed, [&] { server.start(); });
        CHECK_THAT(refusal, Catch::Matchers::StartsWith("cannot listen on " + where + " again: descriptor "));
        CHECK_FALSE(server.is_running());
        CHECK(server.name() == where);
    }
}

TEST_CASE("server: what one connection sends without end does not reach another") {
    Loopback loop({.high_water_mark = 1000, .low_water_mark = 250});
    int sent = 0;
    const auto pour = [&](Connection& connection) {
        for (int i = 0; i < 3 && sent < 6000; ++i, ++sent) connection.binary(std::string(100, 'A') + std::string(300, 'a'));
    };
    loop.server.on_drain(pour).on_binary([&](Connection& connection, MessageView) { pour(connection); });
    loop.server.on_text([](Connection& connection, MessageView m) { connection.text(m.content); }).start();
    RawPeer greedy(loop.reactor.core(), loop.dial());
    greedy.shake_hands();
    RawPeer modest(loop.reactor.core(), loop.dial());
    modest.shake_hands();
    const std::string poured = std::string("\x82\x7E\x01\x90", 4) + std::string(100, 'A') + std::string(300, 'a');
    const std::string echoed = std::string("\x81\x01", 2) + "B";
    while (sent < 6000) {
        // Both are served in one iteration of the loop.
        greedy.send(RawPeer::frame(0x82, "go"));
        modest.send(RawPeer::frame(0x81, "B"));
        loop.reactor.run_once(Seconds(1));
        modest.receive(echoed);
        greedy.receive(poured);
    }
    loop.until([&] { return greedy.receive(poured).size() == 6000 * poured.size(); });
    for (std::size_t at = 0; at < greedy.received.size(); at += poured.size()) REQUIRE(greedy.received.substr(at, poured.size()) == poured);
    for (std::size_t at = 0; at < modest.received.size(); at += echoed.size()) REQUIRE(modest.received.substr(at, echoed.size()) == echoed);
}
