#include "connection/link.hpp"
#include "support/catch.hpp"
#include "support/sim_world.hpp"

using namespace hawser;
using namespace support;
using Lines = std::vector<std::string>;

namespace {

/// One end under test, of either role, and its peer.
struct Reader {
    explicit Reader(bool is_client, const WireOptions& options = {})
        : peer(is_client ? world.open_server(options) : world.open_client(options)),
          journal(is_client ? world.at_client : world.at_server),
          connection(is_client ? world.client->connection() : world.newest()) {
        journal.take();
    }
    ~Reader() { connection.reset(); }
    SimWorld world;
    SimPeer peer;
    Journal& journal;
    ConnectionPtr connection;
};

}  // namespace

TEST_CASE("link: pause stops delivery between two messages of one read, resume goes on", "[link][pause]") {
    Reader reader(GENERATE(false, true), {.record = GENERATE(0u, 7u)});
    reader.journal.then = [](std::string_view line, Connection* connection) {
        if (line == "text 2") connection->pause();
    };
    for (const char* content : {"1", "2", "3", "4"}) reader.peer.text(content);
    reader.peer.send(reader.peer.encode({Opcode::text, "cut in two"}).substr(0, 5));
    reader.world.pass(Seconds(1));
    CHECK(reader.journal.take() == Lines{"text 1", "text 2"});
    CHECK(reader.connection->is_paused());
    CHECK(reader.connection->is_readable());
    reader.peer.send(reader.peer.encode({Opcode::text, "cut in two"}).substr(5));
    reader.world.pass(Seconds(1));
    CHECK(reader.journal.lines().empty());
    CHECK(reader.peer.socket().peer().unread() > 0);
    // Sending goes on.
    CHECK(reader.connection->text("sent") == SendStatus::ok);
    reader.world.settle();
    CHECK(reader.peer.lines() == Lines{"text sent"});
    reader.connection->resume();
    CHECK(reader.journal.lines().empty());
    reader.world.settle();
    CHECK(reader.journal.take() == Lines{"text 3", "text 4", "text cut in two"});
    CHECK(reader.peer.socket().peer().unread() == 0);
}

TEST_CASE("link: pause and resume in one callback change nothing", "[link][pause]") {
    Reader reader(GENERATE(false, true));
    reader.journal.then = [](std::string_view, Connection* connection) {
        connection->pause();
        connection->resume();
    };
    for (const char* content : {"1", "2", "3"}) reader.peer.text(content);
    reader.world.settle();
    CHECK(reader.journal.take() == Lines{"text 1", "text 2", "text 3"});
    CHECK_FALSE(reader.connection->is_paused());
}

TEST_CASE("link: pause after each message delivers them one by one, in order", "[link][pause]") {
    const std::uint64_t seed = GENERATE(0u, 1u, 2u);
    Reader reader(GENERATE(false, true), {.seed = seed, .record = GENERATE(0u, 5u)});
    CAPTURE(seed);
    reader.journal.then = [&](std::string_view, Connection* connection) {
        connection->pause();
        reader.world.reactor.after(Seconds(1), [handle = connection->handle()] { handle->resume(); });
    };
    Lines expected;
    for (int i = 0; i < 20; ++i) {
        expected.push_back("text " + std::to_string(i));
        reader.peer.text(std::to_string(i));
    }
    for (std::size_t i = 1; i <= 20; ++i) {
        reader.world.settle();
        REQUIRE(reader.journal.lines().size() == i);
        reader.world.pass(Seconds(1));
    }
    CHECK(reader.journal.take() == expected);
}

