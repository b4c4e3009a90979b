#include "connection/link.hpp"
#include "support/catch.hpp"
#include "support/sim_world.hpp"

using namespace hawser;
using namespace support;
using Catch::Matchers::ContainsSubstring;
using Lines = std::vector<std::string>;

namespace {

/// One end under test, of either role, and its peer.
struct Half {
    explicit Half(bool is_client, const Configuration& configuration = {}, const WireOptions& options = {})
        : world(configuration, configuration),
          peer(is_client ? world.open_server(options) : world.open_client(options)),
          journal(is_client ? world.at_client : world.at_server),
          connection(is_client ? world.client->connection() : world.newest()) {
        journal.take();
    }
    ~Half() { connection.reset(); }
    void echo() {
        journal.then = [](std::string_view line, Connection* from) {
            if (line.starts_with("text")) from->text(line.substr(5));
        };
    }
    SimWorld world;
    SimPeer peer;
    Journal& journal;
    ConnectionPtr connection;
};

Configuration half_open() {
    Configuration configuration;
    configuration.allow_half_open = true;
    return configuration;
}

}  // namespace

TEST_CASE("link: FIN without a Close ends with 1006, without an error", "[link][half_close]") {
    Half half(GENERATE(false, true));
    half.peer.finish();
    half.world.settle();
    CHECK(half.journal.take() == Lines{"disconnect 1006"});
    CHECK_FALSE(half.journal.ending()->error);
    CHECK(half.world.counts->open == 0);
}

TEST_CASE("link: a message right before FIN is delivered, and its reply leaves", "[link][half_close]") {
    const std::uint64_t seed = GENERATE(0u, 1u, 2u, 3u);
    CAPTURE(seed);
    Half half(GENERATE(false, true), {}, {.capacity = 50, .seed = seed, .record = GENERATE(0u, 3u)});
    half.echo();
    half.peer.text("one");
    half.peer.text("two" + std::string(200, '.'));
    half.peer.finish();
    half.world.settle();
    Lines replies;
    for (int i = 0; i < 100; ++i) {
        for (std::string& line : half.peer.lines()) replies.push_back(std::move(line));
        half.world.settle();
    }
    CHECK(replies == Lines{"text one", "text two" + std::string(200, '.')});
    CHECK(half.peer.socket().sees_end());
    CHECK(half.journal.lines().back() == "disconnect 1006");
}

TEST_CASE("link: what is queued when FIN comes is still delivered", "[link][half_close]") {
    Half half(GENERATE(false, true), {}, {.capacity = 1000});
    half.connection->binary(std::string(4000, 'x'));
    half.world.settle();
    half.peer.finish();
    half.world.settle();
    CHECK(half.journal.lines().empty());
    CHECK(half.connection->is_connected());
    CHECK_FALSE(half.connection->is_readable());
    CHECK_FALSE(half.connection->is_writable());
    CHECK(half.connection->text("no more") == SendStatus::closed);
    std::size_t arrived = 0;
    for (int i = 0; i < 6; ++i) {
        arrived += half.peer.socket().take().size();
        half.world.settle();
    }
    CHECK(arrived >= 4000 + 4);
    CHECK(half.journal.take() == Lines{"disconnect 1006"});
    CHECK_FALSE(half.peer.socket().is_reset());
}

TEST_CASE("link: what is queued when FIN comes waits for a peer that does not read only so long", "[link][half_close]") {
    Configuration configuration;
    configuration.timeout = Seconds(10);
    Half half(GENERATE(false, true), configuration, {.capacity = 1000});
    half.connection->binary(std::string(4000, 'x'));
    half.world.settle();
    half.peer.finish();
    half.world.pass(Seconds(9.9));
    CHECK(half.journal.lines().empty());
    half.world.pass(Seconds(0.2));
    CHECK(half.journal.take() == Lines{"error connection_failure", "disconnect 1006"});
}

