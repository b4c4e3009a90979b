#include <optional>

#include "support/catch.hpp"
#include "support/loop_fixture.hpp"

using namespace hawser;
using namespace std::chrono_literals;
using support::spend;
using support::TestDeadline;
using Fixture = support::LoopFixture;

TEST_CASE("loop: a deadline fires once, never early, and is no longer armed then", "[loop]") {
    Fixture f;
    TestDeadline deadline(*f.loop);
    CHECK(deadline.at() == TimePoint::max());
    const auto delay = GENERATE(-5ms, 0ms, 3ms);
    const TimePoint at = f.loop->fresh_now() + delay;
    int calls = 0;
    deadline.callback = [&] {
        ++calls;
        CHECK(f.loop->fresh_now() >= at);
        CHECK(deadline.at() == TimePoint::max());
    };
    f.loop->arm(deadline, at);
    CHECK(deadline.at() == at);
    CHECK_FALSE(f.loop->run());
    CHECK(calls == 1);
}

TEST_CASE("loop: a deadline armed late in a long callback is not early", "[loop]") {
    Fixture f;
    TestDeadline first(*f.loop), second(*f.loop);
    TimePoint at{};
    int calls = 0;
    first.callback = [&] {
        spend(20ms);
        at = f.loop->fresh_now() + 5ms;
        f.loop->arm(second, at);
    };
    second.callback = [&] {
        ++calls;
        CHECK(f.loop->fresh_now() >= at);
    };
    f.loop->arm(first, f.loop->fresh_now());
    f.loop->run();
    CHECK(calls == 1);
    CHECK(f.hooks.sleeps == 2);  // nor does libev, whose own time is stale by then, wake up too early
}

TEST_CASE("loop: a deadline moved later fires then, one moved earlier does not wait for its old time", "[loop]") {
    Fixture f;
    TestDeadline deadline(*f.loop), guard(*f.loop);
    const TimePoint start = f.loop->fresh_now();
    int calls = 0;
    TimePoint expected{};
    deadline.callback = [&] {
        ++calls;
        CHECK(f.loop->fresh_now() >= expected);
    };
    SECTION("later") {
        expected = start + 6ms;
        f.loop->arm(deadline, start + 1ms);
        f.loop->arm(deadline, expected);
        CHECK(deadline.at() == expected);
        CHECK_FALSE(f.loop->run());
    }
    SECTION("later, then back to the time it had") {
        expected = start + 1ms;
        f.loop->arm(deadline, expected);
        f.loop->arm(deadline, start + 1h);
        f.loop->arm(deadline, expected);
        CHECK_FALSE(f.loop->run());
    }
    SECTION("earlier") {
        expected = start + 1ms;
        f.loop->arm(deadline, start + 1h);
        f.loop->arm(deadline, expected);
        CHECK_FALSE(f.loop->run());
    }
    CHECK(calls == 1);
}

TEST_CASE("loop: a disarmed deadline does not fire, also when its time had come", "[loop]") {
    Fixture f;
    TestDeadline a(*f.loop), b(*f.loop);
    int calls = 0;
    a.callback = [&] {
        ++calls;
        f.loop->arm(b, TimePoint::max());
    };
    b.callback = [&] {
        ++calls;
        f.loop->arm(a, TimePoint::max());
    };
    const TimePoint at = f.loop->fresh_now();
    f.loop->arm(a, at);
    f.loop->arm(b, at);
    CHECK_FALSE(f.loop->run());
    CHECK(calls == 1);
}

TEST_CASE("loop: a deadline whose time had come, but is moved by another callback, waits for the new time", "[loop]") {
    Fixture f;
    TestDeadline a(*f.loop), b(*f.loop);
    int calls = 0;
    TimePoint moved{};
    const auto make_callback = [&](TestDeadline& other) {
        return [&] {
            ++calls;
            if (calls == 2) CHECK(f.loop->fresh_now() >= moved);
            if (calls > 1) return;
            moved = f.loop->fresh_now() + 4ms;
            f.loop->arm(other, moved);
        };
    };
    a.callback = make_callback(b);
    b.callback = make_callback(a);
    const TimePoint at = f.loop->fresh_now();
    f.loop->arm(a, at);
    f.loop->arm(b, at);
    CHECK_FALSE(f.loop->run());
    CHECK(calls == 2);
}

TEST_CASE("loop: a deadline may destroy itself and may arm itself anew in its callback", "[loop]") {
    Fixture f;
    std::optional<TestDeadline> deadline(std::in_place, *f.loop);
    int calls = 0;
    const auto act = [&] {
        if (++calls == 1) return f.loop->arm(*deadline, f.loop->fresh_now());
        deadline.reset();
    };
    deadline->callback = [&] { act(); };
    f.loop->arm(*deadline, f.loop->fresh_now());
    CHECK_FALSE(f.loop->run());
    CHECK(calls == 2);
}
