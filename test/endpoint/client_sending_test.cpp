#include <charconv>
#include <set>

#include "support/loopback.hpp"

using namespace support;

namespace {

constexpr ReconnectOptions at_once{.initial = Seconds(0), .maximum = Seconds(0)};
constexpr ReconnectOptions never{.initial = Seconds(1e6), .maximum = Seconds(1e6)};

/// A server that keeps what it is sent, a client of it, and what that client was told.
struct Pair : Loopback {
    explicit Pair(Configuration configuration = {}) {
        server.on_text([this](Connection&, MessageView m) { received += m.content; })
            .on_binary([this](Connection&, MessageView m) { bytes += m.length(); })
            .on_close([this](Connection&, MessageView) { received += " close"; })
            .on_handshake([this](Connection&, const Request&, const Response&) { ++handshakes; });
        server.start();
        client = std::make_unique<Client>(reactor, uri(), ClientOptions{.configuration = std::move(configuration)});
        client->on_error([this](Connection*, const Error& error) {
            told.push_back(error);
            std::size_t count = 0;
            const std::string_view what = error.what();
            std::from_chars(what.data(), what.data() + what.size(), count);
            if (what.find("queued message") != what.npos) lost += count;
        });
    }
    std::string received;
    std::size_t bytes = 0, lost = 0;
    int handshakes = 0;
    std::vector<Error> told;
    std::unique_ptr<Client> client;
};

Configuration low_marks() {
    Configuration configuration;
    configuration.high_water_mark = 50'000;
    configuration.low_water_mark = 10'000;
    return configuration;
}

/// Has the client send messages of 1,000 bytes until it is to wait.
void pour(Client& client, int& left) {
    const std::string chunk(1000, 'x');
    for (auto status = SendStatus::ok; left > 0 && status == SendStatus::ok; --left) status = client.binary(chunk);
}

std::string nobody() {
    const Descriptor closed = listen_on(transport::Address::literal("127.0.0.1", 0));
    return "ws://" + transport::Address::local_of(closed.get()).str();
}

}  // namespace

