#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>

#include "slow/memory.hpp"
#include "slow/soak.hpp"

// HAWSER_SOAK_SECONDS says how long it takes, HAWSER_SOAK_SEED replays the choices of a run; the timing is the machine's.

using namespace hawser;
using namespace support;

namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* value = std::getenv(variable);
    return value ? std::strtoull(value, nullptr, 10) : otherwise;
}

/// Between two rounds, when all connections have ended.
struct Quiet {
    Memory memory;
    std::size_t descriptors;
};

Quiet play_round(Soak& soak, Seconds duration) {
    soak.run(duration);
    const Quiet quiet{trimmed_memory(), open_descriptors()};
    const Ledger& ledger = soak.ledger();
    std::cout << ledger.conversations << " connections, " << ledger.sent_messages << " messages, " << ledger.sent_bytes << " bytes; heap "
              << quiet.memory.heap << ", resident " << quiet.memory.resident << ", descriptors " << quiet.descriptors << std::endl;
    return quiet;
}

void check_accounts(const Ledger& ledger) {
    CHECK(ledger.sent_messages == ledger.received_messages + ledger.lost_messages);
    CHECK(ledger.sent_bytes == ledger.received_bytes + ledger.lost_bytes);
    CHECK(ledger.pongs <= ledger.pings);
    for (const std::uint64_t count : {ledger.secure, ledger.compressed, ledger.comebacks, ledger.pongs, ledger.resets}) CHECK(count != 0);
    for (const std::uint64_t count : ledger.endings) CHECK(count != 0);
    WARN(ledger.conversations << " connections, " << ledger.secure << " by TLS, " << ledger.compressed << " compressed, "
                              << ledger.comebacks << " made by a client that came back by itself; " << ledger.sent_messages << " messages, "
                              << ledger.sent_bytes << " bytes sent; " << ledger.received_messages << " messages, " << ledger.received_bytes
                              << " bytes received; " << ledger.lost_messages << " messages, " << ledger.lost_bytes
                              << " bytes under way when a connection was dropped; " << ledger.pings << " pings, " << ledger.pongs
                              << " pongs; " << ledger.resets << " resets");
}

}  // namespace

TEST_CASE("soak: random traffic loses nothing and leaves no memory behind") {
    const auto seconds = static_cast<double>(number_from("HAWSER_SOAK_SECONDS", 1'800));
    const std::uint64_t seed = number_from("HAWSER_SOAK_SEED", std::random_device()());
    std::cout << "HAWSER_SOAK_SEED=" << seed << std::endl;
    INFO("replay with HAWSER_SOAK_SEED=" << seed);
    Soak soak(seed, 40);
    const Seconds round(std::max(2.0, seconds / 30));
    const auto end = std::chrono::steady_clock::now() + Seconds(seconds);
    const Quiet first = play_round(soak, round);
    Quiet last = first;
    do {
        last = play_round(soak, round);
        CHECK(last.descriptors == first.descriptors);
        if (!is_memory_measurable) continue;
        // The connections' idle decompressors, of which there are four at most, and nothing for each connection.
        CHECK(last.memory.heap < first.memory.heap + 256 * 1024);
        CHECK(last.memory.resident < first.memory.resident + 4 * 1024 * 1024);
    } while (std::chrono::steady_clock::now() < end);
    WARN("heap " << first.memory.heap << " -> " << last.memory.heap << " bytes, resident " << first.memory.resident << " -> "
                 << last.memory.resident << " bytes");
    check_accounts(soak.ledger());
}
