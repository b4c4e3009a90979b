#include <map>

#include "support/loopback.hpp"

using namespace support;

namespace {

/// A server that may be destroyed at any time, a client of the same loop, and a count of the calls of each listener.
struct Ends {
    Reactor reactor;
    std::unique_ptr<Server> server = std::make_unique<Server>(reactor, ServerOptions{.host = "127.0.0.1", .port = 0});
    std::unique_ptr<Client> client;
    std::map<std::string, int> calls;

    Ends() {
        server->start();
        client = std::make_unique<Client>(reactor, "ws://" + server->name());
        server->on_handshake([](Connection& connection, const Request&, const Response&) {
            connection.text("t");
            connection.binary("b");
            connection.ping("p");
            connection.pong("q");
            connection.close(CloseCode::normal, "c");
        });
    }

    /// Has `action` called in the client's listener for `event`.
    void act_on(const std::string& event, const std::function<void()>& action) {
        const auto note = [this, event, action](const std::string& name) {
            ++calls[name];
            if (name == event) action();
        };
        client->on_text([note](Connection&, MessageView) { note("text"); })
            .on_binary([note](Connection&, MessageView) { note("binary"); })
            .on_ping([note](Connection&, MessageView) { note("ping"); })
            .on_pong([note](Connection&, MessageView) { note("pong"); })
            .on_close([note](Connection&, MessageView) { note("close"); })
            .on_message([note](Connection&, MessageView) { note("message"); })
            .on_connect([note](Connection&, const Request&, const Response&) { note("handshake"); })
            .on_disconnect([note](Connection&, const Disconnect&) { note("disconnect"); })
            .on_error([note](Connection*, const Error&) { note("error"); });
    }
};

const std::vector<std::string> events = {"handshake", "text", "binary", "ping", "pong", "close", "message", "disconnect"};

/// Asked of a type of its own, what does not compile is an answer.
template <typename T>
constexpr bool takes_empty_timeout = requires(T& of) {
    of.set_timeout({});
};
template <typename T>
constexpr bool takes_empty_option = requires(T& of) {
    of.set_option("ssl", "verify_peer", {});
};
template <typename T>
constexpr bool takes_empty_status = requires(T& of) { of.close({}); } || requires(T& of) { of.close({}, "reason"); };
template <typename T>
constexpr bool takes_empty_shutdown = requires(T& of) { of.shutdown({}); } || requires(T& of) { of.shutdown({}, Seconds(1)); };
template <typename T>
constexpr bool takes_settings = requires(T& of) {
    of.set_timeout(Seconds{});
    of.set_option("ssl", "verify_peer", false);
    of.set_option("socket", "backlog", 0);
    of.close();
    of.close(CloseCode::going_away, {});
};

}  // namespace

TEST_CASE("endpoint: each listener is called for its own event, on_message for every message") {
    Ends ends;
    ends.act_on("", [] {});
    ends.client->connect();
    REQUIRE(run_until(ends.reactor.core(), [&] { return ends.calls["disconnect"] == 1; }));
    CHECK(ends.calls ==
          std::map<std::string, int>{
              {"handshake", 1}, {"text", 1}, {"binary", 1}, {"ping", 1}, {"pong", 1}, {"close", 1}, {"message", 5}, {"disconnect", 1}});
}

TEST_CASE("endpoint: it may be destroyed in each of its listeners, and none is called after") {
    for (const std::string& event : events) {
        INFO(event);
        Ends ends;
        int at_destruction = 0;
        const auto total = [&] {
            int sum = 0;
            for (const auto& [name, count] : ends.calls) sum += count;
            return sum;
        };
        ends.act_on(event, [&] {
            ends.client.reset();
            at_destruction = total();
        });
        ends.client->connect();
        REQUIRE(run_until(ends.reactor.core(), [&] { return !ends.client && ends.server->connection_count() == 0; }));
        run_ready(ends.reactor.core());
        CHECK(total() == at_destruction);
    }
}

TEST_CASE("endpoint: its connection may be dropped in each of its listeners, and only on_disconnect follows") {
    for (const std::string& event : events) {
        INFO(event);
        Ends ends;
        std::map<std::string, int> before;
        ends.act_on(event, [&] {
            ends.client->disconnect();
            before = ends.calls;
        });
        ends.client->connect();
        REQUIRE(run_until(ends.reactor.core(), [&] { return ends.calls["disconnect"] == 1; }));
        run_ready(ends.reactor.core());
        before["disconnect"] = 1;
        CHECK(ends.calls == before);
    }
}

TEST_CASE("endpoint: a listener may replace or remove itself while it runs") {
    Loopback loop;
    std::string log;
    const std::string first = "a capture that is too long for a small buffer: first", second = "likewise: second";
    loop.server.on_text([&loop, &log, first, second](Connection&, MessageView) {
        loop.server.on_text([&loop, &log, second](Connection&, MessageView) {
            loop.server.on_text(nullptr);
            log += second;
        });
        log += first;
    });
    loop.server.start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
    peer.send(RawPeer::frame(0x81, "1") + RawPeer::frame(0x81, "2") + RawPeer::frame(0x81, "3") + RawPeer::frame(0x88, ""));
    peer.receive();
    CHECK(log == first + second);
}

