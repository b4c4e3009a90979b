#include <thread>

#include "support/loopback.hpp"

using namespace support;

namespace {

/// An echo server in a thread of its own, which the blocking calls of the test's thread talk to.
class EchoThread {
public:
    EchoThread() {
        loop_.server
            .on_text([](Connection& connection, MessageView m) {
                if (m.content == "@close") return void(connection.close(static_cast<CloseCode>(4001), "told to"));
                if (m.content == "@drop") return connection.disconnect();
                if (m.content == "@silence") return;
                for (int i = 0; m.content == "@flood" && i < 10'000; ++i) connection.ping();
                connection.text(m.content);
            })
            .on_binary([](Connection& connection, MessageView m) { connection.binary(m.content); });
        loop_.server.start();
        uri_ = loop_.uri();
        thread_ = std::thread([this] { loop_.reactor.run(); });
    }
    ~EchoThread() {
        loop_.reactor.post([this] { loop_.reactor.stop(); });
        thread_.join();
    }
    const std::string& uri() const { return uri_; }

private:
    Loopback loop_;
    std::string uri_;
    std::thread thread_;
};

Errc error_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        INFO(error.what());
        return error.errc();
    }
    return Errc{};
}

}  // namespace

TEST_CASE("blocking client: connect, send, receive and close in sequence") {
    const EchoThread echo;
    Client client(echo.uri());
    client.connect();
    CHECK(client.is_writable());
    client.connect();  // again: without effect
    CHECK(client.text("one") == SendStatus::ok);
    CHECK(client.binary(std::string(1'000'000, 'b')) == SendStatus::ok);
    CHECK(client.ping("two") == SendStatus::ok);
    const Message text = client.receive();
    CHECK(text.opcode() == Opcode::text);
    CHECK(text.content() == "one");
    CHECK(client.receive().length() == 1'000'000);
    const Message pong = client.receive();
    CHECK(pong.opcode() == Opcode::pong);
    CHECK(pong.content() == "two");
    int ends = 0;
    client.on_disconnect([&](Connection&, const Disconnect& ending) { ends += ending.clean; });
    CHECK(client.close(CloseCode::normal, "done") == SendStatus::ok);
    CHECK(ends == 1);
    CHECK_FALSE(client.is_connected());
    CHECK(client.close() == SendStatus::closed);
}

TEST_CASE("blocking client: a send or a receive connects first, and again after the end") {
    const EchoThread echo;
    Client client(echo.uri());
    client.text("hello");
    CHECK(client.receive().content() == "hello");
    client.close();
    client.text("again");
    // The peer's Close of the first connection was received too.
    Message message = client.receive();
    while (message.opcode() == Opcode::close) message = client.receive();
    CHECK(message.content() == "again");
}

TEST_CASE("blocking client: what arrived before the end comes first, then the end is thrown") {
    const EchoThread echo;
    Client client(echo.uri());
    client.text("a");
    client.text("b");
    client.text("@close");
    CHECK(client.receive().content() == "a");
    CHECK(client.receive().content() == "b");
    const Message close = client.receive();
    CHECK(close.opcode() == Opcode::close);
    CHECK(close.close_status() == static_cast<CloseCode>(4001));
    CHECK(close.content() == "told to");
    CHECK(error_of([&] { client.receive(); }) == Errc::connection_closed);
    CHECK(error_of([&] { client.receive(); }) == Errc::connection_closed);
}

TEST_CASE("blocking client: a dropped connection is thrown from receive") {
    const EchoThread echo;
    Client client(echo.uri());
    client.text("@drop");
    CHECK(error_of([&] { client.receive(); }) == Errc::connection_closed);
}

TEST_CASE("blocking client: receive throws when nothing comes in time, and the connection stays") {
    const EchoThread echo;
    Client client(echo.uri());
    client.connect();
    client.set_timeout(Seconds(0));
    CHECK(error_of([&] { client.receive(); }) == Errc::connection_timeout);
    client.set_timeout(Seconds(60));
    client.text("still here");
    CHECK(client.receive().content() == "still here");
}

TEST_CASE("blocking client: connect throws what kept it from connecting") {
    CHECK(error_of([] { Client("ws://127.0.0.1:1/").connect(); }) == Errc::client_failed);
    const Blackhole nowhere(transport::Address::literal("127.0.0.1", 0));
    Client client("ws://" + nowhere.address().str(), {.configuration = {.timeout = Seconds(0.01)}});
    CHECK(error_of([&] { client.connect(); }) == Errc::client_failed);
    CHECK(error_of([&] { client.text("x"); }) == Errc::client_failed);
    CHECK(error_of([&] { client.receive(); }) == Errc::client_failed);
}

