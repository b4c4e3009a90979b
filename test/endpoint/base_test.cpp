#include "support/loopback.hpp"

using namespace support;

namespace {

/// Remembers what was logged.
struct Log {
    std::vector<std::string> lines;
    std::shared_ptr<Logger> logger = callback_logger([this](LogLevel level, std::string_view message, LogFields) {
        lines.push_back(std::string(log_level_name(level)) + " " + std::string(message));
    });
};

}  // namespace

TEST_CASE("endpoint base: settings reach the connections that have none of their own") {
    Loopback loop;
    loop.server.start();
    Client one(loop.reactor, loop.uri()), two(loop.reactor, loop.uri());
    one.connect();
    two.connect();
    loop.until([&] { return loop.server.connection_count() == 2; });
    const Connections all = loop.server.connections();
    Connection& own = *all.first();
    Connection& shared = **(all.begin() + 1);
    own.set_timeout(Seconds(7));
    CHECK(own.timeout() == Seconds(7));
    loop.server.set_timeout(Seconds(9)).set_frame_size(100);
    CHECK(own.timeout() == Seconds(7));
    CHECK(own.frame_size() == 4096);
    CHECK(shared.timeout() == Seconds(9));
    CHECK(shared.frame_size() == 100);
    CHECK_THROWS_AS(own.set_frame_size(0), Error);
    CHECK(own.frame_size() == 4096);
    Context context;
    context.set_option("socket", "so_keepalive", true);
    loop.server.set_context(context);
    CHECK(std::get<bool>(*shared.get_option("socket", "so_keepalive")));
}

TEST_CASE("endpoint base: ticks come while it runs and somebody listens") {
    Loopback loop;
    loop.server.set_configuration({.tick_interval = Seconds(0.001)});
    loop.server.start();
    CHECK(loop.reactor.run_once(Seconds(0)));
    int ticks = 0;
    loop.server.on_tick([&](Server&) {
        if (++ticks == 2) loop.server.on_tick(nullptr);
    });
    loop.until([&] { return ticks == 2; });
    loop.server.on_tick([&](Server& server) {
        ++ticks;
        server.stop();
    });
    loop.server.run();
    CHECK(ticks == 3);
    loop.server.on_tick([&](Server& server) {
        ++ticks;
        server.set_configuration({.tick_interval = Seconds(0.002)});
        if (ticks == 5) server.stop();
    });
    loop.server.run();
    CHECK(ticks == 5);
}

TEST_CASE("endpoint base: what happens is logged, errors too, and nothing without a logger") {
    Loopback loop;
    Log log;
    loop.server.set_logger(log.logger).start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
    peer.send(RawPeer::frame(0x83, ""));
    peer.receive();
    peer.reset();
    loop.until([&] { return loop.endings.size() == 1; });
    REQUIRE(log.lines.size() == 4);
    CHECK(log.lines[0] == "info listening");
    CHECK(log.lines[1] == "info connected");
    CHECK(log.lines[2].find("reserved opcode") != std::string::npos);
    CHECK(log.lines[3] == "info disconnected");
}

TEST_CASE("endpoint base: middlewares that are added or removed at run time reach present connections") {
    Loopback loop;
    loop.server.on_text([](Connection& connection, MessageView m) { connection.text(m.content); }).start();
    RawPeer peer(loop.reactor.core(), loop.dial());
    peer.shake_hands();
    auto shout = std::make_shared<Callback>();
    shout->on_incoming = [](Connection&, const MessageView& m, const Next& next) {
        MessageView changed = m;
        const std::string louder = std::string(m.content) + "!";
        changed.content = louder;
        next(changed);
    };
    loop.server.add_middleware(shout);
    peer.send(RawPeer::frame(0x81, "a"));
    CHECK(peer.receive("!") ==
          "\x81\x02"
          "a!");
    CHECK(loop.server.remove_middleware(*shout));
    CHECK_FALSE(loop.server.remove_middleware(*shout));
    peer.received.clear();
    peer.send(RawPeer::frame(0x81, "b"));
    CHECK(peer.receive("b") ==
          "\x81\x01"
          "b");
}

