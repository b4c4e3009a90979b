#include "reactor/core.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <hawser/error.hpp>

#include "support/catch.hpp"
#include "support/loop_fixture.hpp"
#include "support/sim_loop.hpp"
#include "support/socket_pair.hpp"

using namespace hawser;
using namespace hawser::reactor;
using support::SocketPair;

namespace {

struct Work final : Deferred {
    explicit Work(std::function<void()> call) : function(std::move(call)) {}
    void run_deferred() override { function(); }
    std::function<void()> function;
};

void defer(Core& core, std::function<void()> function) { core.defer(std::make_shared<Work>(std::move(function))); }

std::unique_ptr<Core> make_core() { return std::make_unique<Core>(make_ev_loop()); }

// Asks to be deferred again each time, `left` times.
void defer_again(Core& core, int& calls, int left) {
    defer(core, [&core, &calls, left] {
        ++calls;
        if (left > 1) defer_again(core, calls, left - 1);
    });
}

}  // namespace

TEST_CASE("core: deferred work runs once, in order, before the loop sleeps, with what is deferred meanwhile", "[core]") {
    const auto core = make_core();
    std::vector<int> order;
    defer(*core, [&] {
        order.push_back(1);
        defer(*core, [&] { order.push_back(3); });
    });
    defer(*core, [&] { order.push_back(2); });
    CHECK(order.empty());
    core->run();
    CHECK(order == std::vector{1, 2, 3});
    core->run();
    CHECK(order.size() == 3);
}

TEST_CASE("core: deferred work is kept alive until it ran, and no longer", "[core]") {
    const auto core = make_core();
    std::weak_ptr<Work> weak;
    {
        const auto work = std::make_shared<Work>([] {});
        weak = work;
        core->defer(work);
    }
    CHECK_FALSE(weak.expired());
    core->run();
    CHECK(weak.expired());
}

TEST_CASE("core: what a callback defers runs before run() returns, also when that was the last callback or stopped it", "[core]") {
    const auto core = make_core();
    const bool stops = GENERATE(false, true);
    int calls = 0;
    core->start_timer(Seconds(0), Seconds(0), [&] {
        defer(*core, [&] { ++calls; });
        if (stops) core->stop();
    });
    SECTION("run") { core->run(); }
    SECTION("run_once") {
        while (core->run_once(Seconds(1))) {
        }
    }
    CHECK(calls == 1);
}

TEST_CASE("core: work that goes on deferring lets the loop serve its events", "[core]") {
    Reactor reactor(support::make_sim_core());
    Core& core = reactor.core();
    SECTION("16 rounds run before one poll") {
        int calls = 0;
        int calls_at_poll = 0;
        core.start_timer(Seconds(0), Seconds(0), [&] { calls_at_poll = calls; });
        const int rounds = GENERATE(15, 16, 17);
        defer_again(core, calls, rounds);
        core.run();
        CHECK(calls_at_poll == std::min(rounds, 16));
        CHECK(calls == rounds);
    }
    SECTION("endless work is not waited for to end") {
        bool is_over = false;
        int calls = 0;
        std::function<void()> again = [&] {
            ++calls;
            if (!is_over) defer(core, again);
        };
        defer(core, again);
        core.start_timer(Seconds(0), Seconds(0), [&] { is_over = true; });
        core.run();
        CHECK(calls > 1);
    }
}

TEST_CASE("core: the loop does not sleep on work that is still deferred", "[core]") {
    Reactor reactor(support::make_sim_core());
    support::SimLoop& loop = support::sim_loop(reactor);
    support::TestIo silent(loop);
    loop.watch(silent, loop.make_descriptor(), Readiness::readable);
    int calls = 0;
    defer_again(reactor.core(), calls, 100);
    // Thrice 16 rounds, at the call, before the sleep and before the return; a sleep would have no end here.
    REQUIRE_NOTHROW(reactor.run_once(Seconds(std::numeric_limits<double>::infinity())));
    CHECK(calls == 48);
    reactor.run_once();
    reactor.run_once();
    CHECK(calls == 100);
}

TEST_CASE("core: deferred work can be run at once, also by deferred work", "[core]") {
    const auto core = make_core();
    std::vector<int> order;
    defer(*core, [&] {
        order.push_back(1);
        core->run_deferred();
        order.push_back(3);
        defer(*core, [&] { order.push_back(4); });
    });
    defer(*core, [&] { order.push_back(2); });
    core->run_deferred();
    core->run_deferred();
    CHECK(order == std::vector{1, 2, 3, 4});
}

