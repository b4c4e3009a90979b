#include "connection/link.hpp"
#include "support/catch.hpp"
#include "support/sim_world.hpp"

using namespace hawser;
using namespace support;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using Lines = std::vector<std::string>;

namespace {

using HttpHook = std::function<void(Connection&, HttpMessage, const HttpNext&)>;

std::shared_ptr<Callback> http(HttpHook in, HttpHook out = {}) {
    const auto middleware = std::make_shared<Callback>();
    middleware->on_http_incoming = std::move(in);
    middleware->on_http_outgoing = std::move(out);
    return middleware;
}

/// Appends its name to a field, coming in and going out.
std::shared_ptr<Callback> mark(char name) {
    const auto pass = [name](Connection&, HttpMessage message, const HttpNext& next) {
        std::visit(
            [name](auto& http) {
                const auto before = http.headers.get("X-Passed");
                http.headers.set("X-Passed", (before ? std::string(*before) : "") + name);
            },
            message);
        next(std::move(message));
    };
    return http(pass, pass);
}

std::string passed(const Headers& headers) { return std::string(headers.get("X-Passed").value_or("")); }

}  // namespace

TEST_CASE("link: the handshake passes the middlewares, and what they made of it is kept", "[link][handshake]") {
    SimWorld world;
    world.server->add_middleware(mark('a')).add_middleware(mark('b'));
    world.client->add_middleware(mark('x')).add_middleware(mark('y'));
    std::string at_server, at_client;
    world.server->on_handshake([&](Connection&, const Request& request, const Response& response) {
        at_server = passed(request.headers) + " " + passed(response.headers) + " " + std::string(request.path());
    });
    world.client->on_handshake([&](Connection&, const Request& request, const Response& response) {
        at_client = passed(request.headers) + " " + passed(response.headers) + " " + std::string(request.query());
    });
    world.join();
    world.settle();
    CHECK(at_server == "xyba ab /path");
    CHECK(at_client == "xy abyx query");
    CHECK(passed(world.newest()->handshake_request()->headers) == "xyba");
    CHECK(passed(world.newest()->handshake_response()->headers) == "ab");
    CHECK(world.client->handshake_response()->status == 101);
}

TEST_CASE("link: without keep_handshake it is shown to on_handshake, then forgotten", "[link][handshake]") {
    Configuration configuration;
    configuration.keep_handshake = false;
    SimWorld world(configuration, configuration);
    std::string seen;
    world.server->on_handshake([&](Connection& connection, const Request& request, const Response& response) {
        seen = std::string(request.path()) + " " + std::to_string(response.status);
        CHECK(connection.handshake_request() == &request);
    });
    world.join();
    world.settle();
    CHECK(seen == "/path 101");
    CHECK(world.newest()->handshake_request() == nullptr);
    CHECK(world.newest()->handshake_response() == nullptr);
    CHECK(world.client->handshake_request() == nullptr);
    CHECK(world.at_client.lines() == Lines{"handshake"});
}

TEST_CASE("link: a server's middleware answers in the endpoint's stead", "[link][handshake]") {
    SimWorld world;
    world.server->add_middleware(http([](Connection&, HttpMessage, const HttpNext& next) {
        next.respond({401, {}, {{"WWW-Authenticate", "Basic"}}, "who are you?\n"});
        // Once only.
        next.respond({500});
        next(Request{});
    }));
    SimPeer peer = world.raw_client();
    peer.shake_hands();
    world.settle();
    const std::string answer = peer.socket().take();
    CHECK_THAT(answer, StartsWith("HTTP/1.1 401 Unauthorized\r\n") && ContainsSubstring("WWW-Authenticate: Basic\r\n") &&
                           ContainsSubstring("Connection: close"));
    CHECK_THAT(answer, Catch::Matchers::EndsWith("\r\n\r\nwho are you?\n"));
    CHECK(peer.socket().sees_end());
    CHECK(world.at_server.lines().empty());
    CHECK(world.counts->open == 1);
    // It lingers, so that the answer is not lost, but not for ever.
    SECTION("until the peer goes") { peer.finish(); }
    SECTION("for close_timeout") { world.pass(Seconds(5.1)); }
    world.settle();
    CHECK(world.counts->open == 0);
    CHECK(world.at_server.lines().empty());
}