TEST_CASE("endpoint base: a logger may be replaced in its own call") {
    Loopback loop;
    std::string seen;
    const std::string capture = "a capture that is too long for a small buffer";
    loop.server.set_logger(callback_logger([&loop, &seen, capture](LogLevel, std::string_view, LogFields) {
        loop.server.set_logger(nullptr);
        seen += capture;
    }));
    loop.server.start();
    CHECK(seen == capture);
    CHECK(loop.server.is_running());
}

TEST_CASE("endpoint base: on_tick may ask for a Close, and tell an error") {
    Loopback loop;
    loop.server.start();
    Client client(loop.reactor, loop.uri(), {.configuration = {.tick_interval = Seconds(0.001)}});
    std::vector<Errc> told;
    client.on_error([&](Connection*, const Error& error) { told.push_back(error.errc()); });
    client.on_tick([&](Client&) {
        if (told.empty()) throw Error(Errc::message_too_big, "told by on_tick");
        throw CloseRequested(CloseCode::policy_violation);
    });
    client.connect();
    loop.until([&] { return loop.endings.size() == 1; });
    CHECK(told.front() == Errc::message_too_big);
    CHECK((loop.endings[0].code == CloseCode::policy_violation || loop.endings[0].code == CloseCode::abnormal));
}

TEST_CASE("endpoint base: a Close that on_tick asks for and that cannot be sent is a failed callback of the connection") {
    const auto [code, size, fails] = GENERATE(std::tuple{CloseCode::abnormal, 0u, true}, std::tuple{CloseCode::normal, 123u, false},
                                              std::tuple{CloseCode::normal, 124u, true});
    CAPTURE(size);
    Loopback loop;
    loop.server.start();
    Client client(loop.reactor, loop.uri(), {.configuration = {.tick_interval = Seconds(0.001)}});
    std::vector<Errc> told;
    int shown = 0;
    loop.reactor.on_exception([&](std::exception_ptr, Connection* connection) { shown += connection != nullptr; });
    client.on_error([&](Connection* connection, const Error& error) {
        CHECK(connection != nullptr);
        told.push_back(error.errc());
    });
    bool open = false;
    client.on_handshake([&](Connection&, const Request&, const Response&) { open = true; });
    client.on_tick([&, close = CloseRequested(code, std::string(size, 'x'))](Client&) {
        if (open) throw close;
    });
    client.connect();
    loop.until([&] { return loop.endings.size() == 1 && !client.is_connected(); });
    CHECK(loop.endings[0].code == (fails ? CloseCode::internal_error : code));
    CHECK(told == std::vector(fails ? 1 : 0, Errc::callback_failed));
    CHECK(shown == (fails ? 1 : 0));
}

TEST_CASE("endpoint base: a Close that cannot be sent, asked for where there is no connection, is a failed callback") {
    Reactor reactor;
    int shown = 0, told = 0;
    const auto note = [&](const std::exception_ptr& exception, Connection* connection) {
        CHECK(connection == nullptr);
        CHECK_THROWS_AS(std::rethrow_exception(exception), CloseRequested);
        ++shown;
    };
    const auto close = [&](Connection*, const Error&) {
        ++told;
        throw CloseRequested(CloseCode::abnormal);
    };
    SECTION("by on_tick of a server") {
        Server server(reactor, {.host = "127.0.0.1", .port = 0, .configuration = {.tick_interval = Seconds(0.001)}});
        server.on_tick([](Server&) { throw CloseRequested(CloseCode::normal, std::string(124, 'x')); });
        CHECK_THROWS_AS(server.run(), CloseRequested);
        reactor.on_exception(note);
        REQUIRE(run_until(reactor.core(), [&] { return shown == 2; }));
    }
    SECTION("by on_error of an attempt that failed") {
        Client client(reactor, "ws://127.0.0.1:1/");
        client.on_error(close).text("lost");
        const bool comes_back = GENERATE(false, true);
        if (comes_back) client.set_reconnect(ReconnectOptions{.initial = Seconds(1e6), .maximum = Seconds(1e6)});
        CHECK_THROWS_AS(client.run(), CloseRequested);
        CHECK(told == (comes_back ? 1 : 2));
        // Coming back goes on.
        CHECK(client.text("again") == SendStatus::ok);
        reactor.on_exception(note);
        client.disconnect();
        CHECK(shown == 1);
    }
    SECTION("by on_error of a message that cannot be sent") {
        const Blackhole silent(transport::Address::literal("127.0.0.1", 0));
        Client client(reactor, "ws://" + silent.address().str());
        client.on_error(close).connect();
        if (GENERATE(false, true)) client.text("queued");
        reactor.on_exception(note);
        CHECK(client.text("\xC0") == SendStatus::refused);
        CHECK(told == 1);
        CHECK(shown == 1);
        // It is still under way.
        CHECK(client.close(CloseCode::abnormal) == SendStatus::refused);
        client.on_error({}).disconnect();
    }
}