TEST_CASE("endpoint: what a listener throws closes its connection with 1011, and the others are served") {
    Loopback loop;
    loop.server.on_text(
        [&](Connection& connection, MessageView m) { connection.text(std::to_string(std::stoi(std::string(m.content)) + 1)); });
    loop.server.start();
    RawPeer bad(loop.reactor.core(), loop.dial()), good(loop.reactor.core(), loop.dial());
    bad.shake_hands();
    good.shake_hands();
    bad.send(RawPeer::frame(0x81, "1") + RawPeer::frame(0x81, "no number") + RawPeer::frame(0x81, "3"));
    CHECK(bad.receive() == std::string("\x81\x01"
                                       "2"
                                       "\x88\x02\x03\xF3"));
    good.send(RawPeer::frame(0x81, "7"));
    CHECK(good.receive("8") ==
          "\x81\x01"
          "8");
    REQUIRE(loop.errors.size() == 1);
    CHECK(loop.errors[0].errc() == Errc::callback_failed);
}

TEST_CASE("endpoint: an Error that a listener throws is treated as one that was found") {
    Loopback loop;
    loop.server.on_text([](Connection&, MessageView m) {
        if (m.content == "mild") throw Error(Errc::message_encoding, "not to my liking");
        throw Error(Errc::protocol_error, "that will not do");
    });
    loop.server.start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
    peer.send(RawPeer::frame(0x81, "mild") + RawPeer::frame(0x89, "?"));
    peer.receive("?");
    REQUIRE(loop.errors.size() == 1);
    CHECK(loop.errors[0].errc() == Errc::message_encoding);
    peer.send(RawPeer::frame(0x81, "grave"));
    peer.receive();
    loop.until([&] { return loop.endings.size() == 1; });
    REQUIRE(loop.endings[0].error);
    CHECK(std::string(loop.endings[0].error->what()) == "that will not do");
    CHECK(loop.errors.size() == 2);
}

TEST_CASE("endpoint: CloseRequested closes with its status") {
    Loopback loop;
    loop.server.on_text([](Connection&, MessageView) { throw CloseRequested(CloseCode::policy_violation, "no text"); });
    loop.server.start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
    peer.send(RawPeer::frame(0x81, "text") + RawPeer::frame(0x88, "\x03\xF0"));
    CHECK(peer.receive() == "\x88\x09\x03\xF0no text");
}

TEST_CASE("endpoint: {} does not compile where it would not be the default, but no wait at all, false or no status") {
    CHECK((takes_settings<Client> && takes_settings<Server> && takes_settings<Connection>));
    CHECK_FALSE((takes_empty_timeout<Client> || takes_empty_timeout<Server> || takes_empty_timeout<Connection>));
    CHECK_FALSE((takes_empty_option<Client> || takes_empty_option<Server> || takes_empty_option<Connection>));
    CHECK_FALSE(takes_empty_option<Context>);
    CHECK_FALSE((takes_empty_status<Client> || takes_empty_status<Server> || takes_empty_status<Connection>));
    CHECK_FALSE(takes_empty_shutdown<Server>);
}

TEST_CASE("endpoint: {} in the place of settings is the defaults") {
    Loopback loop;
    loop.server.set_frame_size(7).set_logger(null_logger()).set_option("socket", "backlog", 7);
    loop.server.set_context({}).set_logger({});
    CHECK(loop.server.context().options().empty());
    CHECK(loop.server.configuration().logger == nullptr);
    CHECK(loop.server.frame_size() == 7);
    loop.server.set_configuration({});
    CHECK(loop.server.frame_size() == Configuration().frame_size);
}

TEST_CASE("endpoint: {} in the place of a function is none") {
    Loopback loop;
    loop.reactor.on_exception([](const std::exception_ptr&) {});
    loop.reactor.on_exception({});
    loop.server.on_text([](Connection&, MessageView) { throw std::runtime_error("not called"); }).on_text({});
    loop.server.on_tick([](Server&) { throw std::runtime_error("not called"); }).on_tick({});
    loop.server.on_http([](const Request&) { return Response{}; }).on_http({});
    loop.server.start();
    RawPeer browser(loop.reactor.core(), loop.dial());
    browser.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(browser.receive().starts_with("HTTP/1.1 426 "));
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
    peer.send(RawPeer::frame(0x81, "text") + RawPeer::frame(0x89, "?"));
    peer.receive("?");
    CHECK(loop.errors.empty());
    loop.reactor.post([] { throw std::runtime_error("not taken by a handler"); });
    CHECK_THROWS_WITH(loop.reactor.run(), "not taken by a handler");
}

TEST_CASE("endpoint: on_handshake and on_connect are both called, in this order") {
    Loopback loop;
    std::string order;
    const auto listen = [&](auto& endpoint, const std::string& who) {
        endpoint.on_connect([&order, who](Connection&, const Request& request, const Response& response) {
            order += who + " connect " + request.target + " " + std::to_string(response.status) + "\n";
        });
        endpoint.on_handshake([&order, who](Connection&, const Request&, const Response&) { order += who + " handshake\n"; });
    };
    listen(loop.server, "server");
    loop.server.start();
    Client client(loop.reactor, loop.uri("/x"));
    listen(client, "client");
    client.connect();
    loop.until([&] { return client.is_writable(); });
    CHECK(order == "server handshake\nserver connect /x 101\nclient handshake\nclient connect /x 101\n");
}

TEST_CASE("endpoint: on_connect does not follow on_handshake where that has ended the connection") {
    Loopback loop;
    bool is_connected = false;
    loop.server.on_handshake([](Connection& connection, const Request&, const Response&) { connection.disconnect(); })
        .on_connect([&](Connection&, const Request&, const Response&) { is_connected = true; })
        .start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
    peer.receive();
    CHECK_FALSE(is_connected);
}
