#include "support/loopback.hpp"
#include "support/sim_world.hpp"

using namespace support;

namespace {

constexpr ReconnectOptions at_once{.initial = Seconds(0), .maximum = Seconds(0)};

/// A server on the loop of another that answers each handshake with a redirect, or accepts it where that is 0.
struct Redirector {
    Redirector(Reactor& reactor, std::string location) : server(reactor, {.host = "127.0.0.1", .port = 0}) {
        const auto middleware = std::make_shared<Callback>();
        middleware->on_http_incoming = [this, location](Connection&, HttpMessage message, const HttpNext& next) {
            requests.push_back(std::get<Request>(message));
            if (status == 0) return next(std::move(message));
            next.respond(Response{status, {}, {{"Location", location}}, {}});
        };
        server.add_middleware(middleware).start();
    }
    std::string uri() const { return "ws://me:secret@" + server.name() + "/"; }

    Server server;
    int status = 302;
    std::vector<Request> requests;
};

}  // namespace

TEST_CASE("reconnect: a temporary redirect is for one attempt, a permanent one is kept") {
    const auto [status, comes_home] =
        GENERATE(std::pair{302, true}, std::pair{303, true}, std::pair{307, true}, std::pair{301, false}, std::pair{308, false});
    CAPTURE(status);
    Loopback node;
    node.server.start();
    Redirector balancer(node.reactor, node.uri("/node"));
    balancer.status = status;
    Client client(node.reactor, balancer.uri(), {.headers = {{"Cookie", "a=1"}}});
    client.set_option("http", "follow_location", true).set_reconnect(at_once);
    int opened = 0;
    client.on_handshake([&](Connection&, const Request&, const Response&) { ++opened; });
    client.connect();
    node.until([&] { return opened == 1 && node.server.connection_count() == 1; });
    CHECK(client.uri().str() == node.uri("/node"));
    balancer.status = 0;
    node.server.connections().first()->disconnect();
    node.until([&] { return opened == 2; });
    CHECK(client.uri().target() == (comes_home ? "/" : "/node"));
    REQUIRE(balancer.requests.size() == (comes_home ? 2 : 1));
    CHECK(balancer.requests.back().headers.has("Authorization"));
    CHECK(balancer.requests.back().headers.get("Cookie") == "a=1");
}

TEST_CASE("reconnect: redirects to what is dead are followed anew each time, beyond the number that is allowed in a row") {
    Reactor reactor;
    Redirector balancer(reactor, "ws://127.0.0.1:1/");
    Client client(reactor, balancer.uri());
    client.set_option("http", "max_redirects", 2).set_reconnect(at_once);
    std::vector<Errc> errors;
    client.on_error([&](Connection*, const Error& error) { errors.push_back(error.errc()); });
    client.connect();
    REQUIRE(run_until(reactor.core(), [&] { return balancer.requests.size() == 5; }));
    CHECK(errors == std::vector(4, Errc::client_failed));
}

TEST_CASE("reconnect: a final refusal by where a redirect leads for one attempt is a failure like another") {
    const auto [status, is_final] =
        GENERATE(std::pair{302, false}, std::pair{303, false}, std::pair{307, false}, std::pair{301, true}, std::pair{308, true});
    const int refusal = GENERATE(401, 404);
    CAPTURE(status, refusal);
    Reactor reactor;
    Redirector node(reactor, "");
    node.status = refusal;
    Redirector balancer(reactor, node.uri());
    balancer.status = status;
    Client client(reactor, balancer.uri());
    client.set_option("http", "follow_location", true).set_reconnect(at_once);
    std::size_t failures = 0;
    client.on_error([&](Connection*, const Error& error) { failures += error.response() && error.response()->status == refusal; });
    client.connect();
    const std::size_t expected = is_final ? 1 : 3;
    REQUIRE(run_until(reactor.core(), [&] { return failures == expected; }));
    if (is_final) run_ready(reactor.core());
    CHECK(node.requests.size() == expected);
    CHECK(balancer.requests.size() == expected);
}

