#include <hawser/stock_middlewares.hpp>

#include "support/catch.hpp"
#include "support/sim_world.hpp"

using namespace hawser;
using namespace support;

namespace {

constexpr std::size_t peer_total = 100;

/// A server with idle peers, and how many timers fire for each of them.
class IdleWorld {
public:
    explicit IdleWorld(const Configuration& configuration, const std::shared_ptr<Middleware>& middleware = nullptr)
        : world_(configuration) {
        if (middleware) world_.server->add_middleware(middleware);
        for (std::size_t i = 0; i < peer_total; ++i) peers_.push_back(world_.open_client());
    }

    /// Lets so much time pass, in steps; the peers answer what pings they got in each.
    double timers_each_in(Seconds time, Seconds step = Seconds(1)) {
        const std::uint64_t before = world_.loop.fired();
        for (Seconds passed{0}; passed < time; passed += step) {
            world_.pass(step);
            for (SimPeer& peer : peers_)
                if (!peer.lines().empty()) peer.send({Opcode::pong, ""});
            world_.settle();
        }
        CHECK(world_.server->connection_count() == peer_total);
        return static_cast<double>(world_.loop.fired() - before) / static_cast<double>(peer_total);
    }

    Journal& at_server() noexcept { return world_.at_server; }

private:
    SimWorld world_;
    std::vector<SimPeer> peers_;
};

}  // namespace

TEST_CASE("idle: a connection is told once of its silence, and no timer fires for it then") {
    IdleWorld world({.timeout = Seconds(60)});
    // That of the handshake, which was in time, and that of the silence.
    CHECK(world.timers_each_in(Seconds(61)) <= 2);
    CHECK(world.at_server().count("error connection_timeout") == peer_total);
    CHECK(world.timers_each_in(Seconds(3600)) == 0);
    CHECK(world.at_server().count("error connection_timeout") == peer_total);
}

TEST_CASE("idle: with a ping interval two timers fire in it, for the ping and for the pong that was waited for") {
    constexpr Seconds interval{20};
    IdleWorld world({.timeout = Seconds(60)}, std::make_shared<PingInterval>(interval, Seconds(5)));
    world.timers_each_in(Seconds(61));
    // The peers answer at the end of a step, and an interval begins with that.
    const double intervals = 3600 / interval.count();
    CHECK(world.timers_each_in(Seconds(3600)) <= 2 * intervals);
    CHECK(world.at_server().count("pong") >= peer_total * 160);
    CHECK(world.at_server().count("error") == 0);
}