TEST_CASE("link: a large message may be paused while it arrives", "[link][pause]") {
    Reader reader(GENERATE(false, true), {.record = GENERATE(0u, 10'000u)});
    std::string content(600'000, 'x');
    content += "end";
    const std::string bytes = reader.peer.encode({Opcode::binary, content}, GENERATE(1u << 20, 50'000u));
    for (std::size_t at = 0; at < bytes.size(); at += 70'000) {
        reader.peer.send(bytes.substr(at, 70'000));
        reader.connection->pause();
        reader.world.settle();
        CHECK(reader.peer.socket().peer().unread() >= std::min<std::size_t>(60'000, bytes.size() - at));
        reader.connection->resume();
        reader.world.settle();
        CHECK(reader.peer.socket().peer().unread() == 0);
    }
    CHECK((reader.journal.take() == Lines{"binary " + content}));
}

TEST_CASE("link: paused, it sees neither Close nor FIN, but both behind what came before", "[link][pause]") {
    Reader reader(GENERATE(false, true));
    reader.connection->pause();
    reader.peer.text("before");
    const bool close = GENERATE(false, true);
    if (close) reader.peer.close();
    reader.peer.finish();
    reader.world.pass(Seconds(100));
    CHECK(reader.journal.lines().empty());
    CHECK(reader.connection->is_connected());
    reader.connection->resume();
    reader.world.settle();
    CHECK(reader.journal.take() ==
          (close ? Lines{"text before", "close 1000", "disconnect 1000 clean"} : Lines{"text before", "disconnect 1006"}));
}

TEST_CASE("link: paused, it may end in every way", "[link][pause]") {
    Reader reader(GENERATE(false, true));
    reader.connection->pause();
    reader.peer.text("unread");
    SECTION("disconnect") { reader.connection->disconnect(); }
    SECTION("close_read, close_write") {
        reader.connection->close_read();
        reader.connection->close_write();
    }
    SECTION("close, unanswered") { reader.connection->close(); }
    SECTION("a write that fails") {
        reader.peer.socket().reset();
        reader.connection->text("x");
    }
    reader.world.pass(Seconds(6));
    CHECK(reader.journal.count("text") == 0);
    CHECK(reader.journal.count("disconnect 1006") == 1);
    CHECK(reader.world.counts->open == 0);
}

TEST_CASE("link: an endpoint's stop() holds reading apart from pause()", "[link][pause]") {
    SimWorld world;
    SimPeer peer = world.open_server();
    world.at_client.take();
    const ConnectionPtr connection = world.client->connection();
    world.client->stop();
    peer.text("1");
    world.settle();
    CHECK(world.at_client.lines().empty());
    CHECK_FALSE(connection->is_paused());
    connection->pause();
    world.client->start();
    world.settle();
    CHECK(world.at_client.lines().empty());
    connection->resume();
    world.settle();
    CHECK(world.at_client.take() == Lines{"text 1"});
    world.kept = 1;
    world.end();
}

TEST_CASE("link: the handshake's end is seen also when it is paused from the start", "[link][pause]") {
    SimWorld world;
    world.at_server.then = [](std::string_view line, Connection* connection) {
        if (line == "handshake") connection->pause();
    };
    SimPeer peer = world.raw_client();
    peer.shake_hands();
    peer.text("1");
    world.settle();
    CHECK(world.at_server.take() == Lines{"handshake"});
    world.newest()->resume();
    world.settle();
    CHECK(world.at_server.take() == Lines{"text 1"});
}

TEST_CASE("link: closed while it is paused, it reads the peer's answer and ends cleanly", "[link][pause]") {
    Reader reader(GENERATE(false, true), {.record = GENERATE(0u, 7u)});
    const bool has_unread = GENERATE(false, true);
    Connection& connection = *reader.connection;
    // Arrived as a whole or by half, behind what was read when pause() was called, or not at all.
    reader.journal.then = [&](std::string_view line, Connection* of) {
        if (line == "text stop") of->pause();
    };
    reader.peer.text("stop");
    if (has_unread) {
        reader.peer.text("unread");
        reader.peer.send(reader.peer.encode({Opcode::text, "cut in two"}).substr(0, 7));
    }
    reader.world.settle();
    SECTION("pause, then close") { connection.close(CloseCode::normal, "done"); }
    SECTION("close, then pause") {
        connection.resume();
        reader.journal.then = {};
        connection.close(CloseCode::normal, "done");
        connection.pause();
    }
    const std::size_t before = reader.journal.count("text");
    reader.world.settle();
    if (has_unread) reader.peer.send(reader.peer.encode({Opcode::text, "cut in two"}).substr(7));
    reader.peer.send({Opcode::ping, "asks"});
    reader.peer.close();
    reader.peer.finish();
    reader.world.settle();
    CHECK(reader.journal.count("ping asks") == 1);
    CHECK(reader.journal.count("text") == before);
    CHECK(reader.journal.lines().back() == "disconnect 1000 clean");
    CHECK(reader.journal.errors().empty());
    CHECK(reader.world.counts->open == 0);
}

TEST_CASE("link: the Close that waits behind a pause is seen as soon as it is answered from here", "[link][pause]") {
    Reader reader(GENERATE(false, true));
    reader.journal.then = [](std::string_view, Connection* connection) { connection->pause(); };
    // All in one read: it lies in the connection's own buffer.
    reader.peer.send(reader.peer.encode({Opcode::text, "stop"}) + reader.peer.encode({Opcode::close, {}, CloseCode::going_away}));
    reader.world.settle();
    CHECK(reader.journal.take() == Lines{"text stop"});
    reader.connection->close();
    reader.peer.finish();
    reader.world.settle();
    CHECK(reader.journal.take() == Lines{"close 1001", "disconnect 1001 clean"});
}

TEST_CASE("link: resumed behind its Close, it delivers what comes, unless something was dropped", "[link][pause]") {
    Reader reader(GENERATE(false, true));
    reader.connection->pause();
    reader.connection->close();
    reader.world.settle();
    const bool drops = GENERATE(false, true);
    if (drops) reader.peer.text("dropped");
    reader.world.settle();
    reader.connection->resume();
    reader.peer.text("later");
    reader.world.settle();
    CHECK(reader.journal.take() == (drops ? Lines{} : Lines{"text later"}));
}

TEST_CASE("link: silence is not told of while a pause lasts, nor behind its Close", "[link][pause]") {
    Reader reader(false);
    reader.connection->set_timeout(Seconds(1));
    reader.connection->pause();
    reader.world.pass(Seconds(10));
    reader.connection->close();
    reader.world.pass(Seconds(4));
    CHECK(reader.journal.take().empty());
}

TEST_CASE("link: a server that shuts down closes those that are paused or held as well", "[link][pause]") {
    SimWorld world;
    SimPeer peer = world.open_client();
    world.at_server.take();
    SECTION("paused") { world.newest()->pause(); }
    SECTION("stopped") { world.server->start().stop(); }
    SECTION("a broadcast") { world.newest()->pause(), world.server->close(); }
    peer.text("unread");
    world.settle();
    world.server->shutdown(CloseCode::going_away, Seconds(4));
    world.settle();
    peer.close(CloseCode::going_away);
    world.settle();
    CHECK(world.at_server.take().back() == "disconnect 1001 clean");
}

TEST_CASE("link: a client that was stopped closes cleanly", "[link][pause]") {
    SimWorld world;
    SimPeer peer = world.open_server();
    world.at_client.take();
    world.client->stop();
    world.client->close();
    world.settle();
    peer.close();
    peer.finish();
    world.settle();
    CHECK(world.at_client.take() == Lines{"close 1000", "disconnect 1000 clean"});
}
