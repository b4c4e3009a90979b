#include <limits>
#include <stdexcept>
#include <vector>

#include <hawser/reactor.hpp>

#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/loop_fixture.hpp"
#include "support/sim_loop.hpp"
#include "support/socket_pair.hpp"

using namespace hawser;
using Catch::Matchers::ContainsSubstring;
using support::error_of;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("reactor: after() calls once, and its timer is gone then", "[reactor]") {
    Reactor reactor;
    int calls = 0;
    TimerId id = 0;
    id = reactor.after(Seconds(0.002), [&] {
        ++calls;
        CHECK_FALSE(reactor.cancel(id));
    });
    const TimePoint start = std::chrono::steady_clock::now();
    CHECK(id != 0);
    reactor.run();
    CHECK(calls == 1);
    CHECK(reactor.now() + std::chrono::milliseconds(1) >= start + std::chrono::milliseconds(2));
    CHECK_FALSE(reactor.cancel(id));
}

TEST_CASE("reactor: every() calls again and again until it cancels itself", "[reactor]") {
    Reactor reactor(support::make_sim_core());
    const TimePoint start = reactor.now();
    std::vector<Seconds> fired;
    TimerId id = 0;
    id = reactor.every(Seconds(2), [&] {
        fired.emplace_back(reactor.now() - start);
        if (fired.size() == 3) CHECK(reactor.cancel(id));
    });
    reactor.run();
    CHECK(fired == std::vector<Seconds>{Seconds(2), Seconds(4), Seconds(6)});
}

TEST_CASE("reactor: every() does not catch up after a long callback", "[reactor]") {
    Reactor reactor(support::make_sim_core());
    const TimePoint start = reactor.now();
    std::vector<Seconds> fired;
    TimerId id = 0;
    id = reactor.every(Seconds(1), [&] {
        fired.emplace_back(reactor.now() - start);
        if (fired.size() == 1) support::sim_loop(reactor).advance(Seconds(3.5));
        if (fired.size() == 4) reactor.cancel(id);
    });
    reactor.run();
    CHECK(fired == std::vector<Seconds>{Seconds(1), Seconds(4.5), Seconds(5.5), Seconds(6.5)});
}

TEST_CASE("reactor: every() counts from its call when another took long before it", "[reactor]") {
    Reactor reactor(support::make_sim_core());
    const TimePoint start = reactor.now();
    std::vector<Seconds> fired;
    reactor.after(Seconds(1), [&] { support::sim_loop(reactor).advance(Seconds(0.5)); });
    TimerId id = 0;
    id = reactor.every(Seconds(1), [&] {
        fired.emplace_back(reactor.now() - start);
        if (fired.size() == 2) reactor.cancel(id);
    });
    reactor.run();
    CHECK(fired == std::vector<Seconds>{Seconds(1), Seconds(2.5)});
}

TEST_CASE("reactor: after() in a long callback counts from its call", "[reactor]") {
    Reactor reactor(support::make_sim_core());
    const TimePoint start = reactor.now();
    Seconds fired{0};
    reactor.after(Seconds(0), [&] {
        support::sim_loop(reactor).advance(Seconds(10));
        reactor.after(Seconds(1), [&] { fired = reactor.now() - start; });
    });
    reactor.run();
    CHECK(fired == Seconds(11));
}

TEST_CASE("reactor: a timer's callback may cancel others, start others and throw", "[reactor]") {
    Reactor reactor;
    int calls = 0, victims = 0;
    std::vector<TimerId> ids;
    const auto act = [&] {
        for (const TimerId id : ids) reactor.cancel(id);
        reactor.after(Seconds(0), [&] { ++calls; });
        throw std::runtime_error("timer");
    };
    const auto attack = [&] {
        ++victims;
        act();
    };
    ids.push_back(reactor.after(Seconds(0), attack));
    ids.push_back(reactor.every(Seconds(1e-9), attack));
    ids.push_back(reactor.after(Seconds(0), attack));
    CHECK_THROWS_WITH(reactor.run(), "timer");
    CHECK(victims == 1);
    reactor.run();
    CHECK(victims == 1);
    CHECK(calls == 1);
}

TEST_CASE("reactor: a repeating timer that throws goes on", "[reactor]") {
    Reactor reactor(support::make_sim_core());
    const TimerId id = reactor.every(Seconds(1), [] { throw std::runtime_error("again"); });
    CHECK_THROWS_WITH(reactor.run(), "again");
    CHECK_THROWS_WITH(reactor.run(), "again");
    CHECK(reactor.cancel(id));
    CHECK_NOTHROW(reactor.run());
}

TEST_CASE("reactor: the identifiers of timers are never reused, and 0 is none", "[reactor]") {
    Reactor reactor;
    const TimerId first = reactor.after(Seconds(1), [] {});
    reactor.cancel(first);
    const TimerId second = reactor.after(Seconds(1), [] {});
    CHECK(first != second);
    CHECK_FALSE(reactor.cancel(first));
    CHECK_FALSE(reactor.cancel(0));
    CHECK(reactor.cancel(second));
    CHECK_FALSE(reactor.run_once());
}

TEST_CASE("reactor: delays that are no time are refused, by name", "[reactor]") {
    Reactor reactor;
    const auto after = [&](double delay) { return error_of(Errc::invalid_option, [&] { reactor.after(Seconds(delay), [] {}); }); };
    const auto every = [&](double interval) { return error_of(Errc::invalid_option, [&] { reactor.every(Seconds(interval), [] {}); }); };
    CHECK_THAT(after(-0.5), ContainsSubstring("-0.5 s"));
    CHECK_THAT(after(not_a_number), ContainsSubstring("nan"));
    CHECK_THAT(after(infinity), ContainsSubstring("inf"));
    CHECK_THAT(every(0), ContainsSubstring("every 0 s"));
    CHECK_THAT(every(-1), ContainsSubstring("-1 s"));
    CHECK_THAT(every(not_a_number), ContainsSubstring("nan"));
    CHECK_FALSE(reactor.run_once());
}

TEST_CASE("reactor: a timer that its callback cancels does not fire in a loop that this runs", "[reactor]") {
    const support::NativeLoop native = support::make_native_loop();
    Reactor reactor(native.get());
    int calls = 0;
    TimerId id = 0;
    id = reactor.every(Seconds(0.0001), [&] {
        ++calls;
        CHECK(reactor.cancel(id));
        // Long enough for it to be due again.
        const TimePoint due = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
        while (std::chrono::steady_clock::now() < due) ev_run(native.get(), EVRUN_NOWAIT);
    });
    ev_run(native.get(), 0);
    CHECK(calls == 1);
}

TEST_CASE("reactor: what is under way when the reactor ends does not call again in a loop that this runs", "[reactor]") {
    const support::NativeLoop native = support::make_native_loop();
    auto reactor = std::make_unique<Reactor>(native.get());
    support::SocketPair pair;
    pair.feed();
    int calls = 0;
    const auto end = [&] {
        ++calls;
        reactor.reset();
        const TimePoint due = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
        while (std::chrono::steady_clock::now() < due) ev_run(native.get(), EVRUN_NOWAIT);
    };
    SECTION("a timer") { reactor->every(Seconds(0.0001), end); }
    SECTION("a descriptor") {
        reactor->attach(pair.near(), Readiness::readable, [&](Readiness) { end(); });
    }
    ev_run(native.get(), 0);
    CHECK(calls == 1);
}
