#include <map>

#include "support/loop_fixture.hpp"
#include "support/tls_loopback.hpp"

using namespace support;

// A daemon that lends its loop to a reactor may run it inside a callback: libev's ev_run is recursive.

namespace {

class NestedLoop {
    NothingLeft nothing_left_;
    NativeLoop native_ = make_native_loop();

public:
    explicit NestedLoop(bool ssl = false) : reactor(native_.get()), server(reactor, {.host = "127.0.0.1", .port = 0, .ssl = ssl}) {
        const Authority& authority = Authority::instance();
        if (ssl) server.set_configuration(with_ssl({{"local_cert", authority.leaf_file}, {"local_pk", authority.key_file}}));
        server.on_error([this](Connection*, const Error& error) { errors.emplace_back(error.what()); });
        server.start();
    }
    /// Runs the loop, inside of a callback or not, until `is_done()`.
    template <typename IsDone>
    void until(IsDone&& is_done) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (!is_done() && std::chrono::steady_clock::now() < end) ev_run(native_.get(), EVRUN_NOWAIT);
        REQUIRE(is_done());
    }
    /// Serves what is ready.
    void run_ready() { ev_run(native_.get(), EVRUN_NOWAIT); }
    /// Waits for one event.
    void run_once() { ev_run(native_.get(), EVRUN_ONCE); }
    std::unique_ptr<Client> client() {
        const std::string uri = (server.is_ssl() ? "wss://localhost:" : "ws://localhost:") + std::to_string(server.port());
        auto client = std::make_unique<Client>(reactor, uri, ClientOptions{.configuration = with_ssl(trusting())});
        client->on_error([this](Connection*, const Error& error) { errors.emplace_back(error.what()); });
        return client;
    }
    RawPeer peer() {
        RawPeer peer(reactor.core(), connect_to(transport::Address::literal("127.0.0.1", server.port())));
        peer.shake_hands();
        return peer;
    }

    Reactor reactor;
    Server server;
    std::vector<std::string> errors;
};

}  // namespace

TEST_CASE("nested loop: the callback's view keeps its bytes, and what was sent before leaves before") {
    NestedLoop loop;
    RawPeer outer = loop.peer(), other = loop.peer();
    std::string order;
    loop.server.on_text([&](Connection& connection, const MessageView& message) {
        const std::string before(message.content);
        connection.text("1 " + before);
        if (before == "outer") {
            other.send(RawPeer::frame(0x81, "OTHER"));
            outer.send(RawPeer::frame(0x81, "later"));
            loop.until([&] { return order == "OTHER "; });
            CHECK(message.content == before);
        }
        order += before + " ";
        connection.text("2 " + before);
    });
    outer.send(RawPeer::frame(0x81, "outer") + RawPeer::frame(0x81, "behind"));
    loop.until([&] { return order.ends_with("later "); });
    CHECK(order == "OTHER outer behind later ");
    const auto echoes = [](const std::string& content) {
        const std::string head = {'\x81', static_cast<char>(content.size() + 2)};
        return head + "1 " + content + head + "2 " + content;
    };
    CHECK(outer.receive("2 later") == echoes("outer") + echoes("behind") + echoes("later"));
    CHECK(other.receive("2 OTHER") == echoes("OTHER"));
    CHECK(loop.errors == std::vector<std::string>{});
}

TEST_CASE("nested loop: depth upon depth, nothing is lost, changed or out of order") {
    NestedLoop loop(GENERATE(false, true));
    constexpr std::size_t clients = 3, messages = 10;
    unsigned depth = 0, deepest = 0;
    std::size_t received = 0, wrong = 0;
    const auto content = [](std::size_t number) {
        const std::size_t sizes[] = {3, 100, 5000, 70'000, 150'000};
        std::string text(sizes[number % std::size(sizes)], static_cast<char>('a' + number % 26));
        return std::to_string(number) + text;
    };
    // Each callback of either side runs the loop now and then.
    const auto nest = [&] {
        if (depth == 3) return;
        deepest = std::max(deepest, ++depth);
        for (int i = 0; i < 3; ++i) loop.run_ready();
        --depth;
    };
    loop.server.on_binary([&](Connection& connection, const MessageView& message) {
        const std::string before(message.content);
        nest();
        wrong += message.content != before;
        connection.binary(message.content);
    });
    std::vector<std::unique_ptr<Client>> all;
    std::map<const Client*, std::size_t> next;
    for (std::size_t i = 0; i < clients; ++i) {
        Client& client = *all.emplace_back(loop.client());
        client.on_binary([&](Connection&, const MessageView& message) {
            const std::size_t number = next[&client]++;
            ++received;
            nest();
            wrong += message.content != content(number);
        });
        for (std::size_t number = 0; number < messages; ++number) client.binary(content(number));
    }
    loop.until([&] { return received == clients * messages; });
    CHECK(wrong == 0);
    CHECK(deepest == 3);
    CHECK(loop.errors == std::vector<std::string>{});
}

