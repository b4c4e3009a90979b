#include <limits>

#include "connection/link.hpp"
#include "support/catch.hpp"
#include "support/sim_world.hpp"

using namespace hawser;
using namespace support;
using Catch::Matchers::ContainsSubstring;
using Lines = std::vector<std::string>;

namespace {

Configuration marks(std::size_t high, std::size_t low = 0) {
    Configuration configuration;
    configuration.high_water_mark = high;
    configuration.low_water_mark = low;
    return configuration;
}

/// A server whose connection's socket takes no more than 100 bytes until the peer reads.
struct Narrow {
    explicit Narrow(Configuration configuration) : world(std::move(configuration)) {
        world.at_server.take();
        connection = world.newest();
    }
    ~Narrow() { connection.reset(); }

    /// A message that is so many bytes on the wire.
    SendStatus send(std::size_t size) { return connection->binary(std::string(size - (size < 128 ? 2 : 4), 'x')); }
    /// The size of all that arrives when the peer reads until nothing comes.
    std::size_t drain() {
        std::size_t size = 0;
        for (world.settle(); peer.socket().unread() != 0; world.settle()) size += peer.socket().take().size();
        return size;
    }
    /// The messages.
    Lines read() {
        Lines lines;
        for (world.settle(); peer.socket().unread() != 0; world.settle())
            for (std::string& line : peer.lines()) lines.push_back(std::move(line));
        return lines;
    }

    SimWorld world;
    SimPeer peer = world.open_client({.capacity = 200});
    ConnectionPtr connection;
};

}  // namespace

TEST_CASE("link: send answers backpressure while more than the high-water mark waits", "[link][backpressure]") {
    Narrow narrow(marks(1000, 500));
    const std::size_t size = GENERATE(999u, 1000u, 1001u);
    CHECK(narrow.send(size) == (size > 1000 ? SendStatus::backpressure : SendStatus::ok));
    CHECK(narrow.connection->buffered_amount() == size);
    narrow.world.settle();
    CHECK(narrow.connection->buffered_amount() == size - 200);
    CHECK(narrow.drain() == size);
    CHECK(narrow.connection->buffered_amount() == 0);
    // Told only to whom was told to wait.
    CHECK(narrow.world.at_server.take() == (size > 1000 ? Lines{"drain"} : Lines{}));
}

TEST_CASE("link: on_drain is called when no more than the low-water mark waits, once", "[link][backpressure]") {
    Narrow narrow(marks(600, 500));
    const std::size_t size = GENERATE(899u, 900u, 901u);
    CHECK(narrow.send(size) == SendStatus::backpressure);
    narrow.world.settle();
    CHECK(narrow.world.at_server.lines().empty());
    narrow.peer.socket().take();
    narrow.world.settle();
    CHECK(narrow.connection->buffered_amount() == size - 400);
    CHECK(narrow.world.at_server.lines().size() == (size <= 900 ? 1 : 0));
    narrow.drain();
    CHECK(narrow.world.at_server.take() == Lines{"drain"});
    CHECK(narrow.send(601) == SendStatus::backpressure);
    narrow.drain();
    CHECK(narrow.world.at_server.take() == Lines{"drain"});
}

TEST_CASE("link: what is corked in a turn counts too", "[link][backpressure]") {
    Narrow narrow(marks(300));
    Lines told;
    narrow.world.at_server.then = [&](std::string_view line, Connection* connection) {
        if (!line.starts_with("text")) return;
        for (int i = 0; i < 4; ++i) {
            const SendStatus status = connection->binary(std::string(98, 'x'));
            told.push_back(std::to_string(connection->buffered_amount()) + (status == SendStatus::ok ? " ok" : " backpressure"));
        }
    };
    narrow.peer.text("go");
    narrow.world.settle();
    CHECK(told == Lines{"100 ok", "200 ok", "300 ok", "400 backpressure"});
    CHECK(narrow.drain() == 400);
}