TEST_CASE("reconnect: a redirect that cannot be followed is a refusal like another, and tried again") {
    Reactor reactor;
    Redirector server(reactor, GENERATE("ftp://x.example/", "ws:x/",
                                        "ws://b\xC3\xBC"
                                        "cher.example/"));
    Client client(reactor, server.uri());
    client.set_option("http", "follow_location", true);
    const bool comes_back = GENERATE(true, false);
    if (comes_back) client.set_reconnect(at_once);
    std::optional<Error> failure;
    client.on_error([&](Connection*, const Error& error) { failure = error; });
    if (comes_back) {
        client.connect();
        REQUIRE(run_until(reactor.core(), [&] { return server.requests.size() == 3; }));
    } else {
        CHECK_THROWS_AS(client.run(), Error);
    }
    REQUIRE(failure);
    CHECK(failure->errc() == Errc::handshake_failed);
    CHECK(std::string(failure->what()).starts_with(server.server.name() + ": the redirect by 302 is not followed: bad URI "));
    CHECK(failure->response()->status == 302);
}

TEST_CASE("reconnect: a URI of the application's that cannot be ends the connection, and is told") {
    Loopback loop;
    loop.server.start();
    Client client(loop.reactor, loop.uri());
    client.set_reconnect(at_once);
    int opened = 0;
    std::vector<std::string> errors;
    client.on_error([&](Connection*, const Error& error) { errors.emplace_back(error.what()); })
        .on_handshake([&](Connection&, const Request&, const Response&) {
            if (++opened == 1) throw ReconnectRequested("ftp://x/");
        });
    client.connect();
    loop.until([&] { return opened == 2; });
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].find("cannot connect anew: bad URI \"ftp://x/\"") != std::string::npos);
}

TEST_CASE("reconnect: a client comes back after the connection was lost, and what was sent meanwhile arrives") {
    Loopback loop;
    int drops = 0;
    loop.server.on_text([&](Connection& connection, MessageView m) {
        if (m.content == "drop" && ++drops) return connection.disconnect();
        connection.text(m.content);
    });
    loop.server.start();
    Client client(loop.reactor, loop.uri());
    client.set_reconnect(at_once);
    std::vector<std::string> received;
    int handshakes = 0, ends = 0;
    client.on_handshake([&](Connection&, const Request&, const Response&) { ++handshakes; })
        .on_text([&](Connection&, MessageView m) { received.emplace_back(m.content); })
        .on_disconnect([&](Connection&, const Disconnect& ending) {
            ++ends;
            CHECK(ending.code == CloseCode::abnormal);
            client.text("after " + std::to_string(ends));
        });
    client.text("drop");
    loop.until([&] { return received.size() == 1; });
    client.text("drop");
    loop.until([&] { return received.size() == 2; });
    CHECK(received == std::vector<std::string>{"after 1", "after 2"});
    CHECK(handshakes == 3);
}

TEST_CASE("reconnect: not after an end that the application asked for") {
    for (int way = 0; way < 4; ++way) {
        INFO(way);
        Loopback loop;
        loop.server.start();
        Client client(loop.reactor, loop.uri());
        client.set_reconnect(at_once);
        int handshakes = 0;
        client.on_handshake([&](Connection& connection, const Request&, const Response&) {
            ++handshakes;
            if (way == 0) client.close();
            if (way == 1) connection.close();
            if (way == 2) client.disconnect();
            if (way == 3) connection.disconnect();
        });
        client.connect();
        loop.until([&] { return loop.endings.size() == 1 && !client.is_connected(); });
        run_ready(loop.reactor.core());
        CHECK(handshakes == 1);
    }
}

TEST_CASE("reconnect: failures to connect are tried again up to the bound, then the queue is told lost") {
    Reactor reactor;
    Client client(reactor, "ws://127.0.0.1:1/");
    client.set_reconnect(ReconnectOptions{.initial = Seconds(0), .maximum = Seconds(0), .max_attempts = 3});
    std::vector<Errc> errors;
    client.on_error([&](Connection*, const Error& error) { errors.push_back(error.errc()); });
    client.text("x");
    reactor.run();
    CHECK(errors ==
          std::vector{Errc::client_failed, Errc::client_failed, Errc::client_failed, Errc::client_failed, Errc::connection_failure});
}