TEST_CASE("client sending: on_drain comes when what was queued before the handshake has left") {
    Pair pair(low_marks());
    int left = 200;
    pair.client->on_drain([&](Connection&) { pour(*pair.client, left); });
    pour(*pair.client, left);
    REQUIRE(left > 0);
    pair.until([&] { return pair.bytes == 200'000; });
    CHECK(left == 0);
}

TEST_CASE("client sending: on_drain comes only after backpressure") {
    Pair pair(low_marks());
    int drains = 0;
    pair.client->on_drain([&](Connection&) { ++drains; });
    pair.client->text("one");
    pair.until([&] { return pair.received == "one"; });
    CHECK(drains == 0);
}

TEST_CASE("client sending: on_drain comes over the next connection, for what was queued between two") {
    Pair pair(low_marks());
    pair.client->set_reconnect(at_once).connect();
    pair.until([&] { return pair.server.connection_count() == 1 && pair.client->is_writable(); });
    int left = 200;
    pair.client->on_drain([&](Connection&) { pour(*pair.client, left); });
    pair.client->on_disconnect([&](Connection&, const Disconnect&) { pour(*pair.client, left); });
    pair.server.connections().first()->disconnect();
    pair.until([&] { return pair.bytes == 200'000; });
    CHECK(pair.lost == 0);
}

TEST_CASE("client sending: on_drain comes over the next connection, when the last ended before it") {
    Pair pair(low_marks());
    pair.server.on_handshake([&](Connection& connection, const Request&, const Response&) {
        if (++pair.handshakes == 1) connection.pause();
    });
    int drains = 0;
    pair.client->on_drain([&](Connection&) { ++drains; });
    pair.client->set_reconnect(at_once).connect();
    pair.until([&] { return pair.handshakes == 1 && pair.client->is_writable(); });
    // More than the sockets take.
    const std::string chunk(4'000'000, 'x');
    for (int i = 0; i < 4; ++i) CHECK(pair.client->binary(chunk) == SendStatus::backpressure);
    run_ready(pair.reactor.core());
    REQUIRE(drains == 0);
    pair.server.connections().first()->disconnect();
    pair.until([&] { return drains == 1; });
    CHECK(pair.handshakes == 2);
}

TEST_CASE("client sending: what a hook does to one queued message is told, and the others leave") {
    Pair pair;
    pair.reactor.on_exception([](const std::exception_ptr&) {});
    std::function<SendStatus(const MessageView&, const Next&)> at_second;
    std::string expected;  // empty: it depends on what had left when the connection ended
    const auto hook = std::make_shared<Callback>();
    hook->on_outgoing = [&](Connection&, const MessageView& m, const Next& next) {
        return m.content == "2" ? at_second(m, next) : next(m);
    };
    pair.client->add_middleware(hook);
    SECTION("it throws") {
        at_second = [](const MessageView&, const Next&) -> SendStatus { throw std::runtime_error("hook"); };
    }
    SECTION("it throws an error of the message") {
        at_second = [](const MessageView&, const Next&) -> SendStatus { throw Error(Errc::message_encoding, "1 queued message: hook"); };
        expected = "1345";
    }
    SECTION("it keeps the message") {
        at_second = [](const MessageView&, const Next&) { return SendStatus::dropped; };
        expected = "1345";
    }
    SECTION("it ends the connection") {
        at_second = [&](const MessageView& m, const Next& next) { return pair.client->disconnect(), next(m); };
    }
    SECTION("it asks for another connection") {
        at_second = [](const MessageView&, const Next&) -> SendStatus { throw ReconnectRequested(); };
    }
    for (const char* content : {"1", "2", "3", "4", "5"}) CHECK(pair.client->text(content) == SendStatus::ok);
    // All but the first: that had left the queue when something happened to its connection.
    const auto is_other = [](char c) { return c > '1' && c < '6'; };
    const auto seen = [&] { return pair.lost + std::size_t(std::count_if(pair.received.begin(), pair.received.end(), is_other)); };
    pair.until([&] { return seen() >= 4 && (expected.empty() || pair.received == expected); });
    run_ready(pair.reactor.core());
    CHECK(seen() == 4);
    CHECK(pair.received.find('2') == std::string::npos);
}

TEST_CASE("client sending: a hook of the first queued message may destroy the client") {
    Pair pair;
    int calls = 0;
    const auto hook = std::make_shared<Callback>();
    hook->on_outgoing = [&](Connection&, const MessageView& m, const Next& next) {
        ++calls;
        pair.client.reset();
        return next(m);
    };
    pair.client->add_middleware(hook);
    pair.client->text("one");
    pair.client->text("two");
    pair.until([&] { return !pair.client && pair.endings.size() == 1; });
    CHECK(calls == 1);
    CHECK(pair.received.empty());
}

TEST_CASE("client sending: what was sent before close() leaves before the Close, and nothing after") {
    Pair pair;
    CHECK(pair.client->text("one ") == SendStatus::ok);
    CHECK(pair.client->text("two") == SendStatus::ok);
    CHECK(pair.client->close(CloseCode::abnormal) == SendStatus::refused);
    REQUIRE(pair.told.size() == 1);
    CHECK(pair.client->close(CloseCode::normal, "done") == SendStatus::ok);
    CHECK(pair.client->text("three") == SendStatus::closed);
    CHECK(pair.client->close() == SendStatus::closed);
    pair.until([&] { return pair.endings.size() == 1; });
    CHECK(pair.received == "one two close");
    CHECK(pair.endings[0].clean);
    pair.until([&] { return !pair.client->is_connected(); });
    CHECK(pair.lost == 0);
    CHECK(pair.client->text("anew") == SendStatus::ok);
    pair.until([&] { return pair.received == "one two closeanew"; });
}

TEST_CASE("client sending: what does not leave is told, with how much it was") {
    Reactor reactor;
    Client client(reactor, nobody());
    std::vector<std::string> told;
    client.on_error([&](Connection*, const Error& error) { told.emplace_back(error.what()); });
    client.text("one");
    client.text("two");
    std::size_t expected = 1;
    SECTION("by disconnect()") { client.disconnect(); }
    SECTION("by close(), when there is no connection") {
        client.set_reconnect(at_once);
        CHECK(client.close() == SendStatus::ok);
        REQUIRE(run_until(reactor.core(), [&] { return told.size() == 2; }));
        expected = 2;
    }
    SECTION("by the end of coming back") {
        client.set_reconnect(never);
        REQUIRE(run_until(reactor.core(), [&] { return told.size() == 1; }));
        client.set_reconnect(std::nullopt);
        expected = 2;
    }
    REQUIRE(told.size() == expected);
    CHECK(told.back().starts_with("2 queued messages"));
    reactor.run();  // nothing is left to wait for
    CHECK(told.size() == expected);
}

TEST_CASE("client sending: new options of coming back count for the wait under way, impossible ones change nothing") {
    Pair pair;
    pair.server.disconnect();
    pair.client->set_reconnect(never).text("kept");
    pair.until([&] { return pair.told.size() == 1; });
    CHECK_THROWS_AS(pair.client->set_reconnect(ReconnectOptions{.initial = Seconds(-1)}), Error);
    pair.server.start();
    pair.client->set_reconnect(at_once);
    pair.until([&] { return pair.received == "kept"; });
    CHECK(pair.lost == 0);
}

TEST_CASE("client sending: what is sent in on_error of a connection waits as long as the client itself") {
    Pair pair;
    int requests = 0;
    const auto busy = std::make_shared<Callback>();
    busy->on_http_incoming = [&](Connection&, HttpMessage, const HttpNext& next) {
        ++requests;
        next.respond(Response{503, {}, {}, {}});
    };
    pair.server.add_middleware(busy);
    pair.client->on_error([&](Connection*, const Error&) { pair.client->text("again"); });
    pair.client->set_reconnect(never).connect();
    pair.until([&] { return requests == 1 && !pair.client->is_connected(); });
    run_ready(pair.reactor.core());
    CHECK(requests == 1);
    pair.server.remove_middleware(*busy);
    pair.client->on_error({}).set_reconnect(at_once);
    pair.until([&] { return pair.received == "again"; });
}

TEST_CASE("client sending: on_error may throw, and still the end is told, the loss, and run() returns") {
    Pair pair;
    pair.reactor.on_exception([](std::exception_ptr) {});
    std::vector<std::string> told;
    const auto throwing = [&](Connection*, const Error& error) {
        told.emplace_back(error.what());
        throw std::runtime_error("from on_error");
    };
    const auto has_told_loss = [&] {
        return std::any_of(told.begin(), told.end(), [](const std::string& what) { return what.find("queued message") != what.npos; });
    };
    bool hangs = false;
    const TimerId guard = pair.reactor.after(Seconds(20), [&] {
        hangs = true;
        pair.reactor.stop();
    });
    SECTION("a hook throws at a queued message") {
        const auto hook = std::make_shared<Callback>();
        hook->on_outgoing = [](Connection&, const MessageView& message, const Next& next) {
            if (message.content == "2") throw std::runtime_error("from a hook");
            return next(message);
        };
        int ends = 0;
        pair.client->add_middleware(hook).on_error(throwing).on_disconnect([&](Connection&, const Disconnect&) { ++ends; });
        for (const char* text : {"1", "2", "3", "4", "5"}) pair.client->text(text);
        pair.client->run();
        CHECK(ends == 1);
    }
    SECTION("nobody listens") {
        Client client(pair.reactor, nobody());
        if (GENERATE(false, true)) client.set_reconnect(ReconnectOptions{.initial = Seconds(0), .maximum = Seconds(0), .max_attempts = 2});
        client.on_error(throwing);
        client.text("one");
        client.text("two");
        CHECK_THROWS_AS(client.run(), Error);
    }
    SECTION("the application gives up") {
        const bool disconnects = GENERATE(false, true);
        Client client(pair.reactor, nobody());
        client.set_reconnect(never).on_error(throwing);
        client.text("one");
        client.text("two");
        pair.reactor.after(Seconds(0.02), [&] { disconnects ? client.disconnect() : client.set_reconnect(std::nullopt); });
        client.run();
    }
    pair.reactor.cancel(guard);
    CHECK_FALSE(hangs);
    CHECK(has_told_loss());
}

TEST_CASE("client sending: what was queued leaves or is told, also when a hook ends the connection at the second") {
    Pair pair;
    const int what = GENERATE(0, 1, 2);
    CAPTURE(what);
    const std::string uri = pair.uri();
    bool acted = false;
    const auto hook = std::make_shared<Callback>();
    hook->on_outgoing = [&](Connection& connection, const MessageView& message, const Next& next) {
        if (message.content != "2" || std::exchange(acted, true)) return next(message);
        if (what == 0) throw ReconnectRequested(uri);
        if (what == 1) throw Error(Errc::connection_failure, "from a hook");
        connection.disconnect();
        return SendStatus::closed;
    };
    pair.client->add_middleware(hook);
    for (const char* text : {"1", "2", "3", "4", "5"}) pair.client->text(text);
    pair.until([&] { return acted && pair.received.size() + pair.lost == 5; });
    CHECK(pair.received == (what == 0 ? "1345" : "1"));
}

TEST_CASE("client sending: what was queued and did not leave is told once, with the true reason") {
    const std::string big(2'000'000, 'x');
    Configuration configuration;
    configuration.max_buffered_amount = 10'000'000;
    configuration.high_water_mark = configuration.low_water_mark = 10'000'000;
    configuration.overflow_policy = GENERATE(OverflowPolicy::drop, OverflowPolicy::disconnect);
    const bool closes_at_overflow = configuration.overflow_policy == OverflowPolicy::disconnect;
    Pair pair(configuration);
    std::vector<std::string> contents = {"1", "2", "3", "4", "5"};
    std::function<void(Connection&, const std::string&)> act;
    std::set<std::string> kept;
    std::string expected;
    const std::string ended = "4 queued messages for " + pair.uri() + " were not sent: the connection ended";
    SECTION("it throws") {
        act = [](Connection&, const std::string&) { throw std::runtime_error("hook"); };
        expected = ended;
    }
    SECTION("it throws an error of the connection") {
        act = [](Connection&, const std::string&) { throw Error(Errc::connection_failure, "hook"); };
        expected = ended;
    }
    SECTION("it asks for a Close") {
        act = [](Connection&, const std::string&) { throw CloseRequested(); };
        expected = ended;
    }
    SECTION("it ends the connection") {
        act = [](Connection& connection, const std::string&) { connection.disconnect(); };
        expected = ended;
    }
    SECTION("it ends what the client does") {
        act = [&](Connection&, const std::string&) { pair.client->disconnect(); };
        expected = ended;
    }
    SECTION("it throws at the last") {
        contents = {"2"};
        act = [](Connection&, const std::string&) { throw std::runtime_error("hook"); };
        expected = "1 queued message for " + pair.uri() + " was not sent: the connection ended";
    }
    SECTION("it asks for another connection") {
        act = [](Connection&, const std::string&) { throw ReconnectRequested(); };
        expected = "1 queued message for " + pair.uri() + " was not sent: the connection ended";
    }
    SECTION("it keeps one") {
        kept = {"4"};
        expected = "1 queued message for " + pair.uri() + " was not sent: a middleware kept it";
    }
    SECTION("it keeps two") {
        kept = {"4", "5"};
        expected = "2 queued messages for " + pair.uri() + " were not sent: a middleware kept them";
    }
    SECTION("it keeps one and throws at the next") {
        kept = {"1"};
        act = [](Connection&, const std::string&) { throw std::runtime_error("hook"); };
        expected = "5 queued messages for " + pair.uri() + " were not sent: a middleware kept them (1), the connection ended (4)";
    }
    SECTION("it leaves no room") {
        contents = {"2", big, "3"};
        act = [&](Connection& connection, const std::string&) {
            while (connection.buffered_amount() <= 9'000'000) connection.binary(std::string(500'000, 'x'));
        };
        const std::string two = "2 queued messages for " + pair.uri() + " were not sent: the connection ended";
        expected = closes_at_overflow ? two : "1 queued message for " + pair.uri() + " was not sent: there was no room";
    }
    const auto hook = std::make_shared<Callback>();
    bool acted = false;
    hook->on_outgoing = [&](Connection& connection, const MessageView& message, const Next& next) {
        const std::string content(message.content);
        if (kept.contains(content)) return SendStatus::dropped;
        if (act && content == "2" && !std::exchange(acted, true)) act(connection, content);
        return next(message);
    };
    pair.client->add_middleware(hook);
    for (const std::string& content : contents) CHECK(pair.client->text(content) == SendStatus::ok);
    const auto sentences = [&] {
        std::vector<std::string> found;
        for (const Error& error : pair.told)
            if (std::string_view(error.what()).find(" queued message") != std::string::npos) found.emplace_back(error.what());
        return found;
    };
    pair.until([&] { return !sentences().empty(); });
    run_ready(pair.reactor.core());
    pair.client->disconnect();
    run_ready(pair.reactor.core());
    CHECK(sentences() == std::vector{expected});
}

TEST_CASE("client sending: a Close that cannot be sent is refused before the handshake too, and changes nothing") {
    Pair pair;
    pair.client->connect();
    const bool is_queued = GENERATE(false, true);
    if (is_queued) pair.client->text("kept");
    CHECK(pair.client->close(CloseCode::abnormal) == SendStatus::refused);
    CHECK(pair.client->close(CloseCode::normal, std::string(124, 'x')) == SendStatus::refused);
    CHECK(pair.told.size() == 2);
    pair.until([&] { return pair.handshakes == 1; });
    CHECK(pair.client->close(CloseCode::normal, std::string(123, 'x')) == SendStatus::ok);
}