TEST_CASE("core: deferred work knows the time, however long nobody ran the loop", "[core]") {
    Reactor reactor(support::make_sim_core());
    TimePoint seen{};
    reactor.run_once();
    support::sim_loop(reactor).advance(Seconds(60));
    defer(reactor.core(), [&] { seen = reactor.core().now(); });
    SECTION("in run_once()") { reactor.run_once(); }
    SECTION("at once") { reactor.core().run_deferred(); }
    CHECK(seen == support::sim_loop(reactor).fresh_now());
}

TEST_CASE("core: deferred work that throws breaks the loop, but not the work behind it", "[core]") {
    const auto core = make_core();
    int calls = 0;
    int timers = 0;
    core->start_timer(Seconds(0), Seconds(0), [&] { ++timers; });
    defer(*core, [] { throw std::runtime_error("first"); });
    defer(*core, [] { throw std::runtime_error("second"); });
    defer(*core, [&] {
        ++calls;
        CHECK(core->is_interrupted());
    });
    CHECK_THROWS_WITH(core->run(), "first");
    CHECK(calls == 1);
    CHECK(timers == 0);
    CHECK_FALSE(core->is_interrupted());
    core->run();
    CHECK(timers == 1);
}

TEST_CASE("core: what is thrown outside the loop is rethrown by the next run, before anything else", "[core]") {
    const auto core = make_core();
    int calls = 0;
    defer(*core, [&] { ++calls; });
    core->guard([] { throw std::runtime_error("guarded"); });
    CHECK(core->is_interrupted());
    CHECK_THROWS_WITH(core->run_once(Seconds(0)), "guarded");
    CHECK(calls == 0);
    core->run();
    CHECK(calls == 1);
}

TEST_CASE("core: an interruption is the present iteration's, if the owner of a borrowed loop runs that on", "[core]") {
    const auto native = support::make_native_loop();
    Core core(make_ev_loop(native.get()));
    core.start_timer(Seconds(0), Seconds(0), [] { throw std::runtime_error("kept"); });
    ev_run(native.get(), 0);
    CHECK(core.is_interrupted());
    bool was_interrupted = true;
    core.start_timer(Seconds(0), Seconds(0), [&] { was_interrupted = core.is_interrupted(); });
    ev_run(native.get(), 0);
    CHECK_FALSE(was_interrupted);
    CHECK_THROWS_WITH(core.rethrow(), "kept");
    CHECK_NOTHROW(core.rethrow());
}

TEST_CASE("core: its end drops what is parked, deferred, posted, attached and armed while the loop still lives", "[core]") {
    SocketPair pair;
    std::optional<Core> core(std::in_place, make_ev_loop());
    Core& ending = *core;  // which is not the optional's any more while it ends
    int dropped = 0;
    // Each uses the core once more on its way out.
    const auto last_wish = [&] {
        return std::shared_ptr<void>(nullptr, [&](void*) {
            ++dropped;
            ending.cancel(1);
            ending.detach(pair.near());
            if (dropped < 6) defer(ending, [] {});
        });
    };
    core->parked().emplace("parked", last_wish());
    defer(*core, [wish = last_wish()] {});
    core->post([wish = last_wish()] {});
    core->start_timer(Seconds(1), Seconds(0), [wish = last_wish()] {});
    core->start_timer(Seconds(1), Seconds(1), [wish = last_wish()] {});
    core->attach(pair.near(), Readiness::readable, [wish = last_wish()](Readiness) {});
    core.reset();
    CHECK(dropped == 6);
}

TEST_CASE("core: has buffers of the sizes it says, and the system's entropy until it is given another", "[core]") {
    struct Fixed final : Entropy {
        void fill(std::span<unsigned char> bytes) override { std::fill(bytes.begin(), bytes.end(), static_cast<unsigned char>(7)); }
    };
    const auto core = make_core();
    CHECK(core->receive_buffer().size() == Core::receive_buffer_size);
    CHECK(core->cork_buffer().size() == Core::cork_buffer_size);
    core->receive_buffer().back() = core->cork_buffer().back() = 'x';
    std::array<unsigned char, 16> bytes{};
    core->entropy().fill(bytes);
    CHECK(std::any_of(bytes.begin(), bytes.end(), [](unsigned char byte) { return byte != 0; }));
    core->set_entropy(std::make_unique<Fixed>());
    core->entropy().fill(bytes);
    CHECK(bytes.front() == 7);
}

TEST_CASE("core: a timer of long interval stays within the range of time", "[core]") {
    Reactor reactor(support::make_sim_core());
    int calls = 0;
    reactor.after(Seconds(1e300), [&] { ++calls; });
    support::run_for(reactor, Seconds(1e9));
    CHECK(calls == 0);
    CHECK(support::sim_loop(reactor).armed() == 1);
}
