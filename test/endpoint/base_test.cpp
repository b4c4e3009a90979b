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