TEST_CASE("blocking client: inside its own callbacks calls do not wait") {
    const EchoThread echo;
    Client client(echo.uri());
    std::optional<Errc> inside;
    client.on_text([&](Connection&, MessageView m) {
        if (m.content != "first") return;
        inside = error_of([&] { client.receive(); });
        CHECK(client.text("second") == SendStatus::ok);
    });
    client.text("first");
    CHECK(client.receive().content() == "first");
    CHECK(inside == Errc::reentrant);
    CHECK(client.receive().content() == "second");
}

TEST_CASE("blocking client: what a call that sends or resumes calls back is a callback, too") {
    const EchoThread echo;
    Client client(echo.uri(), {.configuration = {.high_water_mark = 100, .low_water_mark = 100}});
    std::vector<Errc> inside;
    const auto note = [&] { inside.push_back(error_of([&] { client.receive(); })); };
    client.on_drain([&](Connection& connection) {
        if (!inside.empty()) return;
        note();
        CHECK(client.text("from on_drain") == SendStatus::ok);
        connection.pause();
    });
    client.text(std::string(1'000, 'x'));
    CHECK(inside == std::vector{Errc::reentrant});
    client.on_text([&](Connection&, MessageView) { note(); });
    client.connection()->resume();
    REQUIRE(run_until(client.reactor().core(), [&] { return inside.size() == 3; }));
    CHECK(inside == std::vector(3, Errc::reentrant));
}

TEST_CASE("blocking client: an exception from a callback ends the connection, and is told by the call that waits") {
    const EchoThread echo;
    Client client(echo.uri());
    client.on_text([](Connection&, MessageView m) {
        if (m.content == "bad") throw std::runtime_error("from the callback");
    });
    client.text("bad");
    CHECK(client.receive().content() == "bad");
    CHECK(error_of([&] { client.receive(); }) == Errc::callback_failed);
    CHECK_FALSE(client.is_writable());
}

TEST_CASE("blocking client: one that shares a reactor has no receive") {
    Reactor reactor;
    Client client(reactor, "ws://127.0.0.1/");
    CHECK(error_of([&] { client.receive(); }) == Errc::client_failed);
}

TEST_CASE("blocking client: what arrives while a call waits is bounded, empty messages too") {
    const EchoThread echo;
    constexpr std::size_t bound = 20'000;
    Client client(echo.uri(),
                  {.configuration = {
                       .max_buffered_amount = bound, .high_water_mark = bound, .low_water_mark = bound, .close_timeout = Seconds(0.05)}});
    client.remove_ping_responder();
    client.text("@flood");
    // Its answer is behind what is not kept.
    client.close();
    CHECK_FALSE(client.is_connected());
    std::size_t kept = 0;
    CHECK(error_of([&] {
              for (;; ++kept) client.receive();
          }) == Errc::connection_closed);
    CHECK(kept > 1);
    CHECK(kept <= bound / sizeof(Message) + 1);
}

TEST_CASE("blocking client: receive waits for a client that comes back by itself") {
    const EchoThread echo;
    Client client(echo.uri());
    client.set_reconnect(ReconnectOptions{.initial = Seconds(0.01), .maximum = Seconds(0.01)});
    int handshakes = 0;
    client.on_handshake([&](Connection& connection, const Request&, const Response&) {
        if (++handshakes == 2) connection.text("again");
    });
    client.text("@drop");
    CHECK(client.receive().content() == "again");
    CHECK(handshakes == 2);
}

TEST_CASE("blocking client: no call that waits is past the times of coming back") {
    const EchoThread echo;
    const bool was_open = GENERATE(true, false);
    Client client(was_open ? echo.uri() : "ws://127.0.0.1:1/");
    client.set_reconnect(ReconnectOptions{.initial = Seconds(1e6), .maximum = Seconds(1e6)});
    int failures = 0, handshakes = 0;
    client.on_error([&](Connection*, const Error&) { ++failures; });
    client.on_handshake([&](Connection&, const Request&, const Response&) { ++handshakes; });
    if (was_open)
        client.text("@drop");
    else
        CHECK(error_of([&] { client.connect(); }) == Errc::client_failed);
    client.set_timeout(Seconds(0.01));
    for (int i = 0; i < 3; ++i) CHECK(error_of([&] { client.receive(); }) == Errc::connection_timeout);
    CHECK(failures == (was_open ? 0 : 1));
    CHECK(handshakes == (was_open ? 1 : 0));
    // Gives up.
    client.set_reconnect(std::nullopt);
    CHECK(error_of([&] { client.receive(); }) == (was_open ? Errc::connection_closed : Errc::client_failed));
}

TEST_CASE("blocking client: a message that did not leave is not answered ok") {
    const EchoThread echo;
    auto client = std::make_unique<Client>(echo.uri());
    client->connect();
    // More than the sockets take.
    const std::string content(16'000'000, 'x');
    client->set_configuration({.max_buffered_amount = 64'000'000});
    const bool is_destroyed = GENERATE(false, true);
    client->reactor().after(Seconds(0), [&] {
        if (!is_destroyed)
            client->disconnect();
        else
            client.reset();
    });
    Client& called = *client;
    CHECK(called.binary(content) == SendStatus::closed);
}

TEST_CASE("blocking client: receive waits also when the first attempt of a client that comes back fails") {
    // A port that nobody listens on yet.
    Descriptor closed = listen_on(transport::Address::literal("127.0.0.1", 0));
    const std::uint16_t port = transport::Address::local_of(closed.get()).port();
    closed.reset();
    Client client("ws://127.0.0.1:" + std::to_string(port) + "/");
    client.set_reconnect(ReconnectOptions{.initial = Seconds(0), .maximum = Seconds(0)});
    Server server(client.reactor(), {.host = "127.0.0.1", .port = port});
    server.on_handshake([](Connection& connection, const Request&, const Response&) { connection.text("late"); });
    client.on_error([&](Connection*, const Error&) { server.start(); });
    CHECK(client.receive().content() == "late");
    client.disconnect();
    Client never("ws://127.0.0.1:1/");
    never.set_reconnect(ReconnectOptions{.initial = Seconds(1e6), .maximum = Seconds(1e6)}).set_timeout(Seconds(0.01));
    CHECK(error_of([&] { never.receive(); }) == Errc::connection_timeout);
    // One that does not come back tells at once.
    Client once("ws://127.0.0.1:1/");
    CHECK(error_of([&] { once.receive(); }) == Errc::client_failed);
}

TEST_CASE("blocking client: what a call has brought about is told before it returns, also when it throws") {
    const EchoThread echo;
    Client client(echo.uri());
    int ends = 0;
    client.on_disconnect([&](Connection&, const Disconnect&) { ++ends; });
    const auto hook = std::make_shared<Callback>();
    std::function<SendStatus(Connection&, const MessageView&)> act = [](Connection&, const MessageView&) { return SendStatus::ok; };
    hook->on_outgoing = [&](Connection& connection, const MessageView& message, const Next& next) {
        const SendStatus status = act(connection, message);
        return status == SendStatus::ok ? next(message) : status;
    };
    client.add_middleware(hook);
    const bool throws = GENERATE(true, false);
    const auto end = [&](Connection& connection, const MessageView&) {
        connection.disconnect();
        if (throws) throw std::runtime_error("hook");
        return SendStatus::refused;
    };
    const auto is_thrown = [&](const std::function<SendStatus()>& call) {
        if (throws)
            CHECK_THROWS_WITH(call(), "hook");
        else
            CHECK(call() == SendStatus::refused);
    };
    SECTION("send") {
        client.connect();
        act = end;
        is_thrown([&] { return client.text("x"); });
    }
    SECTION("close") {
        client.connect();
        act = end;
        is_thrown([&] { return client.close(); });
    }
    SECTION("disconnect") {
        // Queued before the handshake; the first ends the connection, whose end is still to come when the second is given up.
        hook->on_http_outgoing = [&](Connection&, HttpMessage message, const HttpNext& next) {
            client.text("one");
            client.text("two");
            next(std::move(message));
        };
        client.remove_middleware(*hook);
        client.add_middleware(hook);
        act = [](Connection&, const MessageView& message) -> SendStatus {
            return message.content == "one" ? throw std::runtime_error("hook") : SendStatus::ok;
        };
        client.on_error([&](Connection* connection, const Error&) {
            if (!connection && throws) throw std::runtime_error("on_error");
        });
        client.connect();
        REQUIRE(client.is_connected());
        if (throws)
            CHECK_THROWS_WITH(client.disconnect(), "on_error");
        else
            client.disconnect();
    }
    CHECK(ends == 1);
    CHECK_FALSE(client.is_connected());
}

TEST_CASE("blocking client: receive reads also where the client was stopped while it dialed") {
    const EchoThread echo;
    Client client(echo.uri());
    client.on_handshake([](Connection& connection, const Request&, const Response&) { connection.text("hello"); });
    client.start().stop();
    CHECK(client.receive().content() == "hello");
    CHECK(client.is_running());
}