TEST_CASE("link: a client is told which answer refused it", "[link][handshake]") {
    SimWorld world;
    world.server->add_middleware(http([](Connection&, HttpMessage, const HttpNext& next) { next.respond({403, {}, {}, "not you"}); }));
    std::optional<Error> told;
    world.client->on_error([&](Connection*, const Error& error) { told = error; });
    world.join({.seed = 3});
    world.settle();
    REQUIRE(told);
    CHECK(told->errc() == Errc::handshake_failed);
    REQUIRE(told->response());
    CHECK(told->response()->status == 403);
    CHECK(told->response()->body == "not you");
    CHECK_FALSE(world.at_client.has("disconnect"));
    world.settle();
    CHECK(world.counts->open == 0);
}

TEST_CASE("link: a hook that drops a handshake message ends the connection", "[link][handshake]") {
    SimWorld world;
    const HttpHook drop = [](Connection&, HttpMessage, const HttpNext&) {};
    const HttpHook forward = [](Connection&, HttpMessage message, const HttpNext& next) { next(std::move(message)); };
    bool client_fails = true;
    SECTION("server, request") { world.server->add_middleware(http(drop)); }
    SECTION("server, response") { world.server->add_middleware(http(forward, drop)); }
    SECTION("client, request") { world.client->add_middleware(http(forward, drop)); }
    SECTION("client, response") { world.client->add_middleware(http(drop)); }
    SECTION("one that is put off and never goes on") {
        std::optional<HttpNext> kept;
        world.server->add_middleware(http([&](Connection&, HttpMessage, const HttpNext& next) { kept = next.later(); }));
        world.join();
        world.settle();
        CHECK(world.at_client.lines().empty());
        CHECK(world.counts->open == 2);
        client_fails = false;
    }
    if (client_fails) {
        world.join();
        world.settle();
    }
    world.pass(Seconds(11));
    CHECK_FALSE(world.at_client.has("handshake"));
    CHECK_FALSE(world.at_client.has("disconnect"));
    CHECK(world.at_client.count("error") == 1);
    CHECK(world.at_server.count("handshake") == world.at_server.count("disconnect"));
    CHECK(world.counts->open == 0);
}

TEST_CASE("link: a handshake is finished later", "[link][handshake][later]") {
    SimWorld world;
    std::optional<HttpNext> next;
    std::optional<HttpMessage> message;
    const HttpHook keep = [&](Connection&, HttpMessage kept, const HttpNext& rest) {
        next = rest.later();
        message = std::move(kept);
    };
    const HttpHook forward = [](Connection&, HttpMessage passing, const HttpNext& rest) { rest(std::move(passing)); };
    SECTION("server, request") { world.server->add_middleware(http(keep)); }
    SECTION("server, response") { world.server->add_middleware(http(forward, keep)); }
    SECTION("client, request") { world.client->add_middleware(http(forward, keep)); }
    SECTION("client, response") { world.client->add_middleware(http(keep)); }
    // What comes right behind a handshake must not be lost meanwhile.
    world.at_server.then = [](std::string_view line, Connection* connection) {
        if (line == "handshake") connection->text("from the server");
    };
    world.at_client.then = [](std::string_view line, Connection* connection) {
        if (line == "handshake") connection->text("from the client");
    };
    const WireOptions options{.seed = GENERATE(0u, 7u)};
    world.join(options);
    world.pass(Seconds(3));
    REQUIRE(next);
    CHECK_FALSE(world.at_client.has("handshake"));
    const bool in_callback = GENERATE(false, true);
    const auto go_on = [&] { (*next)(std::move(*message)); };
    if (in_callback)
        world.reactor.post(go_on);
    else
        go_on();
    world.settle();
    CHECK(world.at_client.lines() == Lines{"handshake", "text from the server"});
    CHECK(world.at_server.lines() == Lines{"handshake", "text from the client"});
    (*next)(Request{});
    next->respond({500});
    world.settle();
    CHECK(world.newest()->is_writable());
}

TEST_CASE("link: a handshake that is finished too late does nothing", "[link][handshake][later]") {
    std::optional<HttpNext> next;
    {
        SimWorld world;
        world.server->add_middleware(http([&](Connection&, HttpMessage, const HttpNext& rest) { next = rest.later(); }));
        SimPeer peer = world.raw_client();
        peer.shake_hands();
        world.settle();
        REQUIRE(next);
        SECTION("behind its time") {
            world.pass(Seconds(11));
            CHECK(world.at_server.lines() == Lines{"error connection_failure"});
        }
        SECTION("behind a reset") {
            peer.socket().reset();
            world.pass(Seconds(11));
        }
        SECTION("behind the server's end") { world.server.reset(); }
        (*next)(Request{});
        CHECK_FALSE(world.at_server.has("handshake"));
    }
    next->respond({500});
    (*next)(Request{});
}

