#include "support/sim_loop.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

#include "support/catch.hpp"
#include "support/loop_fixture.hpp"

using namespace hawser;
using namespace support;
using Catch::Matchers::ContainsSubstring;

namespace {

struct Simulation {
    explicit Simulation(std::uint64_t seed = 1) : reactor(make_sim_core(seed)), loop(sim_loop(reactor)) {}
    Reactor reactor;
    SimLoop& loop;
};

// The order in which ten ready descriptors and ten due timers are served.
std::vector<int> order_of(std::uint64_t seed) {
    Simulation sim(seed);
    std::vector<int> order;
    std::vector<std::unique_ptr<TestIo>> ios;
    for (int n = 0; n < 10; ++n) {
        const int descriptor = sim.loop.make_descriptor();
        sim.loop.set_ready(descriptor, Readiness::readable);
        ios.push_back(std::make_unique<TestIo>(sim.loop, [&order, n](Readiness) { order.push_back(n); }));
        sim.loop.watch(*ios.back(), descriptor, Readiness::readable);
        sim.reactor.after(Seconds(0), [&order, n] { order.push_back(100 + n); });
    }
    sim.reactor.run_once();
    return order;
}

}  // namespace

TEST_CASE("sim_loop: time is virtual and jumps to the next deadline", "[sim_loop]") {
    Simulation sim;
    const TimePoint start = sim.loop.fresh_now();
    const Timestamp wall_clock = sim.loop.wall_clock();
    std::vector<std::pair<int, TimePoint>> fired;
    const auto record = [&](int n) { return [&, n] { fired.emplace_back(n, sim.reactor.now()); }; };
    sim.reactor.after(std::chrono::hours(3), record(3));
    sim.reactor.after(std::chrono::hours(1), record(1));
    sim.reactor.after(std::chrono::hours(2), record(2));
    sim.reactor.run();
    using Fired = std::vector<std::pair<int, TimePoint>>;
    using std::chrono::hours;
    CHECK(fired == Fired{{1, start + hours(1)}, {2, start + hours(2)}, {3, start + hours(3)}});
    CHECK(sim.loop.fresh_now() == start + hours(3));
    CHECK(sim.loop.wall_clock() == wall_clock + hours(3));
    CHECK(sim.reactor.loop() == nullptr);
}

TEST_CASE("sim_loop: deadlines of one instant fire in the order of arming", "[sim_loop]") {
    Simulation sim(GENERATE(1u, 2u, 3u, 4u));
    std::vector<int> order;
    for (int n = 0; n < 5; ++n) sim.reactor.after(Seconds(1), [&, n] { order.push_back(n); });
    sim.reactor.run();
    CHECK(order == std::vector{0, 1, 2, 3, 4});
}

TEST_CASE("sim_loop: the same seed gives the same order, another seed another", "[sim_loop]") {
    CHECK(order_of(7) == order_of(7));
    CHECK(order_of(7) != order_of(8));
    auto all = order_of(7);
    CHECK(all.size() == 20);
    // Timers keep their order under every seed.
    std::erase_if(all, [](int n) { return n < 100; });
    CHECK(std::is_sorted(all.begin(), all.end()));
}

TEST_CASE("sim_loop: readiness is a level, filtered by interest", "[sim_loop]") {
    Simulation sim;
    const int descriptor = sim.loop.make_descriptor();
    std::vector<Readiness> heard;
    TestIo io(sim.loop, [&](Readiness readiness) { heard.push_back(readiness); });
    sim.loop.watch(io, descriptor, Readiness::readable);
    CHECK(sim.loop.watched() == 1);
    sim.loop.set_ready(descriptor, Readiness::writable);
    sim.reactor.run_once();
    CHECK(heard.empty());
    sim.loop.set_ready(descriptor, Readiness::both);
    sim.reactor.run_once();
    sim.reactor.run_once();
    sim.loop.watch(io, descriptor, Readiness::both);
    sim.reactor.run_once();
    CHECK(heard == std::vector{Readiness::readable, Readiness::readable, Readiness::both});
    sim.loop.watch(io, descriptor, Readiness::none);
    CHECK_FALSE(sim.reactor.run_once());
    CHECK(heard.size() == 3);
    CHECK(sim.loop.watched() == 0);
}