TEST_CASE("endpoint base: a Close that on_disconnect asks for and that cannot be sent is told") {
    Loopback loop;
    loop.server.start();
    Client client(loop.reactor, loop.uri());
    const auto [code, fails] = GENERATE(std::pair{CloseCode::normal, false}, std::pair{CloseCode::abnormal, true});
    std::vector<Errc> told;
    bool ended = false;
    client.on_handshake([](Connection& connection, const Request&, const Response&) { connection.close(); })
        .on_error([&](Connection*, const Error& error) { told.push_back(error.errc()); })
        .on_disconnect([&, close = CloseRequested(code)](Connection&, const Disconnect&) {
            ended = true;
            throw close;
        });
    client.connect();
    loop.until([&] { return ended; });
    CHECK(told == std::vector(fails ? 1 : 0, Errc::callback_failed));
}

TEST_CASE("endpoint base: an endpoint that is left without its reactor has ended, and any call of it is legal") {
    auto reactor = std::make_unique<Reactor>();
    Server server(*reactor, {.host = "127.0.0.1", .port = 0});
    int calls = 0;
    server.on_tick([](Server&) {}).on_error([&](Connection*, const Error&) { ++calls; }).start();
    const std::string uri = "ws://" + server.name();
    Client open(*reactor, uri), opening(*reactor, uri), waiting(*reactor, "ws://127.0.0.1:1/");
    for (Client* client : {&open, &opening, &waiting}) client->on_disconnect([&](Connection&, const Disconnect&) { ++calls; });
    open.connect();
    waiting.set_reconnect(ReconnectOptions{.initial = Seconds(1e6), .maximum = Seconds(1e6)}).connect();
    REQUIRE(run_until(reactor->core(), [&] { return open.is_writable() && server.connection_count() == 1; }));
    opening.text("queued");
    const ConnectionPtr connection = open.connection();
    reactor.reset();
    CHECK_FALSE(connection->is_connected());
    CHECK_FALSE(server.is_running());
    CHECK(server.connections().empty());
    CHECK(server.text("x") == 0);
    server.set_timeout(Seconds(1)).on_tick([](Server&) {}).stop().shutdown().disconnect();
    CHECK_THROWS_AS(server.start(), Error);
    CHECK_THROWS_AS(server.run(), Error);
    for (Client* client : {&open, &opening, &waiting}) {
        CHECK_FALSE(client->is_running());
        CHECK(client->text("x") == SendStatus::closed);
        CHECK(client->close() == SendStatus::closed);
        CHECK_THROWS_AS(client->connect(), Error);
        CHECK_THROWS_AS(client->run(), Error);
        client->set_reconnect({}).set_reconnect(std::nullopt).set_persistent(true).stop().disconnect();
    }
    CHECK(calls == 0);
}

TEST_CASE("endpoint base: a run() that is refused inside a callback leaves the one under way as it was") {
    Loopback loop;
    loop.server.start();
    Client client(loop.reactor, loop.uri());
    const bool is_client = GENERATE(true, false);
    int refused = 0;
    client.on_handshake([&](Connection&, const Request&, const Response&) {
        try {
            if (is_client)
                client.run();
            else
                loop.server.run();
        } catch (const Error& error) {
            refused += error.errc() == Errc::reentrant;
        }
        if (is_client)
            client.stop();
        else
            loop.server.stop();
    });
    if (is_client) {
        client.run();
    } else {
        client.connect();
        loop.server.run();
    }
    CHECK(refused == 1);
}