TEST_CASE("reconnect: disconnect, stop and destruction cancel one that is due") {
    for (int way = 0; way < 4; ++way) {
        INFO(way);
        Reactor reactor;
        auto client = std::make_unique<Client>(reactor, "ws://127.0.0.1:1/");
        client->set_reconnect(ReconnectOptions{.initial = Seconds(1e6), .maximum = Seconds(1e6)});
        int errors = 0;
        client->on_error([&](Connection*, const Error&) { ++errors; });
        client->connect();
        REQUIRE(run_until(reactor.core(), [&] { return errors == 1; }));
        if (way == 0) client->disconnect();
        if (way == 1) client->stop();
        if (way == 2) client->set_reconnect(std::nullopt);
        if (way == 3) client.reset();
        reactor.run();  // nothing is left to wait for
        CHECK(errors == 1);
    }
}

TEST_CASE("reconnect: the wait is the one that the server asks for") {
    // The next attempt finds nothing: its error tells when it was made.
    SimWorld world({}, {}, GENERATE(1u, 2u, 3u));
    world.client->set_reconnect(ReconnectOptions{.max_attempts = 1}).connect();
    world.pass(Seconds(1));
    world.client->set_reconnect(ReconnectOptions{.initial = Seconds(0.5), .maximum = Seconds(40)});
    const auto not_before = [&](Seconds least, Seconds most) {
        world.settle();
        world.at_client.take();
        world.pass(least);
        CHECK_FALSE(world.at_client.has("error client_failed"));
        world.pass(most - least);
        CHECK(world.at_client.has("error client_failed"));
    };
    SECTION("1012: 5 to 30 s") {
        SimPeer peer = world.open_server();
        peer.close(CloseCode::service_restart);
        world.settle();
        peer.finish();
        not_before(Seconds(4.99), Seconds(30.1));
    }
    SECTION("1013: half the maximum to all of it") {
        SimPeer peer = world.open_server();
        peer.close(CloseCode::try_again_later);
        world.settle();
        peer.finish();
        not_before(Seconds(19.99), Seconds(40.1));
    }
    SECTION("any other: within the first ceiling") {
        SimPeer peer = world.open_server();
        peer.socket().reset();
        not_before(Seconds(0), Seconds(0.6));
    }
    SECTION("Retry-After") {
        SimPeer peer = world.raw_server();
        world.settle();
        peer.send("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n");
        not_before(Seconds(119.9), Seconds(120.6));
    }
}

TEST_CASE("reconnect: {} asks for the defaults, nullopt for an end of it") {
    SimWorld world;
    world.client->set_reconnect(ReconnectOptions{.max_attempts = 1}).connect();
    world.pass(Seconds(1));
    world.client->set_reconnect({});
    const bool comes_back = GENERATE(true, false);
    if (!comes_back) world.client->set_reconnect(std::nullopt);
    SimPeer peer = world.open_server();
    peer.socket().reset();
    world.settle();
    CHECK(world.at_client.has("disconnect 1006"));
    world.at_client.take();
    world.pass(Seconds(0.6));
    CHECK(world.at_client.has("error client_failed") == comes_back);
}

TEST_CASE("reconnect: a connection that PingInterval gave up is one that was lost") {
    SimWorld world;
    world.client->set_reconnect(ReconnectOptions{.max_attempts = 1}).connect();
    world.pass(Seconds(1));
    world.client->set_reconnect(ReconnectOptions{.initial = Seconds(0.5), .max_attempts = 1});
    world.client->add_middleware(std::make_shared<PingInterval>(Seconds(20), Seconds(5)));
    SimPeer peer = world.open_server();
    world.at_client.take();
    world.pass(Seconds(26));
    CHECK(world.at_client.lines() == std::vector<std::string>{"error ping_timeout", "disconnect 1006", "error client_failed"});
}