TEST_CASE("link: a later handshake may end everything in on_handshake", "[link][handshake][later]") {
    SimWorld world;
    std::optional<HttpNext> next;
    world.server->add_middleware(http([&](Connection&, HttpMessage, const HttpNext& rest) { next = rest.later(); }));
    world.at_server.then = [&](std::string_view, Connection*) { world.server.reset(); };
    SimPeer peer = world.raw_client();
    peer.shake_hands();
    world.settle();
    REQUIRE(next);
    Request request;
    request.headers.add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    (*next)(request);
    world.settle();
    CHECK(world.at_server.lines() == Lines{"handshake"});
    CHECK(world.counts->open == 0);
}

TEST_CASE("link: what a later step throws is the connection's, as in its own turn", "[link][handshake][later]") {
    SimWorld world;
    std::optional<HttpNext> next;
    std::optional<HttpMessage> message;
    world.server->add_middleware(http([](Connection&, HttpMessage, const HttpNext&) { throw std::runtime_error("from a callback"); }));
    world.server->add_middleware(http([&](Connection&, HttpMessage kept, const HttpNext& rest) {
        next = rest.later();
        message = std::move(kept);
    }));
    SimPeer peer = world.raw_client();
    peer.shake_hands();
    world.settle();
    world.reactor.post([&] { (*next)(std::move(*message)); });
    world.settle();
    CHECK_THAT(peer.take_head(), StartsWith("HTTP/1.1 500 "));
    CHECK(world.at_server.take() == Lines{"error callback_failed"});
}

TEST_CASE("link: what a handshake hook throws fails the handshake", "[link][handshake]") {
    SimWorld world;
    const HttpHook fail = [](Connection&, HttpMessage, const HttpNext&) { throw std::runtime_error("from a callback"); };
    const HttpHook forward = [](Connection&, HttpMessage message, const HttpNext& next) { next(std::move(message)); };
    bool is_at_client = false;
    SECTION("server, request") { world.server->add_middleware(http(fail)); }
    SECTION("server, response") { world.server->add_middleware(http(forward, fail)); }
    SECTION("client, response") {
        is_at_client = true;
        world.client->add_middleware(http(fail));
    }
    world.join();
    world.settle();
    CHECK(world.at_client.lines() == Lines{is_at_client ? "error callback_failed" : "error handshake_failed"});
    CHECK(world.at_server.has("error callback_failed") != is_at_client);
    world.pass(Seconds(6));
    CHECK(world.counts->open == 0);
}

TEST_CASE("link: a response that cannot be sent becomes 500 for that one connection, and is told", "[link][handshake]") {
    SimWorld world;
    const Response bad = GENERATE(Response{200, {}, {{"X", "line\r\nX-Injected: yes"}}, {}}, Response{99, {}, {}, {}},
                                  Response{204, {}, {}, "body"}, Response{101, {}, {}, {}});
    const bool is_page = GENERATE(true, false);
    const HttpHook forward = [](Connection&, HttpMessage message, const HttpNext& next) { next(std::move(message)); };
    const HttpHook spoil = [&](Connection&, HttpMessage, const HttpNext& next) { next(bad); };
    std::optional<HttpNext> later;
    SECTION("by respond()") {
        world.server->add_middleware(http([&](Connection&, HttpMessage, const HttpNext& next) { next.respond(bad); }));
    }
    SECTION("by respond(), later") {
        world.server->add_middleware(http([&](Connection&, HttpMessage, const HttpNext& next) { later = next.later(); }));
    }
    SECTION("by a hook on the response") { world.server->add_middleware(http(forward, spoil)); }
    SimPeer peer = world.raw_client();
    if (is_page)
        peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    else
        peer.shake_hands();
    world.settle();
    if (later) later->respond(bad);
    world.settle();
    const std::string answer = peer.socket().take();
    CHECK_THAT(answer, StartsWith("HTTP/1.1 500 ") && !ContainsSubstring("Injected"));
    CHECK(world.at_server.lines() == Lines{"error handshake_failed"});
    CHECK_THAT(world.at_server.errors().at(0), ContainsSubstring("answered with 500: "));
    peer.finish();
    world.settle();
    CHECK(world.counts->open == 0);
}

