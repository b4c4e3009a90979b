#include <poll.h>

#include <charconv>
#include <limits>

#include "slow/abuse.hpp"

using namespace hawser;
using namespace support;

namespace {

constexpr std::size_t flooders = 10;
constexpr Seconds patience{3};

/// What a process of peers has seen.
struct Flood {
    std::uint64_t pings, pongs;
    bool is_in_order;  // each pong is of a ping, and of a newer one than the last
    bool has_newest;   // the last ping's pong came
};

std::string ping_frames(std::uint64_t first, std::uint64_t count) {
    std::string frames;
    for (std::uint64_t number = first; number < first + count; ++number) {
        std::string payload = std::to_string(number);
        frames += raw_frame(first::ping, payload.append(125 - payload.size(), '.'), true);
    }
    return frames;
}

/// Peers that send pings, and never read, until the server ends them.
bool flood_unread(const Line& line) {
    const auto port = line.get<std::uint16_t>();
    std::vector<Descriptor> peers;
    for (std::size_t i = 0; i < flooders; ++i) peers.push_back(open_raw(port));
    const std::string frames = ping_frames(1, 100);
    Flood flood{};
    while (!peers.empty()) {
        std::vector<pollfd> ready;
        for (const Descriptor& peer : peers) ready.push_back({peer.get(), POLLOUT, 0});
        check(poll(ready.data(), ready.size(), -1), "poll");
        std::erase_if(peers, [&](const Descriptor& peer) {
            const ssize_t sent = send(peer.get(), frames.data(), frames.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent < 0) return errno != EAGAIN && errno != EWOULDBLOCK;
            // The rest of a frame leaves whole, so that each send begins with one.
            const std::size_t cut = static_cast<std::size_t>(sent) % (frames.size() / 100);
            flood.pings += static_cast<std::size_t>(sent) / (frames.size() / 100);
            return cut != 0 && !send_raw(peer, std::string_view(frames).substr(cut, frames.size() / 100 - cut));
        });
    }
    line.put(flood);
    return true;
}

/// Takes whole pongs out of what was received.
void take_pongs(std::string& received, Flood& flood, std::uint64_t& last) {
    constexpr std::size_t size = 2 + 125;
    std::size_t taken = 0;
    for (; received.size() - taken >= size; taken += size) {
        const std::string_view frame = std::string_view(received).substr(taken, size);
        std::uint64_t number = 0;
        std::from_chars(frame.data() + 2, frame.data() + size, number);
        const bool is_pong = static_cast<unsigned char>(frame[0]) == first::pong && frame[1] == 125;
        if (!is_pong || number <= last || number > flood.pings) flood.is_in_order = false;
        last = std::max(last, number);
        ++flood.pongs;
    }
    received.erase(0, taken);
}

/// A peer that sends so many pings, as quickly as it can, and reads; of the last half only when all have been sent.
class ReadingFlooder {
public:
    ReadingFlooder(std::uint16_t port, std::uint64_t count) : peer_(open_raw(port)), count_(count) {
        const int size = 64 * 1024;
        check(setsockopt(peer_.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size), "setsockopt");
    }

    Flood flood() {
        while (last_ < count_) {
            refill();
            const bool is_reading = flood_.pings <= count_ / 2 || frames_.empty();
            pollfd ready{peer_.get(), static_cast<short>((is_reading ? POLLIN : 0) | (frames_.empty() ? 0 : POLLOUT)), 0};
            if (check(poll(&ready, 1, 30'000), "poll") == 0) break;
            if ((ready.revents & POLLOUT) != 0) send_some();
            if ((ready.revents & ~POLLOUT) != 0 && !receive_some()) break;
        }
        flood_.has_newest = last_ == count_;
        return flood_;
    }

private:
    void refill() {
        if (!frames_.empty() || flood_.pings == count_) return;
        frames_ = ping_frames(flood_.pings + 1, 100);
        flood_.pings += 100;
    }
    void send_some() {
        const ssize_t sent = send(peer_.get(), frames_.data(), frames_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) frames_.erase(0, static_cast<std::size_t>(sent));
    }
    bool receive_some() {
        char bytes[65536];
        const ssize_t size = recv(peer_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
        if (size > 0) received_.append(bytes, static_cast<std::size_t>(size));
        take_pongs(received_, flood_, last_);
        return size > 0 || errno == EAGAIN || errno == EWOULDBLOCK;
    }

    const Descriptor peer_;
    const std::uint64_t count_;
    Flood flood_{.pings = 0, .pongs = 0, .is_in_order = true, .has_newest = false};
    std::string frames_, received_;
    std::uint64_t last_ = 0;
};

/// Others are served all the while.
Flood attack(AbusedServer& abused, PeerProcess& peers) {
    EchoTraffic traffic(abused.reactor, abused.uri(), 10);
    abused.until([&] { return traffic.echoes() >= 100; });
    traffic.take_longest();
    const std::size_t echoes = traffic.echoes();
    peers.line().put(abused.server.port());
    abused.until_readable(peers.line());
    const auto flood = peers.line().get<Flood>();
    const double slowest = traffic.take_longest();
    WARN(flood.pings << " pings, " << flood.pongs << " pongs; beside them " << traffic.echoes() - echoes << " echoes, the slowest after "
                     << slowest << " s");
    CHECK(traffic.echoes() > echoes + 100);
    CHECK(slowest < 5);
    traffic.finish();
    abused.until([&] { return traffic.is_over(); });
    CHECK(traffic.failures().empty());
    CHECK(peers.finish());
    abused.settle();
    return flood;
}

}  // namespace

TEST_CASE("ping flood: peers that do not read take no memory, and are ended") {
    PeerProcess processes[] = {PeerProcess(flood_unread), PeerProcess(flood_unread)};
    Configuration configuration;
    configuration.timeout = patience;
    AbusedServer abused(configuration);
    // What one event's pongs come to when the socket takes none of them, and those that are queued behind.
    const std::size_t most = 64 * 1024 + (configuration.max_queued_pongs + 1) * 127;
    std::size_t largest = 0, pings = 0;
    abused.server.on_ping([&](Connection& connection, MessageView) {
        ++pings;
        largest = std::max(largest, connection.buffered_amount());
    });
    std::size_t round = 0;
    abused.check_memory([&] {
        abused.errors.clear();
        const Flood flood = attack(abused, processes[round++]);
        CHECK(flood.pings > 10'000);
        // Each was told that it took no bytes.
        CHECK(abused.errors == std::map<std::string, std::size_t>{{"the peer took no bytes for 3 s", flooders}});
    });
    WARN(pings << " pings were received; at most " << largest << " bytes waited for a peer");
    CHECK(largest > 0);
    CHECK(largest <= most);
}

TEST_CASE("ping flood: a peer that reads gets pongs in order, and the newest in any case") {
    constexpr std::uint64_t count = 200'000;
    const auto work = [](const Line& line) {
        line.put(ReadingFlooder(line.get<std::uint16_t>(), count).flood());
        return true;
    };
    PeerProcess processes[] = {PeerProcess(work), PeerProcess(work)};
    AbusedServer abused;
    std::size_t round = 0;
    abused.check_memory([&] {
        const Flood flood = attack(abused, processes[round++]);
        CHECK(flood.pings == count);
        CHECK(flood.is_in_order);
        CHECK(flood.has_newest);
        // While it read there was room for all; then some gave way to newer ones (RFC 6455, section 5.5.3).
        CHECK(flood.pongs >= count / 4);
        CHECK(flood.pongs < count);
    });
    // The peer did not close.
    CHECK(abused.errors.empty());
}
