#include "slow/abuse.hpp"

using namespace hawser;
using namespace support;

namespace {

constexpr std::size_t peer_count = 50;
constexpr std::size_t message_size = 30'000;

/// Peers that open, and never read; each has a small receive buffer, so that soon nothing more is taken.
bool never_read(const Line& line) {
    for (;;) {
        const auto port = line.get<std::uint16_t>();
        if (port == 0) return true;
        std::vector<Descriptor> peers;
        for (std::size_t i = 0; i < peer_count; ++i) peers.push_back(open_raw(port));
        line.get<char>();
    }
}

/// How a server treats such peers.
struct Treatment {
    const char* name;
    OverflowPolicy policy;
    SendStatus last;  // of sending until that
    const char* reason;
};

Configuration bounded(OverflowPolicy policy) {
    Configuration configuration;
    configuration.timeout = Seconds(3);
    configuration.high_water_mark = 500'000;
    configuration.low_water_mark = 100'000;
    configuration.max_buffered_amount = 2'000'000;
    configuration.overflow_policy = policy;
    return configuration;
}

/// Sends until `last` is answered; returns how much waits then.
std::size_t pour(Connection& connection, SendStatus last) {
    const std::string content(message_size, 'x');
    std::size_t largest = 0;
    SendStatus status = SendStatus::ok;
    // The kernel's buffers take some first.
    for (int left = 10'000; left > 0 && status != last; --left) {
        status = connection.binary(content);
        largest = std::max(largest, connection.buffered_amount());
        if (status == SendStatus::closed) break;
    }
    CHECK(status == last);
    return largest;
}

}  // namespace

TEST_CASE("unread: peers that never read take no more memory than allowed, and are ended") {
    const Treatment treatment =
        GENERATE(Treatment{"stops at backpressure", OverflowPolicy::disconnect, SendStatus::backpressure, "took no"},
                 Treatment{"goes on, may drop", OverflowPolicy::drop, SendStatus::dropped, "took no"},
                 Treatment{"goes on, may not", OverflowPolicy::disconnect, SendStatus::closed, "wait"});
    CAPTURE(treatment.name);
    PeerProcess peers(never_read);
    const Configuration configuration = bounded(treatment.policy);
    const bool is_polite = treatment.last == SendStatus::backpressure;
    // Frames have headers; a polite sender's last message is over the mark.
    const std::size_t most = (is_polite ? configuration.high_water_mark + message_size : configuration.max_buffered_amount) + 1'000;
    std::size_t largest = 0, heap_at_most = 0;
    AbusedServer abused(configuration);
    abused.on_open = [&](Connection& connection) {
        largest = std::max(largest, pour(connection, treatment.last));
        heap_at_most = std::max(heap_at_most, memory_used().heap);
    };
    abused.check_memory([&] {
        const std::size_t heap = memory_used().heap;
        const std::size_t opened = abused.handshakes;
        peers.line().put(abused.server.port());
        abused.until([&] { return abused.handshakes == opened + peer_count; });
        abused.settle();
        CHECK(abused.handshakes == opened + peer_count);
        // The chunks they wait in have some room to spare.
        CHECK(heap_at_most < heap + peer_count * (most + most / 2 + 10'000));
        WARN(treatment.name << ": at most " << largest << " bytes waited for one of " << peer_count << " peers, which took at most "
                            << heap_at_most - heap << " bytes of heap");
        peers.line().put('.');
    });
    CHECK(largest > (is_polite ? configuration.high_water_mark : configuration.max_buffered_amount - message_size - 1'000));
    CHECK(largest <= most);
    std::size_t told = 0;
    for (const auto& [reason, count] : abused.errors) {
        CHECK_THAT(reason, Catch::Matchers::ContainsSubstring(treatment.reason));
        told += count;
    }
    CHECK(told == 2 * peer_count);
    peers.line().put(std::uint16_t{0});
    CHECK(peers.finish());
}
