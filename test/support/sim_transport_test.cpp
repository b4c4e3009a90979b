#include "support/sim_transport.hpp"

#include <cerrno>

#include "support/catch.hpp"

using namespace hawser;
using namespace support;
using Status = IoResult::Status;

namespace {

struct Fixture {
    explicit Fixture(const WireOptions& options = {}) : ends(make_wire(loop, options)), near(*ends.first), far(*ends.second) {}
    IoResult write(std::string_view bytes) {
        const iovec slice{const_cast<char*>(bytes.data()), bytes.size()};
        return near.write({&slice, 1});
    }
    IoResult read(std::size_t size = 1000) {
        std::string into(size, '\0');
        const IoResult result = near.read(into);
        received += into.substr(0, result.bytes);
        return result;
    }
    SimLoop loop;
    std::pair<SimSocketPtr, SimSocketPtr> ends;
    SimSocket &near, &far;
    std::string received;
};

}  // namespace

TEST_CASE("sim_transport: bytes pass in order, FIN behind them", "[sim_transport]") {
    Fixture wire;
    CHECK(wire.read().status == Status::would_block);
    wire.far.send("hello");
    wire.far.shutdown_write();
    CHECK(wire.read(3).bytes == 3);
    CHECK(wire.read().bytes == 2);
    CHECK(wire.received == "hello");
    CHECK(wire.read().status == Status::end);
    CHECK(wire.write("back").bytes == 4);
    CHECK(wire.far.take() == "back");
}

TEST_CASE("sim_transport: a direction holds no more than its capacity", "[sim_transport]") {
    Fixture wire({.capacity = 10});
    CHECK(wire.write("123456789").bytes == 9);
    CHECK(wire.write("ab").bytes == 1);
    CHECK(wire.write("b").status == Status::would_block);
    CHECK(wire.far.take() == "123456789a");
    CHECK(wire.write("b").bytes == 1);
}

TEST_CASE("sim_transport: what arrived before a reset can be read, then reading and writing fail", "[sim_transport]") {
    Fixture wire;
    wire.far.send("hello");
    SECTION("by the peer") { wire.far.reset(); }
    SECTION("because the peer closes with unread bytes") {
        wire.write("unread");
        wire.far.close();
    }
    SECTION("because the peer is closed") {
        wire.far.close();
        CHECK(wire.write("lost").bytes == 4);
    }
    CHECK(wire.write("x").error_value == EPIPE);
    CHECK(wire.read().bytes == 5);
    CHECK(wire.read().error_value == ECONNRESET);
}

TEST_CASE("sim_transport: the wire breaks after a chosen number of bytes", "[sim_transport]") {
    const std::size_t limit = GENERATE(0u, 1u, 5u, 6u);
    Fixture wire({.reset_after = {limit, WireOptions::never}});
    const IoResult result = wire.write("hello");
    CHECK(result.bytes == std::min<std::size_t>(limit, 5));
    CHECK((result.status == Status::failed) == (limit == 0));
    CHECK(wire.far.is_reset() == (limit <= 5));
}

TEST_CASE("sim_transport: the other end sees the end after a chosen number of bytes", "[sim_transport]") {
    const std::size_t limit = GENERATE(0u, 1u, 5u, 6u);
    Fixture wire({.end_after = {limit, WireOptions::never}});
    CHECK(wire.write("hello").bytes == 5);
    CHECK(wire.far.take() == std::string_view("hello").substr(0, limit));
    CHECK(wire.far.sees_end() == (limit <= 5));
    CHECK(wire.write("!").bytes == 1);
    CHECK(wire.far.take() == (limit <= 5 ? "" : "!"));
    CHECK(wire.far.sees_end());
    wire.far.send("back");
    CHECK(wire.read().bytes == 4);
}

TEST_CASE("sim_transport: a seed cuts the stream into pieces and loses nothing", "[sim_transport]") {
    Fixture wire({.capacity = 50, .seed = GENERATE(range(1u, 9u))});
    std::string sent;
    for (int i = 0; i < 300; ++i) sent += std::to_string(i);
    std::size_t done = 0;
    int blocked = 0, reads = 0;
    std::string arrived;
    while (arrived.size() < sent.size()) {
        const IoResult result = wire.write(std::string_view(sent).substr(done));
        done += result.bytes;
        if (result.status == Status::would_block) ++blocked;
        char bytes[64];
        const IoResult read = wire.far.read(bytes);
        arrived.append(bytes, read.bytes);
        ++reads;
    }
    CHECK(arrived == sent);
    CHECK(blocked > 0);
    CHECK(reads > 20);
}

TEST_CASE("sim_transport: what is held on its way fills the capacity and is not seen", "[sim_transport]") {
    Fixture wire({.capacity = 4});
    wire.near.hold(true);
    wire.far.send("12345");
    wire.far.shutdown_write();
    CHECK(wire.read().status == Status::would_block);
    const iovec more{const_cast<char*>("6"), 1};
    wire.near.hold(false);
    CHECK(wire.read().bytes == 5);
    CHECK(wire.read().status == Status::end);
    CHECK(wire.far.write({&more, 1}).status == Status::failed);
}

TEST_CASE("sim_transport: a transport watches its end, holds a record inside, and is counted", "[sim_transport]") {
    struct Observer final : transport::Transport::Observer {
        void on_transport_ready(Readiness readiness) override { heard.push_back(readiness); }
        std::vector<Readiness> heard;
    };
    Reactor reactor(make_sim_core());
    SimLoop& loop = sim_loop(reactor);
    const WireOptions options{.capacity = 4, .record = 4};
    const auto ends = make_wire(loop, options);
    const auto counts = std::make_shared<SimCounts>();
    Observer observer;
    {
        const auto transport = make_sim_transport(loop, ends.first, options, counts);
        CHECK(counts->open == 1);
        transport->watch(observer, Readiness::both);
        ends.second->send("1234");
        reactor.run_once();
        CHECK(observer.heard == std::vector{Readiness::both});
        char bytes[3];
        CHECK(transport->read(bytes).bytes == 2);
        CHECK(transport->pending());
        transport->watch(observer, Readiness::readable);
        reactor.run_once();
        CHECK(observer.heard.size() == 1);
        CHECK(transport->read(bytes).bytes == 2);
        CHECK_FALSE(transport->pending());
        transport->close();
        CHECK(counts->open == 0);
        CHECK(loop.watched() == 0);
        CHECK(transport->read(bytes).status == Status::failed);
        CHECK(ends.second->sees_end());
    }
    CHECK(counts->transports == 0);
}
