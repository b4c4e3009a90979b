#include <algorithm>
#include <ctime>
#include <memory>
#include <vector>

#include "slow/memory.hpp"
#include "slow/peer_process.hpp"
#include "support/loopback.hpp"

using namespace hawser;
using namespace support;

namespace {

constexpr std::size_t connection_total = 20'000;
/// What a process needs besides its connections.
constexpr std::size_t other_descriptors = 100;
/// After so much silence a connection is told of it, once.
constexpr Seconds interval{4};

struct Figures {
    std::size_t connections;
    Memory before, open, after;
    std::size_t silences;          // that were told
    std::size_t turns_to_tell;     // of the loop, until all had been told
    std::size_t turns_in_silence;  // in two more intervals
    double cpu_in_silence;         // seconds
    std::size_t descriptors_before, descriptors_after;
    std::size_t disconnects;
};

bool keep_open(const Line& line, std::size_t count) {
    const auto port = line.get<std::uint16_t>();
    std::vector<Descriptor> peers;
    for (std::size_t i = 0; i < count; ++i) peers.push_back(open_raw(port, i));
    line.wait_for_end();
    return true;
}

/// A server process with so many peers, in another process.
class IdleServer {
public:
    IdleServer(std::size_t count, bool keep_handshake)
        : count_(count), peers_([count](const Line& line) { return keep_open(line, count); }) {
        Configuration configuration;
        configuration.keep_handshake = keep_handshake;
        configuration.timeout = interval;
        server_.set_configuration(configuration);
        server_.on_error([this](Connection*, const Error& error) {
            if (error.errc() == Errc::connection_timeout) ++figures_.silences;
        });
        server_.on_disconnect([this](Connection&, const Disconnect&) { ++figures_.disconnects; });
        server_.start();
        figures_.connections = count;
    }

    bool serve(const Line& line) {
        figures_.descriptors_before = open_descriptors();
        figures_.before = trimmed_memory();
        peers_.line().put(server_.port());
        until([this] { return server_.connection_count() == count_; });
        figures_.open = trimmed_memory();
        figures_.turns_to_tell = until([this] { return figures_.silences >= count_; });
        watch_silence();
        line.put(figures_);
        line.get<char>();
        const bool peers_were_well = peers_.finish();
        until([this] { return figures_.disconnects == count_ && server_.connection_count() == 0; });
        run_ready(reactor_.core());
        figures_.after = trimmed_memory();
        figures_.descriptors_after = open_descriptors();
        line.put(figures_);
        return peers_were_well;
    }

private:
    /// Returns how often the loop turned.
    template <typename IsDone>
    std::size_t until(IsDone is_done) {
        std::size_t turns = 0;
        const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
        for (; !is_done(); ++turns) {
            if (std::chrono::steady_clock::now() > end) throw std::runtime_error("waited too long");
            reactor_.run_once(Seconds(1));
        }
        return turns;
    }
    void watch_silence() {
        bool is_over = false;
        reactor_.after(2 * interval, [&] { is_over = true; });
        const std::clock_t start = std::clock();
        figures_.turns_in_silence = until([&] { return is_over; });
        figures_.cpu_in_silence = double(std::clock() - start) / CLOCKS_PER_SEC;
    }

    const std::size_t count_;
    PeerProcess peers_;
    Reactor reactor_;
    Server server_{reactor_, {.host = "127.0.0.1", .port = 0}};
    Figures figures_{};
};

void check_figures(const Figures& at_rest, const Figures& at_end, bool keep_handshake) {
    const std::size_t count = at_rest.connections;
    const auto each = [&](std::size_t before, std::size_t open) { return (double(open) - double(before)) / double(count); };
    const double heap = each(at_rest.before.heap, at_rest.open.heap);
    const double resident = each(at_rest.before.resident, at_rest.open.resident);
    WARN(count << " idle connections" << (keep_handshake ? "" : ", keep_handshake off") << ": heap " << heap << " bytes each, resident "
               << resident << "; " << at_rest.turns_to_tell << " turns of the loop until each was told of its silence, in the "
               << 2 * interval.count() << " s after that " << at_rest.turns_in_silence << " and " << at_rest.cpu_in_silence
               << " s of CPU; behind them heap " << at_end.before.heap << " -> " << at_end.after.heap << " bytes, resident "
               << at_end.before.resident << " -> " << at_end.after.resident);
    CHECK(at_rest.silences == count);
    // A deadline each for the handshake and for the silence; then there is none.
    CHECK(at_rest.turns_to_tell <= 2 * count + 100);
    CHECK(at_rest.turns_in_silence <= 2 * static_cast<std::size_t>(interval.count()) + 10);
    CHECK(at_end.disconnects == count);
    CHECK(at_end.descriptors_after == at_end.descriptors_before);
    // Few connections are measured by the page.
    if (count < 1'000) return;
    CHECK(heap < (keep_handshake ? 950 : 600));
    CHECK(resident < (keep_handshake ? 1'100 : 700));
    // The tables of the loop and of the server, which are as long as they ever had to be.
    CHECK(at_end.after.heap < at_end.before.heap + 100 * count);
    CHECK(at_end.after.resident < at_end.before.resident + 100 * count + 512 * 1024);
}

}  // namespace

TEST_CASE("idle: 20,000 connections take little memory and no time, and leave nothing") {
    const bool keep_handshake = GENERATE(true, false);
    // A second process takes those for which the limit of open files leaves no room in the first.
    const std::size_t most = raise_descriptor_limit() - other_descriptors;
    REQUIRE(most >= 1'000);
    std::vector<std::unique_ptr<PeerProcess>> servers;
    for (std::size_t left = connection_total; left != 0;) {
        const std::size_t count = std::min(left, most);
        left -= count;
        servers.push_back(std::make_unique<PeerProcess>([=](const Line& line) { return IdleServer(count, keep_handshake).serve(line); }));
    }
    std::vector<Figures> at_rest;
    for (const auto& server : servers) at_rest.push_back(server->line().get<Figures>());
    // All of them are open now.
    for (const auto& server : servers) server->line().put('.');
    for (std::size_t i = 0; i < servers.size(); ++i) {
        check_figures(at_rest[i], servers[i]->line().get<Figures>(), keep_handshake);
        CHECK(servers[i]->finish());
    }
}