TEST_CASE("reconnect: a client that was stopped and started again comes back too") {
    Loopback loop;
    loop.server.start();
    Client client(loop.reactor, loop.uri());
    client.set_reconnect(at_once);
    int handshakes = 0;
    client.on_handshake([&](Connection&, const Request&, const Response&) { ++handshakes; });
    client.connect();
    loop.until([&] { return loop.server.connection_count() == 1 && handshakes == 1; });
    client.stop().start();
    loop.server.connections().first()->disconnect();
    loop.until([&] { return handshakes == 2; });
}

TEST_CASE("reconnect: what the application begins in on_error is the one attempt there is") {
    Loopback loop;
    loop.server.start();
    Client client(loop.reactor, loop.uri());
    loop.server.disconnect();
    int handshakes = 0;
    loop.server.on_handshake([&](Connection&, const Request&, const Response&) { ++handshakes; });
    SECTION("beside the one that comes by itself") { client.set_reconnect(at_once); }
    SECTION("alone") {}
    client.on_error([&](Connection*, const Error& error) {
        CHECK(error.errc() == Errc::client_failed);
        loop.server.start();
        client.text("not lost");
    });
    std::string received;
    loop.server.on_text([&](Connection&, MessageView m) { received += m.content; });
    client.connect();
    loop.until([&] { return !received.empty(); });
    run_ready(loop.reactor.core());
    CHECK(received == "not lost");
    CHECK(handshakes == 1);
    CHECK(loop.server.connection_count() == 1);
}

TEST_CASE("reconnect: ReconnectRequested in on_error is followed behind one that leads nowhere, but not for ever") {
    Loopback node;
    node.server.start();
    Client client(node.reactor, "ws://127.0.0.1:1/");
    const int bad = GENERATE(1, 15, 16, 1000);
    CAPTURE(bad);
    int told = 0;
    client.on_error([&](Connection*, const Error&) { throw ReconnectRequested(++told <= bad ? "ws://bad uri/" : node.uri()); });
    client.connect();
    node.until([&] { return told == 17 || node.server.connection_count() == 1; });
    run_ready(node.reactor.core());
    CHECK(told == std::min(bad + 1, 17));
    CHECK(client.is_connected() == (bad < 16));
}

TEST_CASE("reconnect: attempts that every on_error asks for wait once 16 in a row have failed") {
    Reactor reactor;
    Client client(reactor, "ws://127.0.0.1:1/");
    int told = 0;
    client.on_error([&](Connection*, const Error&) {
        ++told;
        throw ReconnectRequested("ws://127.0.0.1:2/");
    });
    for (int rounds : {1, 2}) {
        CAPTURE(rounds);
        client.connect();
        REQUIRE(run_until(reactor.core(), [&] { return told == 16 * rounds; }));
        run_ready(reactor.core());
        CHECK(told == 16 * rounds);
        CHECK_FALSE(client.is_connected());
        client.disconnect();
    }
}

TEST_CASE("reconnect: a ReconnectRequested that TLS cannot follow ends the attempt under way") {
    const Blackhole silent(transport::Address::literal("127.0.0.1", 0));
    Reactor reactor;
    const auto asks = GENERATE(0, 1, 2);
    Client client(reactor, "ws://" + silent.address().str(), {.configuration = {.tick_interval = Seconds(0.001)}});
    client.set_option("ssl", "cafile", "/missing/authorities");
    std::vector<std::string> told;
    client.on_error([&](Connection*, const Error& error) {
        told.emplace_back(error.what());
        if (told.size() > 1) return;
        if (asks == 1) throw std::runtime_error("thrown by on_error");
        if (asks == 2) throw CloseRequested();
    });
    client.on_tick([](Client&) { throw ReconnectRequested("wss://127.0.0.1:1/"); });
    CHECK(client.text("lost") == SendStatus::ok);
    CHECK_THROWS_WITH(client.run(), Catch::Matchers::ContainsSubstring(asks == 1 ? "thrown by on_error" : "/missing/authorities"));
    REQUIRE(told.size() == 2);
    CHECK(told[0].find("/missing/authorities") != std::string::npos);
    CHECK(told[1].find("1 queued message for ") == 0);
    CHECK_FALSE(client.is_connected());
}

