#include <algorithm>

#include "slow/abuse.hpp"

using namespace hawser;
using namespace support;

namespace {

constexpr std::size_t connection_total = 5'000;
constexpr std::size_t at_once = 50;

/// How far a connection gets before it is reset.
enum class Stage { connected, in_request, requested, opened, in_header, in_message, unread, pinged, closing, in_close };
constexpr std::size_t stage_count = 10;

struct Storm {
    std::size_t opened;     // complete handshakes
    std::size_t requested;  // requests that may have been answered
};

bool advance(const Descriptor& peer, Stage stage, Random& random, Storm& storm) {
    const std::string message = raw_frame(first::binary, std::string(random.up_to(100'000), 'm'), true);
    const auto part = [&](std::string_view whole) { return whole.substr(0, 1 + random.up_to(whole.size() - 2)); };
    if (stage == Stage::connected) return true;
    if (stage == Stage::in_request) return send_raw(peer, part(request_head));
    ++storm.requested;
    if (!send_raw(peer, request_head)) return false;
    if (stage == Stage::requested) return true;
    if (!is_accepted(peer)) return false;
    ++storm.opened;
    switch (stage) {
        case Stage::in_header: return send_raw(peer, raw_header(first::binary, 300, 2, true).substr(0, 1 + random.up_to(6)));
        case Stage::in_message: return send_raw(peer, part(message));
        case Stage::unread: return send_raw(peer, message + message);
        case Stage::pinged: return send_raw(peer, raw_frame(first::ping, "p", true));
        case Stage::closing: return send_raw(peer, raw_frame(first::close, close_payload(1000), true));
        case Stage::in_close: return send_raw(peer, part(raw_frame(first::close, close_payload(1000), true)));
        default: return true;
    }
}

/// Connections that are reset at random moments, some at once of many that are open.
bool storm_in(const Line& line, std::uint64_t seed) {
    const auto port = line.get<std::uint16_t>();
    Random random(seed);
    Storm storm{};
    std::vector<Descriptor> open;
    for (std::size_t i = 0; i < connection_total; ++i) {
        open.push_back(connect_raw(port));
        if (!advance(open.back(), static_cast<Stage>(random.up_to(stage_count - 1)), random, storm)) return false;
        if (open.size() < at_once && !random.chance(at_once)) continue;
        for (Descriptor& peer : open) reset_raw(peer);
        open.clear();
    }
    for (Descriptor& peer : open) reset_raw(peer);
    line.put(storm);
    return true;
}

void attack(AbusedServer& abused, PeerProcess& peers) {
    EchoTraffic traffic(abused.reactor, abused.uri(), 10);
    abused.until([&] { return traffic.echoes() >= 100; });
    const std::size_t before = abused.handshakes;
    const std::size_t descriptors = open_descriptors();
    peers.line().put(abused.server.port());
    abused.until_readable(peers.line());
    const auto storm = peers.line().get<Storm>();
    abused.until([&] { return abused.open.size() == 10; });
    run_ready(abused.reactor.core());
    CHECK(open_descriptors() == descriptors);
    const std::size_t handshakes = abused.handshakes - before;
    CHECK(handshakes >= storm.opened);
    CHECK(handshakes <= storm.requested);
    traffic.finish();
    abused.until([&] { return traffic.is_over(); });
    CHECK(traffic.failures().empty());
    abused.settle();
    CHECK(peers.finish());
    WARN(connection_total << " connections were reset, " << handshakes << " of them behind their handshake; beside them "
                          << traffic.echoes() << " echoes");
}

}  // namespace

TEST_CASE("resets: each on_handshake has its on_disconnect, and nothing is left") {
    const auto work = [](const Line& line) { return storm_in(line, 7); };
    PeerProcess processes[] = {PeerProcess(work), PeerProcess(work)};
    AbusedServer abused;
    std::size_t round = 0;
    abused.check_memory([&] { attack(abused, processes[round++]); });
    for (const auto& [reason, count] : abused.errors) WARN(count << " x " << reason);
    CHECK(abused.errors["Connection reset by peer"] != 0);
}
