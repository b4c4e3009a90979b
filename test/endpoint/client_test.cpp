#include "support/error_of.hpp"
#include "support/loopback.hpp"

using namespace support;

namespace {

struct Echo : Loopback {
    explicit Echo(Configuration configuration = {}) : Loopback(std::move(configuration)) {
        server.on_text([](Connection& connection, MessageView m) { connection.text(m.content); })
            .on_binary([](Connection& connection, MessageView m) { connection.binary(m.content); });
        server.start();
    }
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

TEST_CASE("client: a bad URI or setting is refused by the constructor") {
    Reactor reactor;
    CHECK(error_of([&] { Client(reactor, "http://a/"); }) == Errc::bad_uri);
    CHECK(error_of([&] { Client(reactor, "ws://a:0/"); }) == Errc::bad_uri);
    CHECK(error_of([&] { Client(reactor, "ws://a/", {.configuration = {.timeout = Seconds(-1)}}); }) == Errc::invalid_option);
    CHECK(error_of([&] { Client(reactor, "ws://a/", {.configuration = {.frame_size = 0}}); }) == Errc::invalid_option);
}

TEST_CASE("client: settings that cannot be are refused at run time, and change nothing") {
    Reactor reactor;
    Client client(reactor, "ws://a/");
    CHECK(error_of([&] { client.set_timeout(Seconds(-0.001)); }) == Errc::invalid_option);
    CHECK(error_of([&] { client.set_frame_size(0); }) == Errc::invalid_option);
    CHECK(error_of([&] { client.set_option("socket", "tcp_nodelai", true); }) == Errc::invalid_option);
    CHECK(error_of(Errc::invalid_option, [&] { client.add_header("Bad Name", "x"); }) == "\"Bad Name\" is not a header field's name");
    CHECK(error_of(Errc::invalid_option, [&] { client.add_header("X", "a\r\nb"); }) ==
          "the value of the header field X has a control character");
    CHECK(error_of(Errc::invalid_option, [&] { client.add_header("X", "secret "); }) ==
          "the value of the header field X begins or ends with white space");
    CHECK(client.timeout() == Seconds(60));
    CHECK(client.frame_size() == 4096);
    client.set_timeout(std::chrono::milliseconds(500)).set_frame_size(1).set_option("socket", "so_keepalive", true);
    CHECK(client.timeout() == Seconds(0.5));
    CHECK(client.frame_size() == 1);
    CHECK(std::get<bool>(*client.get_option("socket", "so_keepalive")));
}

TEST_CASE("client: sends connect first, and are queued in order") {
    Echo loop;
    Client client(loop.reactor, loop.uri("/chat?room=1"));
    std::vector<std::string> received;
    client.on_message([&](Connection&, MessageView m) { received.emplace_back(m.content); });
    CHECK_FALSE(client.is_connected());
    CHECK(client.name().empty());
    CHECK(client.connection() == nullptr);
    for (int i = 0; i < 100; ++i) CHECK(client.text(std::to_string(i)) == SendStatus::ok);
    CHECK_FALSE(client.is_writable());
    loop.until([&] { return received.size() == 100; });
    for (std::size_t i = 0; i < 100; ++i) CHECK(received[i] == std::to_string(i));
    CHECK(client.is_connected());
    CHECK(client.is_readable());
    CHECK(client.is_writable());
    CHECK(client.is_running());
    CHECK(client.remote_name() == loop.server.name());
    CHECK(client.name() == loop.server.connections().first()->remote_name());
    CHECK(client.handshake_request()->target == "/chat?room=1");
    CHECK(client.handshake_response()->status == 101);
}

TEST_CASE("client: what is queued before the handshake is bounded and checked") {
    Echo loop;
    // A message counts with what it takes to keep it.
    constexpr std::size_t each = sizeof(Message);
    Client client(loop.reactor, loop.uri(),
                  {.configuration = {.max_buffered_amount = 10 + 3 * each, .high_water_mark = 5 + each, .low_water_mark = 5}});
    std::vector<Errc> errors;
    client.on_error([&](Connection*, const Error& error) { errors.push_back(error.errc()); });
    CHECK(client.text("12345") == SendStatus::ok);
    CHECK(client.text("6789") == SendStatus::backpressure);
    CHECK(client.text("ab") == SendStatus::dropped);
    CHECK(client.text("a") == SendStatus::backpressure);
    CHECK(client.ping() == SendStatus::dropped);
    CHECK(client.text("\xC0") == SendStatus::refused);
    CHECK(errors == std::vector{Errc::message_encoding});
    std::string received;
    client.on_text([&](Connection&, MessageView m) { received += m.content; });
    loop.until([&] { return received.size() == 10; });
    CHECK(received == "123456789a");
}

TEST_CASE("client: a refused connection is an error that names the address, and the queue is told lost") {
    Reactor reactor;
    const Descriptor closed = listen_on(transport::Address::literal("127.0.0.1", 0));
    const std::uint16_t port = transport::Address::local_of(closed.get()).port();
    shutdown(closed.get(), SHUT_RDWR);
    Client client(reactor, "ws://127.0.0.1:" + std::to_string(port));
    std::vector<std::string> errors;
    client.on_error([&](Connection* connection, const Error& error) {
        CHECK(connection == nullptr);
        errors.emplace_back(error.what());
    });
    client.text("lost");
    REQUIRE(run_until(reactor.core(), [&] { return errors.size() == 2; }));
    CHECK(errors[0].find("127.0.0.1:" + std::to_string(port)) != std::string::npos);
    CHECK(errors[0].find("Connection refused") != std::string::npos);
    CHECK(errors[1].find("1 queued message for ") != std::string::npos);
    CHECK_THROWS_WITH(client.run(), Catch::Matchers::ContainsSubstring("Connection refused"));
}

TEST_CASE("client: headers, credentials and user agent go with the request") {
    Loopback loop;
    Request seen;
    loop.server.on_handshake([&](Connection&, const Request& request, const Response&) { seen = request; }).start();
    Client client(loop.reactor, "ws://anna:s%20e@127.0.0.1:" + std::to_string(loop.server.port()) + "/", {.headers = {{"X-One", "1"}}});
    client.add_header("X-Two", "2")
        .set_option("http", "user_agent", "test/1")
        .set_option("http", "header", std::vector<std::string>{"X-Three: 3"});
    client.connect();
    loop.until([&] { return client.is_writable() && !seen.headers.empty(); });
    CHECK(seen.headers.get("X-One") == "1");
    CHECK(seen.headers.get("X-Two") == "2");
    CHECK(seen.headers.get("X-Three") == "3");
    CHECK(seen.headers.get("User-Agent") == "test/1");
    CHECK(seen.headers.get("Authorization") == "Basic YW5uYTpzIGU=");
    CHECK(seen.headers.get("Host") == "127.0.0.1:" + std::to_string(loop.server.port()));
}

TEST_CASE("client: a field that the handshake decides on fails the connection, is told, and is not tried again") {
    Loopback loop;
    loop.server.start();
    Client client(loop.reactor, loop.uri(), {.headers = {{"Sec-WebSocket-Key", "mine"}}});
    client.set_reconnect(ReconnectOptions{.initial = Seconds(0)});
    std::vector<std::string> errors;
    client.on_error([&](Connection*, const Error& error) {
        CHECK(error.errc() == Errc::handshake_failed);
        errors.emplace_back(error.what());
    });
    client.connect();
    loop.until([&] { return !errors.empty(); });
    run_ready(loop.reactor.core());
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].find("the header field Sec-WebSocket-Key belongs to the handshake") != std::string::npos);
    CHECK_FALSE(client.is_connected());
}