TEST_CASE("sim_loop: an Io stopped, moved or destroyed by another's callback is not served", "[sim_loop]") {
    const auto seed = GENERATE(range(1u, 9u));
    CAPTURE(seed);
    Simulation sim(seed);
    int calls = 0;
    std::optional<TestIo> a, b;
    const int action = GENERATE(0, 1, 2);
    const auto make = [&](std::optional<TestIo>& io, std::optional<TestIo>& other) {
        const int descriptor = sim.loop.make_descriptor();
        sim.loop.set_ready(descriptor, Readiness::readable);
        io.emplace(sim.loop, [&](Readiness) {
            ++calls;
            if (action == 0) sim.loop.watch(*other, other->descriptor(), Readiness::none);
            if (action == 1) sim.loop.watch(*other, sim.loop.make_descriptor(), Readiness::readable);
            if (action == 2) other.reset();
        });
        sim.loop.watch(*io, descriptor, Readiness::readable);
    };
    int other_calls = 0;
    TestIo other(sim.loop, [&](Readiness) { ++other_calls; });
    make(a, b);
    make(b, a);
    const int descriptor = sim.loop.make_descriptor();
    sim.loop.set_ready(descriptor, Readiness::readable);
    sim.loop.watch(other, descriptor, Readiness::readable);
    sim.reactor.run_once();
    CHECK(calls == 1);
    CHECK(other_calls == 1);
}

TEST_CASE("sim_loop: stop ends the run after the callback under way", "[sim_loop]") {
    Simulation sim;
    int calls = 0;
    for (int n = 0; n < 3; ++n) {
        sim.reactor.after(Seconds(0), [&] {
            ++calls;
            sim.reactor.stop();
        });
    }
    sim.reactor.stop();
    for (int run = 1; run <= 3; ++run) {
        sim.reactor.run();
        CHECK(calls == run);
    }
}

TEST_CASE("sim_loop: a run that would sleep for ever throws", "[sim_loop]") {
    Simulation sim(42);
    TestIo io(sim.loop, [](Readiness) {});
    sim.loop.watch(io, sim.loop.make_descriptor(), Readiness::readable);
    CHECK_THROWS_WITH(sim.reactor.run(),
                      ContainsSubstring("sleep for ever") && ContainsSubstring("seed 42") && ContainsSubstring("1 descriptors watched"));
    CHECK_THROWS_AS(sim.reactor.run(), SimLoop::Stuck);
}

TEST_CASE("sim_loop: a run that does not come to an end throws, also past on_exception", "[sim_loop]") {
    Simulation sim;
    sim.reactor.on_exception([](std::exception_ptr) {});
    SECTION("a descriptor that stays ready") {
        const int descriptor = sim.loop.make_descriptor();
        TestIo io(sim.loop, [](Readiness) {});
        sim.loop.set_ready(descriptor, Readiness::writable);
        sim.loop.watch(io, descriptor, Readiness::writable);
        sim.loop.limit_iterations(1000);
        CHECK_THROWS_WITH(sim.reactor.run(), ContainsSubstring("does not come to an end"));
    }
    SECTION("a timer that starts itself anew at once") {
        std::function<void()> again = [&] { sim.reactor.after(Seconds(0), again); };
        again();
        sim.loop.limit_iterations(1000);
        CHECK_THROWS_AS(sim.reactor.run(), SimLoop::Stuck);
    }
    SECTION("a timer that repeats") {
        const int limit = GENERATE(4, 5, 6);
        int calls = 0;
        const TimerId timer = sim.reactor.every(Seconds(1), [&] {
            if (++calls == 5) sim.reactor.stop();
        });
        sim.loop.limit_iterations(std::uint64_t(limit));
        if (limit < 5) {
            CHECK_THROWS_AS(sim.reactor.run(), SimLoop::Stuck);
        } else {
            CHECK_NOTHROW(sim.reactor.run());
        }
        CHECK(calls == std::min(limit, 5));
        CHECK(sim.reactor.cancel(timer));
    }
}

TEST_CASE("sim_loop: a long callback makes timers late, not early", "[sim_loop]") {
    Simulation sim;
    const TimePoint start = sim.loop.fresh_now();
    TimePoint fired{};
    sim.reactor.after(Seconds(0), [&] {
        sim.loop.advance(Seconds(10));
        CHECK(sim.reactor.now() == start);
        sim.reactor.after(Seconds(1), [&] { fired = sim.reactor.now(); });
    });
    sim.reactor.run();
    CHECK(fired == start + std::chrono::seconds(11));
}

TEST_CASE("sim_loop: settle serves the present instant, run_for a span of time", "[sim_loop]") {
    Simulation sim;
    const TimePoint start = sim.loop.fresh_now();
    int calls = 0;
    sim.reactor.after(Seconds(0), [&] {
        ++calls;
        sim.reactor.post([&] { ++calls; });
        sim.reactor.after(Seconds(0), [&] { ++calls; });
    });
    sim.reactor.after(Seconds(1), [&] { ++calls; });
    sim.reactor.after(Seconds(2), [&] { ++calls; });
    settle(sim.reactor);
    CHECK(calls == 3);
    CHECK(sim.loop.fresh_now() == start);
    run_for(sim.reactor, Seconds(1));
    CHECK(calls == 4);
    CHECK(sim.loop.fresh_now() == start + std::chrono::seconds(1));
    run_for(sim.reactor, Seconds(10));
    CHECK(calls == 5);
    CHECK(sim.loop.fresh_now() == start + std::chrono::seconds(11));
    CHECK(sim.loop.armed() == 0);
}