TEST_CASE("reconnect: a ReconnectRequested of on_disconnect that leads nowhere is told, without the connection") {
    Loopback node;
    node.server.start();
    Client client(node.reactor, node.uri());
    std::vector<std::string> told;
    client.on_handshake([](Connection& connection, const Request&, const Response&) { connection.close(); })
        .on_disconnect([](Connection&, const Disconnect&) { throw ReconnectRequested("nonsense://"); })
        .on_error([&](Connection* connection, const Error& error) {
            CHECK(connection == nullptr);
            told.emplace_back(error.what());
        });
    client.connect();
    node.until([&] { return !told.empty(); });
    run_ready(node.reactor.core());
    REQUIRE(told.size() == 1);
    CHECK(told[0].find("cannot connect anew: ") != std::string::npos);
}

TEST_CASE("reconnect: redirects in a row do not wait, however many are allowed") {
    Reactor reactor;
    Redirector node(reactor, "");
    const int redirects = GENERATE(15, 16, 17, 40);
    CAPTURE(redirects);
    const auto count = std::make_shared<Callback>();
    int left = redirects;
    count->on_http_incoming = [&](Connection&, HttpMessage message, const HttpNext& next) {
        node.status = left-- > 0 ? 302 : 0;
        next(std::move(message));
    };
    node.server.add_middleware(count);
    Client client(reactor, node.uri());
    client.set_option("http", "max_redirects", redirects);
    client.connect();
    // Without a wait: everything is on this machine.
    for (int i = 0; i < 100 && !client.is_writable(); ++i) run_ready(reactor.core());
    CHECK(client.is_writable());
    CHECK(node.requests.size() == std::size_t(redirects) + 1);
}

TEST_CASE("reconnect: attempts of its own are not those that callbacks ask for, and wait by their own times") {
    SimWorld world;
    world.client->set_reconnect(ReconnectOptions{.initial = Seconds(0), .maximum = Seconds(0), .max_attempts = 40}).connect();
    world.pass(Seconds(0.5));
    CHECK(world.at_client.count("error client_failed") == 41);
}

TEST_CASE("reconnect: while an attempt that on_error asks for waits, every call counts") {
    SimWorld world;
    const auto attempts = [&] { return world.at_client.count("error client_failed"); };
    world.at_client.then = [](std::string_view line, Connection*) {
        if (line == "error client_failed") throw ReconnectRequested("/elsewhere");
    };
    world.client->connect();
    world.pass(Seconds(0.9));
    REQUIRE(attempts() == 16);
    std::size_t expected = 17;
    SECTION("none") {}
    SECTION("no coming back: that was not what waits") { world.client->set_reconnect(std::nullopt); }
    SECTION("coming back: nor is it now") { world.client->set_reconnect(ReconnectOptions{.initial = Seconds(0), .maximum = Seconds(0)}); }
    SECTION("sending waits with it") { CHECK(world.client->text("queued") == SendStatus::ok); }
    SECTION("connect, which does not wait") {
        world.client->connect();
        world.settle();
        expected = 32;
        CHECK(attempts() == expected);
    }
    SECTION("disconnect") {
        world.client->disconnect();
        expected = 16;
    }
    SECTION("stop") {
        world.client->stop();
        expected = 16;
    }
    SECTION("its end") {
        world.client.reset();
        expected = 16;
    }
    world.pass(Seconds(0.15));
    CHECK(attempts() == expected);
    world.at_client.then = nullptr;
}

TEST_CASE("reconnect: run() returns when the last attempt that on_error asks for has failed, and not while it waits") {
    SimWorld world;
    std::size_t left = 17;
    world.at_client.then = [&](std::string_view line, Connection*) {
        if (line == "error client_failed" && left-- > 0) throw ReconnectRequested("/elsewhere");
    };
    CHECK_THROWS_AS(world.client->run(), Error);
    CHECK(world.at_client.count("error client_failed") == 18);
    CHECK(world.client->is_running());
}