TEST_CASE("link: a request that cannot be sent fails that one handshake, and is told", "[link][handshake]") {
    SimWorld world;
    const Header bad = GENERATE(Header{"X-Name", "line\r\nX-Injected: yes"}, Header{"X-Name", "a "}, Header{"X Name", "a"});
    const HttpHook forward = [](Connection&, HttpMessage message, const HttpNext& next) { next(std::move(message)); };
    world.client->add_middleware(http(forward, [&](Connection&, HttpMessage message, const HttpNext& next) {
        std::get<Request>(message).headers.add(bad.name, bad.value);
        next(std::move(message));
    }));
    world.join();
    world.settle();
    CHECK(world.at_client.lines() == Lines{"error handshake_failed"});
    CHECK_THAT(world.at_client.errors().at(0), ContainsSubstring("cannot be sent"));
    CHECK(world.at_server.lines().empty());
    CHECK(world.counts->open == 0);
}

TEST_CASE("link: a peer that ends during the handshake is told of, one that says nothing is not", "[link][handshake]") {
    SimWorld world;
    SimPeer peer = world.raw_client({.record = 3});
    const bool said_something = GENERATE(false, true);
    if (said_something) peer.send("GET / HT");
    peer.finish();
    world.settle();
    CHECK(world.at_server.lines() == (said_something ? Lines{"error connection_closed"} : Lines{}));
    CHECK(world.counts->open == 0);
}

TEST_CASE("link: before the handshake nothing is sent, and ending ends it", "[link][handshake]") {
    SimWorld world;
    ConnectionPtr early;
    world.server->add_middleware(http([&](Connection& connection, HttpMessage, const HttpNext& next) {
        early = connection.handle();
        early->set_meta("next", next.later());
    }));
    SimPeer peer = world.raw_client();
    peer.shake_hands();
    world.settle();
    REQUIRE(early);
    CHECK(early->is_connected());
    CHECK_FALSE(early->is_readable());
    CHECK_FALSE(early->is_writable());
    CHECK(early->text("early") == SendStatus::closed);
    CHECK(early->handshake_request());
    CHECK(early->handshake_response() == nullptr);
    SECTION("disconnect") { early->disconnect(); }
    SECTION("close_read") { early->close_read(); }
    SECTION("close_write") { early->close_write(); }
    CHECK_FALSE(early->is_connected());
    CHECK(world.counts->open == 0);
    world.settle();
    CHECK(world.at_server.lines().empty());
    CHECK(peer.socket().sees_end());
    world.kept = 1;
    world.end();
}

TEST_CASE("link: a head in pieces of one byte, messages right behind it", "[link][handshake]") {
    SimWorld world;
    SimPeer peer = world.raw_client({.record = 1});
    peer.shake_hands();
    peer.text("pipelined");
    peer.close();
    world.settle();
    CHECK(world.at_server.lines() == Lines{"handshake", "text pipelined", "close 1000", "disconnect 1000 clean"});
}

TEST_CASE("link: respond() where there is no request to answer fails the handshake", "[link][handshake]") {
    SimWorld world;
    world.client->add_middleware(http([](Connection&, HttpMessage, const HttpNext& next) { next.respond({403}); }));
    world.join();
    world.settle();
    CHECK(world.at_client.lines() == Lines{"error client_failed"});
    CHECK_THAT(world.at_client.errors().front(), ContainsSubstring("HttpNext::respond()"));
}

TEST_CASE("link: a handshake that goes on behind disconnect() reaches no hook any more", "[link][handshake][later]") {
    SimWorld world;
    int reached = 0;
    const HttpHook count = [&](Connection&, HttpMessage passing, const HttpNext& rest) {
        ++reached;
        rest(std::move(passing));
    };
    std::optional<HttpNext> next;
    ConnectionPtr connection;
    world.server->add_middleware(http(count, count));
    world.server->add_middleware(http([&](Connection& kept, HttpMessage, const HttpNext& rest) {
        connection = kept.handle();
        next = rest.later();
    }));
    SimPeer peer = world.raw_client();
    peer.shake_hands();
    world.settle();
    REQUIRE(next);
    connection->disconnect();
    if (GENERATE(true, false))
        (*next)(Request{});
    else
        next->respond({500});
    world.settle();
    CHECK(reached == 0);
    world.kept = 1;
    world.end();
}