TEST_CASE("client: it connects anew after the end") {
    Echo loop;
    Client client(loop.reactor, loop.uri());
    int answers = 0, ends = 0;
    client
        .on_text([&](Connection& connection, MessageView) {
            ++answers;
            connection.close(CloseCode::normal, "enough");
        })
        .on_disconnect([&](Connection&, const Disconnect& ending) {
            ++ends;
            CHECK(ending.clean);
            CHECK(ending.code == CloseCode::normal);
            if (ends == 1) client.text("again");
        });
    client.text("once");
    loop.until([&] { return ends == 2; });
    CHECK(answers == 2);
    CHECK_FALSE(client.is_connected());
    CHECK(client.close() == SendStatus::closed);
    CHECK(client.handshake_response()->status == 101);
    CHECK(client.remote_name() == loop.server.name());
}

TEST_CASE("client: disconnect cancels dialing, and close does so before the handshake") {
    const Blackhole nowhere(transport::Address::literal("127.0.0.1", 0));
    Reactor reactor;
    Client client(reactor, "ws://" + nowhere.address().str());
    int calls = 0;
    client.on_error([&](Connection*, const Error&) { ++calls; }).on_disconnect([&](Connection&, const Disconnect&) { ++calls; });
    client.connect();
    client.disconnect();
    client.connect();
    CHECK(client.close() == SendStatus::ok);
    reactor.run();  // nothing is left to wait for
    CHECK(calls == 0);
}