TEST_CASE("link: FIN in the middle of a message is told", "[link][half_close]") {
    Half half(GENERATE(false, true));
    const std::string bytes = half.peer.encode({Opcode::text, "a message in two frames"}, 12);
    const std::size_t size = bytes.size() - GENERATE(0u, 1u, 15u);
    half.peer.send(bytes.substr(0, size));
    half.peer.finish();
    half.world.settle();
    if (size == bytes.size()) {
        CHECK(half.journal.take() == Lines{"text a message in two frames", "disconnect 1006"});
    } else {
        CHECK(half.journal.take() == Lines{"error connection_closed", "disconnect 1006"});
        CHECK(half.journal.ending()->error);
    }
}

TEST_CASE("link: with allow_half_open writing goes on behind the peer's FIN", "[link][half_close]") {
    Half half(GENERATE(false, true), half_open());
    half.peer.text("last");
    half.peer.finish();
    half.world.pass(Seconds(1000));
    CHECK(half.journal.take() == Lines{"text last"});
    CHECK(half.connection->is_connected());
    CHECK_FALSE(half.connection->is_readable());
    CHECK(half.connection->is_writable());
    CHECK(half.connection->text("still") == SendStatus::ok);
    half.world.settle();
    CHECK(half.peer.lines() == Lines{"text still"});
    half.connection->text("and this");
    SECTION("until close_write") {
        half.connection->close_write();
        CHECK_FALSE(half.connection->is_writable());
        half.world.settle();
        CHECK(half.peer.lines() == Lines{"text and this"});
    }
    SECTION("until close") {
        half.connection->close();
        half.world.settle();
        CHECK(half.peer.lines() == Lines{"text and this", "close 1000"});
    }
    SECTION("until disconnect") { half.connection->disconnect(); }
    SECTION("until the peer is gone") {
        half.peer.socket().reset();
        half.connection->text("too late");
    }
    half.world.settle();
    CHECK(half.journal.lines().back() == "disconnect 1006");
    CHECK(half.world.counts->open == 0);
}

TEST_CASE("link: close_write sends what is queued, then FIN, and reading goes on", "[link][half_close]") {
    Half half(GENERATE(false, true), {}, {.capacity = 1000});
    half.connection->text(std::string(3000, 'x'));
    half.connection->close_write();
    CHECK_FALSE(half.connection->is_writable());
    CHECK(half.connection->is_readable());
    CHECK(half.connection->text("no") == SendStatus::closed);
    Lines arrived;
    for (int i = 0; i < 6; ++i) {
        half.world.settle();
        for (std::string& line : half.peer.lines()) arrived.push_back(std::move(line));
    }
    CHECK((arrived == Lines{"text " + std::string(3000, 'x')}));
    CHECK(half.peer.socket().sees_end());
    half.peer.text("answer");
    half.peer.send({Opcode::ping, "not answered"});
    half.world.pass(Seconds(10));
    CHECK(half.journal.take() == Lines{"text answer", "ping not answered"});
    SECTION("until the peer's FIN") {
        half.peer.finish();
        half.world.settle();
        CHECK(half.journal.take() == Lines{"disconnect 1006"});
    }
    SECTION("until the peer's Close") {
        half.peer.close(CloseCode::going_away);
        half.world.settle();
        CHECK(half.journal.take() == Lines{"close 1001", "disconnect 1001"});
    }
    SECTION("until close_read") {
        half.connection->close_read();
        CHECK_FALSE(half.connection->is_connected());
        half.world.settle();
        CHECK(half.journal.take() == Lines{"disconnect 1006"});
    }
    CHECK(half.world.counts->open == 0);
}

TEST_CASE("link: close_read delivers nothing any more, and writing goes on", "[link][half_close]") {
    Half half(GENERATE(false, true));
    half.peer.text("in the socket");
    half.connection->close_read();
    CHECK_FALSE(half.connection->is_readable());
    CHECK(half.connection->is_writable());
    half.peer.text("later");
    half.peer.send({Opcode::ping, {}});
    half.world.settle();
    CHECK(half.journal.lines().empty());
    CHECK(half.peer.socket().peer().unread() == 0);
    CHECK(half.connection->text("still") == SendStatus::ok);
    half.world.settle();
    CHECK(half.peer.lines() == Lines{"text still"});
    SECTION("until close_write, which sends what is queued") {
        half.connection->text("last");
        half.connection->close_write();
        half.world.settle();
        CHECK(half.peer.lines() == Lines{"text last"});
    }
    SECTION("until close") {
        half.connection->close(CloseCode::going_away);
        half.world.settle();
        CHECK(half.peer.lines() == Lines{"close 1001"});
    }
    half.world.settle();
    CHECK(half.journal.take() == Lines{"disconnect 1006"});
    CHECK(half.peer.socket().sees_end());
    CHECK_FALSE(half.peer.socket().is_reset());
}

