#include <poll.h>

#include <algorithm>

#include "slow/abuse.hpp"

using namespace hawser;
using namespace support;

namespace {

constexpr std::size_t peer_count = 500;
constexpr std::size_t room = 60;

/// The process may open so many descriptors more, while this lives.
class DescriptorLimit {
public:
    explicit DescriptorLimit(std::size_t more) {
        check(getrlimit(RLIMIT_NOFILE, &before_), "getrlimit");
        set(open_descriptors() + more);
    }
    ~DescriptorLimit() { set(before_.rlim_cur); }
    DescriptorLimit(const DescriptorLimit&) = delete;
    DescriptorLimit& operator=(const DescriptorLimit&) = delete;

private:
    void set(rlim_t soft) const {
        const rlimit limit{soft, before_.rlim_max};
        check(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
    }
    rlimit before_{};
};

/// What became of the peers' connections.
struct Fates {
    std::size_t accepted, dropped, waiting;
};

/// More peers than the server has descriptors, all at once.
class Crowd {
public:
    explicit Crowd(std::uint16_t port) {
        for (std::size_t i = 0; i < peer_count; ++i) {
            waiting_.push_back(connect_raw(port));
            send_raw(waiting_.back(), request_head);
        }
    }
    /// Looks until each fate is known, or for so long.
    Fates look(int milliseconds) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
        while (!waiting_.empty() && std::chrono::steady_clock::now() < end) {
            std::vector<pollfd> ready;
            for (const Descriptor& peer : waiting_) ready.push_back({peer.get(), POLLIN, 0});
            check(poll(ready.data(), ready.size(), 10), "poll");
            for (std::size_t i = ready.size(); i-- > 0;)
                if (ready[i].revents != 0) decide(i);
        }
        return {accepted_, dropped_, waiting_.size()};
    }
    void leave() { open_.clear(); }

private:
    void decide(std::size_t index) {
        Descriptor peer = std::move(waiting_[index]);
        waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(index));
        if (!is_accepted(peer)) {
            ++dropped_;
            return;
        }
        ++accepted_;
        open_.push_back(std::move(peer));
    }

    std::vector<Descriptor> waiting_, open_;
    std::size_t accepted_ = 0, dropped_ = 0;
};

/// Looks for as long as it is told, and tells; 0: all who were accepted leave. Until the line ends.
bool crowd_in(const Line& line) {
    Crowd crowd(line.get<std::uint16_t>());
    for (int command = line.get<int>(); command >= 0; command = line.get<int>()) {
        if (command == 0) crowd.leave();
        line.put(crowd.look(command));
    }
    return true;
}

Fates look(AbusedServer& abused, const PeerProcess& crowd, int milliseconds) {
    crowd.line().put(milliseconds);
    abused.until_readable(crowd.line());
    return crowd.line().get<Fates>();
}

void attack(AbusedServer& abused, PeerProcess& crowd) {
    abused.errors.clear();
    const std::size_t before = abused.handshakes;
    Fates at_limit{}, after_leave{};
    {
        const DescriptorLimit limit(room);
        crowd.line().put(abused.server.port());
        look(abused, crowd, 1'000);
        const std::size_t turns = abused.turns;
        const std::clock_t start = std::clock();
        at_limit = look(abused, crowd, 2'000);
        // Ten times a second it tries, and drops one, which takes three turns.
        CHECK(abused.turns - turns <= 100);
        WARN("at the limit: " << at_limit.accepted << " accepted, " << at_limit.dropped << " dropped, " << at_limit.waiting
                              << " waiting; in 2 s " << abused.turns - turns << " turns of the loop, "
                              << double(std::clock() - start) / CLOCKS_PER_SEC << " s of CPU");
        CHECK(at_limit.accepted <= room + 2);
        CHECK(at_limit.accepted + 5 >= room);
        CHECK(at_limit.dropped >= 1);
        CHECK(at_limit.waiting > peer_count / 2);
        CHECK(abused.errors == std::map<std::string, std::size_t>{{"Too many open files", 1}});
        // As soon as some leave, as many are taken in their place.
        look(abused, crowd, 0);
        abused.until([&] { return abused.handshakes >= before + 2 * at_limit.accepted; });
        after_leave = look(abused, crowd, 200);
        CHECK(after_leave.accepted >= 2 * at_limit.accepted);
    }
    const auto start = std::chrono::steady_clock::now();
    const Fates at_end = look(abused, crowd, 20'000);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    WARN("with descriptors again: all " << after_leave.waiting << " that waited accepted in " << seconds << " s; in all " << at_end.accepted
                                        << " accepted, " << at_end.dropped << " dropped");
    CHECK(at_end.waiting == 0);
    CHECK(at_end.accepted + at_end.dropped == peer_count);
    CHECK(at_end.dropped <= after_leave.dropped + 1);
    CHECK(seconds < 3);
    CHECK(abused.handshakes == before + at_end.accepted);
    crowd.line().put(-1);
    CHECK(crowd.finish());
    abused.settle();
}

}  // namespace

TEST_CASE("descriptor limit: a storm of connects neither spins nor stays locked out") {
    REQUIRE(raise_descriptor_limit() > peer_count + 200);
    PeerProcess crowds[] = {PeerProcess(crowd_in), PeerProcess(crowd_in)};
    AbusedServer abused;
    std::size_t round = 0;
    abused.check_memory([&] { attack(abused, crowds[round++]); });
}