TEST_CASE("link: beyond max_buffered_amount the policy decides", "[link][backpressure]") {
    Configuration configuration = marks(100);
    configuration.max_buffered_amount = 1000;
    configuration.overflow_policy = GENERATE(OverflowPolicy::drop, OverflowPolicy::disconnect);
    Narrow narrow(configuration);
    CHECK(narrow.send(800) == SendStatus::backpressure);
    narrow.world.settle();
    CHECK(narrow.connection->buffered_amount() == 600);
    // The content counts, as its frames are not made yet.
    const std::size_t content = GENERATE(399u, 400u, 401u);
    const SendStatus status = narrow.connection->binary(std::string(content, 'y'));
    if (content <= 400) {
        CHECK(status == SendStatus::backpressure);
        CHECK(narrow.drain() == 800 + 4 + content);
    } else if (configuration.overflow_policy == OverflowPolicy::drop) {
        CHECK(status == SendStatus::dropped);
        // Control messages have room of their own.
        CHECK(narrow.connection->ping("p") == SendStatus::backpressure);
        CHECK(narrow.drain() == 803);
        CHECK(narrow.connection->text("fits again") == SendStatus::ok);
    } else {
        CHECK(status == SendStatus::closed);
        CHECK(narrow.connection->text("") == SendStatus::closed);
        narrow.world.settle();
        CHECK(narrow.world.at_server.take() == Lines{"error connection_failure", "disconnect 1006"});
        CHECK_THAT(narrow.world.at_server.errors().back(), ContainsSubstring("does not read"));
        CHECK(narrow.drain() == 200);
    }
}

TEST_CASE("link: a message bigger than max_buffered_amount is refused, whatever waits", "[link][backpressure]") {
    Configuration configuration = marks(100);
    configuration.max_buffered_amount = 1000;
    Narrow narrow(configuration);
    const std::size_t content = GENERATE(999u, 1000u, 1001u);
    const bool prepared = GENERATE(false, true);
    const std::string payload(content, 'x');
    const MessageView message{Opcode::binary, payload};
    const SendStatus status = prepared ? narrow.connection->send(PreparedMessage(message)) : narrow.connection->send(message);
    CHECK(status == (content <= 1000 ? SendStatus::backpressure : SendStatus::refused));
    CHECK(narrow.world.at_server.count("error message_too_big") == (content <= 1000 ? 0 : 1));
    CHECK(narrow.connection->is_writable());
}