TEST_CASE("link: close_read in a callback holds from the next message on", "[link][half_close]") {
    Half half(GENERATE(false, true));
    half.journal.then = [](std::string_view, Connection* connection) { connection->close_read(); };
    half.peer.text("1");
    half.peer.text("2");
    half.world.settle();
    CHECK(half.journal.take() == Lines{"text 1"});
    CHECK(half.connection->is_writable());
}

TEST_CASE("link: closing a half twice, or the other way round, is legal", "[link][half_close]") {
    Half half(GENERATE(false, true));
    SECTION("write twice, then read") {
        half.connection->close_write();
        half.connection->close_write();
        half.world.settle();
        half.connection->close_write();
        half.connection->close_read();
    }
    SECTION("read twice, then write") {
        half.connection->close_read();
        half.connection->close_read();
        half.connection->close_write();
        half.connection->close_read();
    }
    half.world.settle();
    CHECK(half.journal.take() == Lines{"disconnect 1006"});
    CHECK(half.world.counts->open == 0);
}

TEST_CASE("link: what arrived before writing failed is delivered first", "[link][half_close]") {
    const bool is_client = GENERATE(false, true);
    // Each read gives half a message.
    const std::size_t one_message = is_client ? 11 : 15;
    Half half(is_client, {}, {.record = GENERATE(false, true) ? one_message : 0});
    const std::size_t size = GENERATE(10u, 20'000u);
    CAPTURE(is_client, size);
    half.journal.then = [&](std::string_view line, Connection* connection) {
        if (line != "text message 0") return;
        // The first is taken and lost, then there is a reset, and the next fails.
        connection->text(std::string(20'000, 'x'));
        connection->text(std::string(size, 'x'));
    };
    Lines expected;
    for (int i = 0; i < 5; ++i) {
        half.peer.text("message " + std::to_string(i));
        expected.push_back("text message " + std::to_string(i));
    }
    half.peer.socket().close();
    half.world.settle();
    expected.insert(expected.end(), {"error connection_failure", "disconnect 1006"});
    CHECK(half.journal.take() == expected);
}

TEST_CASE("link: what arrived before a reset is delivered, then the failure is told", "[link][half_close]") {
    const std::uint64_t seed = GENERATE(0u, 1u, 2u, 3u);
    CAPTURE(seed);
    Half half(GENERATE(false, true), {}, {.seed = seed});
    half.peer.text("one");
    half.peer.text("two");
    half.peer.socket().reset();
    half.world.settle();
    CHECK(half.journal.take() == Lines{"text one", "text two", "error connection_failure", "disconnect 1006"});
    CHECK_THAT(half.journal.errors().back(), ContainsSubstring("sim:") && ContainsSubstring("reset"));
}

TEST_CASE("link: behind the closing handshake a peer may go as it likes", "[link][half_close]") {
    Half half(GENERATE(false, true));
    half.connection->close();
    half.world.settle();
    half.peer.close(CloseCode::going_away);
    SECTION("FIN") { half.peer.finish(); }
    SECTION("reset") { half.peer.socket().reset(); }
    SECTION("closed") { half.peer.socket().close(); }
    half.world.settle();
    CHECK(half.journal.take() == Lines{"close 1001", "disconnect 1001 clean"});
}

TEST_CASE("link: FIN while the own Close waits for its answer ends with 1006", "[link][half_close]") {
    Half half(GENERATE(false, true), GENERATE(false, true) ? half_open() : Configuration{});
    half.connection->close();
    half.world.settle();
    half.peer.finish();
    half.world.settle();
    CHECK(half.journal.take() == Lines{"disconnect 1006"});
    CHECK(half.peer.lines() == Lines{"close 1000"});
}