TEST_CASE("nested loop: what the connection under way receives does not keep the nested loop awake") {
    NestedLoop loop;
    RawPeer outer = loop.peer();
    int rounds = 0;
    bool is_over = false;
    loop.server.on_text([&](Connection&, const MessageView& message) {
        if (message.content != "outer") return void(is_over = true);
        outer.send(RawPeer::frame(0x81, "waits"));
        bool is_done = false;
        loop.reactor.after(Seconds(0.05), [&] { is_done = true; });
        while (!is_done) {
            loop.run_once();
            ++rounds;
        }
    });
    outer.send(RawPeer::frame(0x81, "outer"));
    loop.until([&] { return is_over; });
    CHECK(rounds < 10);
}

TEST_CASE("nested loop: it may end the connection under way, its endpoint, or another") {
    enum class What { peer_ends, disconnect, destroy, close };
    const What what = GENERATE(What::peer_ends, What::disconnect, What::destroy, What::close);
    NestedLoop loop;
    auto second = std::make_unique<Server>(loop.reactor, ServerOptions{.host = "127.0.0.1", .port = 0});
    second->start();
    RawPeer outer(loop.reactor.core(), connect_to(transport::Address::literal("127.0.0.1", second->port())));
    outer.shake_hands();
    RawPeer other = loop.peer();
    loop.server.on_text([&](Connection&, const MessageView&) {
        if (what == What::disconnect) second->disconnect();
        if (what == What::destroy) second.reset();
        if (what == What::close) second->close();
        if (what == What::peer_ends) outer.finish();
    });
    int endings = 0, texts = 0;
    second->on_disconnect([&](Connection&, const Disconnect&) { ++endings; });
    second->on_text([&](Connection& connection, const MessageView& message) {
        ++texts;
        const std::string before(message.content);
        other.send(RawPeer::frame(0x81, "now"));
        for (int i = 0; i < 5; ++i) loop.reactor.post([] {}), loop.run_once();
        CHECK(message.content == before);
        connection.text("behind it");
    });
    outer.send(RawPeer::frame(0x81, "outer"));
    if (what == What::close) {
        outer.receive(std::string("\x88\x02\x03\xE8", 4));
        outer.send(RawPeer::frame(0x88, "\x03\xE8"));
    }
    outer.receive();
    CHECK(texts == 1);
    loop.until([&] { return endings == (what == What::destroy ? 0 : 1); });
}

TEST_CASE("nested loop: what is posted runs in its order") {
    NestedLoop loop;
    std::string order;
    for (const char name : {'a', 'b', 'c'})
        loop.reactor.post([&order, &loop, name] {
            if (name == 'a') {
                loop.reactor.post([&order] { order += 'd'; });
                loop.until([&] { return order.ends_with('d'); });
            }
            order += name;
        });
    loop.until([&] { return order.size() == 4; });
    CHECK(order == "bcda");
}

TEST_CASE("nested loop: a broadcast reaches the others when a connection ends within its hook") {
    NestedLoop loop;
    RawPeer first = loop.peer(), second = loop.peer(), third = loop.peer();
    bool acted = false;
    const auto hook = std::make_shared<Callback>();
    hook->on_outgoing = [&](Connection&, const MessageView& message, const Next& next) {
        if (!std::exchange(acted, true)) {
            first.reset();
            loop.until([&] { return loop.server.connection_count() == 2; });
        }
        return next(message);
    };
    loop.server.add_middleware(hook);
    SECTION("a message") {
        CHECK(loop.server.text("all") == 2);
        for (RawPeer* peer : {&second, &third}) CHECK(peer->receive("all") == "\x81\x03"
                                                                              "all");
    }
    SECTION("a shutdown") {
        loop.server.shutdown();
        for (RawPeer* peer : {&second, &third}) CHECK(peer->receive("\x03\xE9") == "\x88\x02\x03\xE9");
    }
}