TEST_CASE("client: stop reads nothing, start resumes, run ends at stop and at the end") {
    Echo loop;
    Client client(loop.reactor, loop.uri());
    int answers = 0;
    client.on_handshake([&](Connection& connection, const Request&, const Response&) {
        connection.text("hello");
        client.stop();
    });
    client.run();
    CHECK(client.is_connected());
    CHECK_FALSE(client.is_running());
    run_ready(loop.reactor.core());
    client.on_text([&](Connection& connection, MessageView) {
        ++answers;
        connection.close();
    });
    run_ready(loop.reactor.core());
    CHECK(answers == 0);
    client.run();
    CHECK(answers == 1);
    CHECK_FALSE(client.is_connected());
}

TEST_CASE("client: one that is stopped before it is connected reads nothing until start") {
    Loopback loop;
    loop.server.on_handshake([](Connection& connection, const Request&, const Response&) { connection.text("early"); }).start();
    const int when = GENERATE(0, 1, 2, 3);
    CAPTURE(when);
    Client client(loop.reactor, when == 3 ? "ws://127.0.0.1:1/" : loop.uri());
    const auto hook = std::make_shared<Callback>();
    bool stopped = false;
    const auto stop_once = [&] { return std::exchange(stopped, true) ? false : (client.stop(), true); };
    hook->on_http_outgoing = [&](Connection&, HttpMessage message, const HttpNext& next) {
        if (when == 1) stop_once();
        next(std::move(message));
    };
    hook->on_http_incoming = [&](Connection&, HttpMessage message, const HttpNext& next) {
        if (when == 2 && stop_once()) throw ReconnectRequested(loop.uri("/moved"), std::get<Response>(std::move(message)));
        next(std::move(message));
    };
    client.add_middleware(hook).on_error([&](Connection*, const Error&) {
        if (when == 3 && stop_once()) throw ReconnectRequested(loop.uri());
    });
    std::string received;
    client.on_text([&](Connection&, MessageView m) { received = m.content; });
    client.connect();
    if (when == 0) stop_once();
    loop.until([&] { return stopped && client.is_writable(); });
    run_ready(loop.reactor.core());
    CHECK(received.empty());
    CHECK_FALSE(client.is_running());
    client.start();
    CHECK(client.is_running());
    loop.until([&] { return received == "early"; });
}

TEST_CASE("client: a persistent connection outlives its client and is taken over") {
    Echo loop;
    std::uint64_t identity = 0;
    {
        Client first(loop.reactor, loop.uri());
        first.set_persistent(true);
        first.text("one");
        std::string received;
        first.on_text([&](Connection& connection, MessageView m) {
            received = m.content;
            connection.set_meta("kept", 7);
        });
        loop.until([&] { return received == "one"; });
        identity = first.connection()->identity();
    }
    run_ready(loop.reactor.core());
    CHECK(loop.server.connection_count() == 1);
    loop.server.connections().first()->text("meanwhile");
    run_ready(loop.reactor.core());

    Client other(loop.reactor, loop.uri("/other"), {.configuration = {.persistent = true}});
    Client second(loop.reactor, loop.uri(), {.configuration = {.persistent = true}});
    std::vector<std::string> received;
    int handshakes = 0;
    second.on_handshake([&](Connection&, const Request& request, const Response&) {
        ++handshakes;
        CHECK(request.target == "/");
    });
    second.on_text([&](Connection&, MessageView m) { received.emplace_back(m.content); });
    other.connect();
    second.text("two");
    CHECK(second.is_connected());
    CHECK(handshakes == 0);
    loop.until([&] { return received.size() == 2 && loop.server.connection_count() == 2; });
    CHECK(received == std::vector<std::string>{"meanwhile", "two"});
    CHECK(handshakes == 1);
    CHECK(second.connection()->identity() == identity);
    CHECK(*second.meta<int>("kept") == 7);
    CHECK(other.connection()->identity() != identity);
}

TEST_CASE("client: a persistent connection that has ended is not taken over") {
    Echo loop;
    {
        Client first(loop.reactor, loop.uri(), {.configuration = {.persistent = true}});
        first.connect();
        loop.until([&] { return first.is_writable() && loop.server.connection_count() == 1; });
        first.connection()->disconnect();
    }
    Client second(loop.reactor, loop.uri(), {.configuration = {.persistent = true}});
    second.connect();
    loop.until([&] { return second.is_writable(); });
    CHECK(loop.server.connection_count() == 1);
}

TEST_CASE("client: a persistent connection that the peer has ended is not taken over, and nothing is lost") {
    Echo loop;
    {
        Client first(loop.reactor, loop.uri(), {.configuration = {.persistent = true}});
        first.connect();
        loop.until([&] { return first.is_writable() && loop.server.connection_count() == 1; });
    }
    const bool with_close = GENERATE(true, false);
    const ConnectionPtr ended = loop.server.connections().first();
    if (with_close)
        ended->close();
    else
        ended->disconnect();
    loop.until([&] { return loop.server.connection_count() == 0; });
    run_ready(loop.reactor.core());
    Client second(loop.reactor, loop.uri(), {.configuration = {.persistent = true}});
    std::string received;
    second.on_text([&](Connection&, MessageView m) { received = m.content; });
    second.text("again");
    loop.until([&] { return !received.empty(); });
    CHECK(received == "again");
}