TEST_CASE("link: control messages have their room where max_buffered_amount is the largest number", "[link][backpressure]") {
    Configuration configuration;
    configuration.max_buffered_amount = std::numeric_limits<std::size_t>::max();
    configuration.frame_size = 100'000;
    Narrow narrow(configuration);
    CHECK(narrow.connection->binary(std::string(100'000, 'x')) == SendStatus::ok);
    narrow.world.settle();
    CHECK(narrow.connection->ping("still there") == SendStatus::ok);
    CHECK(narrow.drain() == 10 + 100'000 + 13);
}

TEST_CASE("link: a peer that pings and does not read is answered with bounded pongs, the newest among them", "[link][backpressure]") {
    Configuration configuration;
    configuration.max_queued_pongs = GENERATE(1u, 2u, 16u);
    const std::size_t bound = configuration.max_queued_pongs;
    Narrow narrow(configuration);
    CHECK(narrow.send(300) == SendStatus::ok);
    narrow.world.settle();
    const std::size_t pings = bound + GENERATE(0u, 1u, 2u, 1000u);
    const bool in_one_read = GENERATE(false, true);
    CAPTURE(bound, pings, in_one_read);
    for (std::size_t i = 1; i <= pings; ++i) {
        narrow.peer.send({Opcode::ping, std::to_string(i)});
        if (!in_one_read) narrow.world.settle();
    }
    narrow.world.settle();
    CHECK(narrow.connection->buffered_amount() <= 100 + bound * 6);
    REQUIRE(narrow.connection->is_writable());
    const Lines arrived = narrow.read();
    REQUIRE(arrived.size() == 1 + std::min(pings, bound + 1));
    for (std::size_t i = 1; i <= std::min(pings, bound); ++i) CHECK(arrived[i] == "pong " + std::to_string(i));
    if (pings != 0) CHECK(arrived.back() == "pong " + std::to_string(pings));
    // With the way free again, every ping is answered.
    for (int i = 0; i < 40; ++i) narrow.peer.send({Opcode::ping, "again"});
    CHECK(narrow.read().size() == 40);
}

TEST_CASE("link: a pong that has waited for the socket is not overtaken by a newer one", "[link][backpressure]") {
    Configuration configuration;
    configuration.max_queued_pongs = 1;
    Narrow narrow(configuration);
    CHECK(narrow.send(300) == SendStatus::ok);
    constexpr int pings = 20;
    Lines pongs;
    for (int ping = 1; ping <= pings; ++ping) {
        narrow.world.settle();
        if (ping > 6)
            for (std::string& line : narrow.peer.lines()) pongs.push_back(std::move(line));
        // Arrives as the socket takes bytes again.
        narrow.peer.send({Opcode::ping, std::to_string(ping)});
    }
    narrow.world.settle();
    for (std::string& line : narrow.read()) pongs.push_back(std::move(line));
    REQUIRE(pongs.size() > 10);
    int last = 0;
    for (auto line = pongs.begin() + 1; line != pongs.end(); ++line) {
        const int number = std::stoi(line->substr(5));
        CHECK(number > last);
        last = number;
    }
    CHECK(last == pings);
}

TEST_CASE("link: a flood of pings in one read is bounded by the cork", "[link][backpressure]") {
    Narrow narrow{Configuration{}};
    std::string flood;
    for (int i = 0; i < 20'000; ++i) flood += narrow.peer.encode({Opcode::ping, std::string(20, 'p')});
    narrow.peer.send(flood);
    narrow.world.settle();
    CHECK(narrow.connection->buffered_amount() <= 64 * 1024 + 17 * 22);
    CHECK(narrow.connection->is_writable());
}

TEST_CASE("link: a write without progress for the timeout ends the connection", "[link][backpressure]") {
    Configuration configuration;
    configuration.timeout = Seconds(10);
    Narrow narrow(configuration);
    narrow.send(1000);
    narrow.world.settle();
    const auto ping = [&] { narrow.peer.send({Opcode::pong, "not silent"}); };
    SECTION("at once") {
        narrow.world.pass(Seconds(5));
        ping();
        narrow.world.pass(Seconds(4.9));
    }
    SECTION("not while there is some, however slow") {
        for (int i = 0; i < 3; ++i) {
            narrow.world.pass(Seconds(9));
            ping();
            narrow.peer.socket().take();
        }
        narrow.world.pass(Seconds(9.9));
    }
    CHECK_FALSE(narrow.world.at_server.has("error"));
    narrow.world.pass(Seconds(0.2));
    CHECK(narrow.world.at_server.has("error connection_failure"));
    CHECK(narrow.world.at_server.lines().back() == "disconnect 1006");
    CHECK_THAT(narrow.world.at_server.errors().back(), ContainsSubstring("took no bytes"));
    CHECK(narrow.world.counts->open == 0);
}

TEST_CASE("link: a Close waits behind what is queued, and the end for both", "[link][backpressure]") {
    Configuration configuration = marks(100);
    configuration.max_buffered_amount = 500;
    Narrow narrow(configuration);
    narrow.send(500);
    CHECK(narrow.connection->close(CloseCode::normal, "full, but there is room for this") == SendStatus::backpressure);
    narrow.peer.close();
    narrow.world.settle();
    CHECK(narrow.world.at_server.take() == Lines{"close 1000"});
    const Lines arrived = narrow.read();
    CHECK(arrived == Lines{"binary " + std::string(496, 'x'), "close 1000 full, but there is room for this"});
    CHECK(narrow.world.at_server.lines().back() == "disconnect 1000 clean");
}

TEST_CASE("link: content may be changed as soon as send has returned", "[link][backpressure]") {
    const bool from_client = GENERATE(false, true);
    SimWorld world;
    const WireOptions options{.capacity = 5000};
    SimPeer peer = from_client ? world.open_server(options) : world.open_client(options);
    const ConnectionPtr connection = from_client ? world.client->connection() : world.newest();
    std::string content(100'000, 'a');
    const std::string before = content;
    const bool in_turn = GENERATE(false, true);
    const auto send = [&] {
        connection->text(content);
        std::fill(content.begin(), content.end(), 'b');
    };
    if (in_turn) {
        (from_client ? world.at_client : world.at_server).then = [&](std::string_view line, Connection*) {
            if (line == "text go") send();
        };
        peer.text("go");
    } else {
        send();
    }
    Lines arrived;
    for (int i = 0; i < 50 && arrived.empty(); ++i) {
        world.settle();
        arrived = peer.lines();
    }
    CHECK((arrived == Lines{"text " + before}));
    world.kept = 1;
    world.end();
}

TEST_CASE("link: a loop of send until backpressure, on again with on_drain, sends all in order", "[link][backpressure]") {
    SimWorld world(marks(5000, 1000));
    const std::uint64_t seed = GENERATE(range(0u, 5u));
    CAPTURE(seed);
    SimPeer peer = world.open_client({.capacity = 700, .seed = seed});
    int sent = 0, drained = 0;
    const auto send = [&](Connection& connection) {
        while (sent < 500)
            if (connection.text(std::to_string(sent++) + std::string(100, 'x')) == SendStatus::backpressure) return;
    };
    world.server->on_drain([&](Connection& connection) {
        ++drained;
        CHECK(connection.buffered_amount() <= 1000);
        send(connection);
    });
    send(*world.newest());
    std::vector<std::string> arrived;
    while (arrived.size() < 500) {
        world.settle();
        for (std::string& line : peer.lines()) arrived.push_back(std::move(line));
    }
    for (int i = 0; i < 500; ++i) REQUIRE(arrived[static_cast<std::size_t>(i)] == "text " + std::to_string(i) + std::string(100, 'x'));
    CHECK(drained > 5);
}

TEST_CASE("link: what the last callback of a turn without end sends leaves with that turn", "[link][backpressure]") {
    SimWorld world(marks(100));
    SimPeer peers[] = {world.open_client(), world.open_client()};
    // So many that a turn ends before they do, whatever its budget of callbacks is: each begins when the one before has left.
    constexpr int count = 40;
    const auto send = [&](Connection& connection) {
        auto& [name, number] = *connection.meta<std::pair<std::string, int>>("sent");
        if (number < count) connection.text(std::to_string(number++) + name + std::string(100, 'x'));
    };
    world.server->on_text([&](Connection& connection, MessageView message) {
        connection.set_meta("sent", std::pair(std::string(message.content), 0));
        send(connection);
    });
    world.server->on_drain(send);
    peers[0].text("a");
    peers[1].text("b");
    world.settle();
    for (std::string name : {"a", "b"}) {
        const Lines lines = peers[name == "a" ? 0 : 1].lines();
        REQUIRE(lines.size() == count);
        for (int i = 0; i < count; ++i)
            CHECK(lines[static_cast<std::size_t>(i)] == "text " + std::to_string(i) + name + std::string(100, 'x'));
    }
}

TEST_CASE("link: on_drain is not spent on a connection that is closing", "[link][backpressure]") {
    Narrow narrow(marks(600, 500));
    CHECK(narrow.send(901) == SendStatus::backpressure);
    narrow.world.settle();
    narrow.peer.close();
    narrow.drain();
    const Lines told = narrow.world.at_server.take();
    CHECK(told.size() == 2);
    CHECK(std::count(told.begin(), told.end(), "drain") == 0);
}
