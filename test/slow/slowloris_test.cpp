#include <algorithm>
#include <vector>

#include "slow/abuse.hpp"

using namespace hawser;
using namespace support;

namespace {

constexpr std::size_t slow_count = 1'000;
constexpr Seconds handshake_time{3};

using Clock = std::chrono::steady_clock;

/// A peer whose request takes longer than the server waits.
struct SlowPeer {
    Descriptor socket;
    Clock::time_point since = Clock::now();
    std::size_t sent = 0;
};

/// Peers that send a byte now and then, all of them in turn, until the server ends them.
class Slowloris {
public:
    Slowloris(Reactor& reactor, std::uint16_t port) : reactor_(reactor) {
        for (std::size_t i = 0; i < slow_count; ++i) peers_.push_back({connect_raw(port)});
        timer_ = reactor_.every(Seconds(0.1), [this] { trickle(); });
    }
    ~Slowloris() { reactor_.cancel(timer_); }
    Slowloris(const Slowloris&) = delete;
    Slowloris& operator=(const Slowloris&) = delete;

    bool is_over() const noexcept { return peers_.empty(); }
    double shortest = 1e9, longest = 0;  // lives, in seconds
    std::size_t answered = 0;            // by anything but the end
    std::size_t least_sent = std::string::npos;

private:
    void trickle() {
        std::erase_if(peers_, [this](SlowPeer& peer) { return is_ended(peer); });
        for (SlowPeer& peer : peers_) {
            send(peer.socket.get(), &request_head[peer.sent % (request_head.size() - 4)], 1, MSG_NOSIGNAL | MSG_DONTWAIT);
            ++peer.sent;
        }
    }
    bool is_ended(const SlowPeer& peer) {
        char bytes[1000];
        const ssize_t size = recv(peer.socket.get(), bytes, sizeof bytes, MSG_DONTWAIT);
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
        if (size > 0) {
            ++answered;
            return false;
        }
        const double life = std::chrono::duration<double>(Clock::now() - peer.since).count();
        shortest = std::min(shortest, life);
        longest = std::max(longest, life);
        least_sent = std::min(least_sent, peer.sent);
        return true;
    }

    Reactor& reactor_;
    std::vector<SlowPeer> peers_;
    TimerId timer_ = 0;
};

void attack(AbusedServer& abused) {
    EchoTraffic traffic(abused.reactor, abused.uri(), 20);
    abused.until([&] { return traffic.echoes() >= 2'000; });
    const double usual = traffic.take_longest();
    const std::size_t echoes = traffic.echoes();
    const std::size_t descriptors = open_descriptors();
    {
        Slowloris slowloris(abused.reactor, abused.server.port());
        abused.until([&] { return slowloris.is_over(); });
        const double slowest = traffic.take_longest();
        WARN(slow_count << " slow handshakes ended after " << slowloris.shortest << " to " << slowloris.longest << " s and at least "
                        << slowloris.least_sent << " bytes each; beside them " << traffic.echoes() - echoes << " echoes, the slowest after "
                        << slowest << " s (before " << usual << ")");
        CHECK(slowloris.shortest >= handshake_time.count());
        CHECK(slowloris.longest < handshake_time.count() + 5);
        CHECK(slowloris.answered == 0);
        CHECK(slowest < 5);
        CHECK(slowloris.least_sent >= 2);
    }
    CHECK(open_descriptors() == descriptors);
    CHECK(traffic.echoes() > echoes + 100);
    traffic.finish();
    abused.until([&] { return traffic.is_over(); });
    CHECK(traffic.failures().empty());
    abused.settle();
    const std::string late = "the opening handshake was not complete within 3 s: no whole HTTP request has come";
    CHECK(abused.errors == std::map<std::string, std::size_t>{{late, slow_count}});
    abused.errors.clear();
}

}  // namespace

TEST_CASE("slowloris: 1,000 handshakes that never end disturb nobody, and are ended in time") {
    REQUIRE(raise_descriptor_limit() > 2 * slow_count + 200);
    Configuration configuration;
    configuration.handshake_timeout = handshake_time;
    AbusedServer abused(configuration);
    abused.check_memory([&] { attack(abused); });
}