TEST_CASE("client: a failed handshake tells status, headers and body") {
    Loopback loop;
    loop.server.on_http([](const Request&) { return Response{}; });
    auto refuse = std::make_shared<Callback>();
    refuse->on_http_incoming = [](Connection&, HttpMessage, const HttpNext& next) {
        next.respond(Response{403, {}, {{"X-Why", "because"}}, std::string(2000, 'n')});
    };
    loop.server.add_middleware(refuse).start();
    Client client(loop.reactor, loop.uri());
    std::optional<Error> failure;
    int ends = 0;
    client
        .on_error([&](Connection* connection, const Error& error) {
            CHECK(connection != nullptr);
            failure = error;
        })
        .on_disconnect([&](Connection&, const Disconnect&) { ++ends; });
    client.connect();
    loop.until([&] { return failure.has_value(); });
    CHECK(failure->errc() == Errc::handshake_failed);
    CHECK(std::string(failure->what()).find("403") != std::string::npos);
    CHECK(failure->response()->headers.get("X-Why") == "because");
    CHECK(failure->response()->body == std::string(1024, 'n'));
    run_ready(loop.reactor.core());
    CHECK(ends == 0);
    CHECK_THROWS_AS(client.run(), Error);
}

TEST_CASE("client: ReconnectRequested connects anew, elsewhere if it says so") {
    Echo first, second;
    Client client(first.reactor, first.uri());
    std::string answer, remote;
    client
        .on_handshake([&](Connection& connection, const Request& request, const Response&) {
            if (request.target != "/moved") throw ReconnectRequested("ws://" + first.server.name() + "/moved");
            connection.text("here");
        })
        .on_text([&](Connection& connection, MessageView m) {
            answer = m.content;
            remote = connection.remote_name();
        });
    client.connect();
    first.until([&] { return !answer.empty(); });
    CHECK(answer == "here");
    CHECK(client.uri().target() == "/moved");
}

TEST_CASE("client: one that is destroyed while it is to connect anew takes over nothing") {
    Echo loop;
    const ClientOptions persistent{.configuration = {.persistent = true}};
    {
        Client first(loop.reactor, loop.uri(), persistent);
        first.connect();
        loop.until([&] { return first.is_writable() && loop.server.connection_count() == 1; });
    }
    auto second = std::make_unique<Client>(loop.reactor, loop.uri());
    const bool asks_twice = GENERATE(false, true);
    second->on_text([](Connection&, MessageView) { throw ReconnectRequested(); });
    second->on_disconnect([&](Connection&, const Disconnect&) {
        second.reset();
        if (asks_twice) throw ReconnectRequested();
    });
    second->text("x");
    second->set_persistent(true);
    loop.until([&] { return !second; });
    run_ready(loop.reactor.core());
    loop.until([&] { return loop.server.connection_count() == 1; });
    Client third(loop.reactor, loop.uri(), persistent);
    CHECK(third.connect().is_connected());
}

TEST_CASE("client: a persistent connection has its client's middlewares, and no earlier one's") {
    Echo loop;
    const auto marking = [](const std::string& mark, int& calls) {
        const auto middleware = std::make_shared<Callback>();
        middleware->on_incoming = [mark, &calls](Connection&, const MessageView& message, const Next& next) {
            ++calls;
            const std::string content = std::string(message.content) + mark;
            MessageView changed = message;
            changed.content = content;
            next(changed);
        };
        return middleware;
    };
    const ClientOptions persistent{.configuration = {.persistent = true}};
    int of_first = 0, of_second = 0;
    {
        Client first(loop.reactor, loop.uri(), persistent);
        first.add_middleware(marking(" first", of_first)).connect();
        loop.until([&] { return first.is_writable() && loop.server.connection_count() == 1; });
    }
    const ConnectionPtr at_server = loop.server.connections().first();
    bool answered = false;
    loop.server.on_pong([&](Connection&, MessageView) { answered = true; });
    at_server->ping();
    loop.until([&] { return answered; });
    at_server->text("meanwhile");
    run_ready(loop.reactor.core());
    CHECK(of_first == 0);
    Client second(loop.reactor, loop.uri(), persistent);
    std::string received;
    second.add_middleware(marking(" second", of_second)).on_text([&](Connection&, MessageView m) { received = m.content; });
    second.connect();
    loop.until([&] { return !received.empty(); });
    CHECK(received == "meanwhile second");
    CHECK(of_second == 1);
}
