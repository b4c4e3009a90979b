#include "reactor/loop.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/socket_pair.hpp"

using namespace hawser;
using namespace hawser::reactor;
using support::SocketPair;
using namespace std::chrono_literals;

namespace {

struct Hooks final : LoopHooks {
    void before_sleep() override {
        ++sleeps;
        if (on_sleep) on_sleep();
    }
    void on_wake() override { ++wakes; }
    void on_callback_exception() noexcept override {
        try {
            throw;
        } catch (const std::exception& exception) {
            exceptions.emplace_back(exception.what());
        }
    }

    int sleeps = 0, wakes = 0;
    std::function<void()> on_sleep;
    std::vector<std::string> exceptions;
};

struct TestIo final : Io {
    explicit TestIo(Loop& with) : loop(with) {}
    ~TestIo() { loop.watch(*this, descriptor(), Readiness::none); }
    void on_ready(Readiness readiness) override { callback(readiness); }
    Loop& loop;
    std::function<void(Readiness)> callback;
};

struct TestDeadline final : Deadline {
    explicit TestDeadline(Loop& with) : loop(with) {}
    ~TestDeadline() { loop.arm(*this, TimePoint::max()); }
    void on_deadline() override { callback(); }
    Loop& loop;
    std::function<void()> callback;
};

struct Fixture {
    explicit Fixture(struct ev_loop* borrowed = nullptr) : loop(make_ev_loop(borrowed)) { loop->set_hooks(&hooks); }
    Hooks hooks;
    std::unique_ptr<Loop> loop;
};

struct DestroyLoop {
    void operator()(struct ev_loop* loop) const { ev_loop_destroy(loop); }
};
using NativeLoop = std::unique_ptr<struct ev_loop, DestroyLoop>;

constexpr Seconds unbounded{std::numeric_limits<double>::infinity()};

void spend(std::chrono::steady_clock::duration time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
    }
}

void count(struct ev_loop*, ev_timer* timer, int) { ++*static_cast<int*>(timer->data); }

std::set<int> descriptors_in_use() {
    std::set<int> open;
    for (int descriptor = 0; descriptor < 1024; ++descriptor) {
        if (support::is_open(descriptor)) open.insert(descriptor);
    }
    return open;
}

}  // namespace

TEST_CASE("loop: a run without anything to wait for returns at once, after a look at what is to be done before the sleep", "[loop]") {
    Fixture f;
    CHECK_FALSE(f.loop->run());
    CHECK(f.hooks.sleeps == 1);
    CHECK_FALSE(f.loop->run_once(unbounded));
}

TEST_CASE("loop: its own loop is not libev's default loop and takes no signal", "[loop]") {
    struct sigaction before {};
    struct sigaction after {};
    sigaction(SIGCHLD, nullptr, &before);
    Fixture f;
    f.loop->run();
    sigaction(SIGCHLD, nullptr, &after);
    CHECK_FALSE(ev_is_default_loop(f.loop->native()));
    CHECK(before.sa_handler == after.sa_handler);
}

TEST_CASE("loop: all its descriptors are closed on exec, and at its end", "[loop]") {
    const auto before = descriptors_in_use();
    {
        Fixture f;
        f.loop->run();
        for (const int descriptor : descriptors_in_use()) {
            if (!before.contains(descriptor)) CHECK((fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
        }
        CHECK(descriptors_in_use() != before);
    }
    CHECK(descriptors_in_use() == before);
}

TEST_CASE("loop: without descriptors left it throws instead of aborting", "[loop]") {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    // With none left, and with one for the kernel's queue but none for the wake-up.
    const int left = GENERATE(0, 1);
    rlimit low = limit;
    low.rlim_cur = rlim_t(support::next_descriptor() + left);
    setrlimit(RLIMIT_NOFILE, &low);
    std::error_code error;
    try {
        const auto loop = make_ev_loop();
    } catch (const std::system_error& exception) {
        error = exception.code();
    }
    setrlimit(RLIMIT_NOFILE, &limit);
    CHECK(error == std::error_code(EMFILE, std::generic_category()));
}

TEST_CASE("loop: an Io hears what its descriptor is ready for, and only what it asked for", "[loop]") {
    Fixture f;
    SocketPair pair;
    TestIo io(*f.loop);
    std::vector<Readiness> heard;
    io.callback = [&](Readiness readiness) { heard.push_back(readiness); };
    f.loop->watch(io, pair.near(), Readiness::readable);
    CHECK(io.descriptor() == pair.near());
    CHECK(io.interest() == Readiness::readable);
    CHECK(f.loop->run_once(Seconds(0)));
    CHECK(heard.empty());
    pair.feed();
    f.loop->run_once(unbounded);
    f.loop->watch(io, pair.near(), Readiness::both);
    f.loop->run_once(unbounded);
    f.loop->watch(io, pair.near(), Readiness::writable);
    f.loop->run_once(unbounded);
    CHECK(heard == std::vector{Readiness::readable, Readiness::both, Readiness::writable});
    f.loop->watch(io, pair.near(), Readiness::none);
    CHECK(io.interest() == Readiness::none);
    CHECK_FALSE(f.loop->run_once(unbounded));
    CHECK(heard.size() == 3);
}

TEST_CASE("loop: a number that is another descriptor's now is watched anew", "[loop]") {
    Fixture f;
    std::optional<SocketPair> pair(std::in_place);
    TestIo io(*f.loop);
    int calls = 0;
    io.callback = [&](Readiness) { ++calls; };
    const int number = pair->near();
    f.loop->watch(io, number, Readiness::readable);
    f.loop->run_once(Seconds(0));
    f.loop->watch(io, number, Readiness::none);
    pair.reset();
    pair.emplace();
    REQUIRE(pair->near() == number);
    f.loop->watch(io, number, Readiness::readable);
    pair->feed();
    f.loop->run_once(unbounded);
    CHECK(calls == 1);
}

TEST_CASE("loop: an Io moves to another descriptor", "[loop]") {
    Fixture f;
    SocketPair first, second;
    TestIo io(*f.loop);
    int calls = 0;
    io.callback = [&](Readiness) { ++calls; };
    f.loop->watch(io, first.near(), Readiness::readable);
    f.loop->run_once(Seconds(0));
    f.loop->watch(io, second.near(), Readiness::readable);
    first.feed();
    f.loop->run_once(Seconds(0));
    CHECK(calls == 0);
    second.feed();
    f.loop->run_once(unbounded);
    CHECK(calls == 1);
}

TEST_CASE("loop: an Io may be destroyed in its own callback, and in another's", "[loop]") {
    Fixture f;
    SocketPair first, second;
    first.feed();
    second.feed();
    int calls = 0;
    std::optional<TestIo> a(std::in_place, *f.loop), b(std::in_place, *f.loop);
    const auto destroy_both = [&] {
        ++calls;
        a.reset();
        b.reset();
    };
    // Called as another's function: destroying one under way would be the test's own fault.
    a->callback = b->callback = [&](Readiness) { destroy_both(); };
    f.loop->watch(*a, first.near(), Readiness::readable);
    f.loop->watch(*b, second.near(), Readiness::readable);
    CHECK_FALSE(f.loop->run());
    CHECK(calls == 1);
}

TEST_CASE("loop: a descriptor that can no longer be watched is reported once, and stopped", "[loop]") {
    // With select() libev finds out by itself; with epoll a closed descriptor is just silent.
    NativeLoop native(ev_loop_new(EVBACKEND_SELECT));
    Fixture f(native.get());
    SocketPair pair;
    TestIo io(*f.loop);
    int calls = 0;
    io.callback = [&](Readiness) {
        ++calls;
        CHECK(io.interest() == Readiness::none);
    };
    f.loop->watch(io, pair.near(), Readiness::readable);
    f.loop->run_once(Seconds(0));
    pair.close_near();
    CHECK_FALSE(f.loop->run());
    CHECK(calls == 1);
}

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

TEST_CASE("loop: stop ends the run after the callback under way, and the next run serves the rest", "[loop]") {
    Fixture f;
    SocketPair first, second;
    first.feed();
    second.feed();
    TestIo a(*f.loop), b(*f.loop);
    TestDeadline deadline(*f.loop);
    int calls = 0;
    a.callback = b.callback = [&](Readiness) {
        ++calls;
        f.loop->stop();
    };
    deadline.callback = [&] {
        ++calls;
        f.loop->stop();
    };
    f.loop->watch(a, first.near(), Readiness::readable);
    f.loop->watch(b, second.near(), Readiness::readable);
    f.loop->arm(deadline, f.loop->fresh_now());
    spend(1ms);
    for (int run = 1; run <= 3; ++run) {
        CHECK(f.loop->run());
        CHECK(calls == run);
    }
}

TEST_CASE("loop: a wake-up that meets a stopped loop is kept for the next run", "[loop]") {
    Fixture f;
    TestDeadline deadline(*f.loop);
    deadline.callback = [&] { f.loop->stop(); };
    // Whichever of the two libev serves first: none is lost.
    f.loop->arm(deadline, f.loop->fresh_now());
    spend(1ms);
    f.loop->wake();
    f.loop->run();
    f.loop->run();
    CHECK(f.hooks.wakes == 1);
}

TEST_CASE("loop: stop before the run is without effect on it", "[loop]") {
    Fixture f;
    TestDeadline deadline(*f.loop);
    int calls = 0;
    deadline.callback = [&] { ++calls; };
    f.loop->arm(deadline, f.loop->fresh_now());
    f.loop->stop();
    CHECK_FALSE(f.loop->run());
    CHECK(calls == 1);
}

TEST_CASE("loop: what a callback throws reaches the hooks and never libev", "[loop]") {
    Fixture f;
    SocketPair pair;
    pair.feed();
    TestIo io(*f.loop);
    TestDeadline deadline(*f.loop);
    io.callback = [&](Readiness) {
        f.loop->watch(io, pair.near(), Readiness::none);
        throw std::runtime_error("io");
    };
    deadline.callback = [] { throw std::runtime_error("deadline"); };
    f.hooks.on_sleep = [&] {
        if (f.hooks.sleeps == 1) throw std::runtime_error("sleep");
    };
    f.loop->watch(io, pair.near(), Readiness::readable);
    f.loop->arm(deadline, f.loop->fresh_now() + 1ms);
    CHECK_FALSE(f.loop->run());
    CHECK(f.hooks.exceptions == std::vector<std::string>{"sleep", "io", "deadline"});
    CHECK(ev_depth(f.loop->native()) == 0);
    CHECK_FALSE(f.loop->is_dispatching());
}

TEST_CASE("loop: run_once waits for an event, but at most as long as it is told", "[loop]") {
    Fixture f;
    SocketPair pair;
    TestIo io(*f.loop);
    int calls = 0;
    io.callback = [&](Readiness) {
        ++calls;
        pair.drain();
    };
    f.loop->watch(io, pair.near(), Readiness::readable);
    spend(5ms);  // which libev has not noticed
    const TimePoint start = f.loop->fresh_now();
    CHECK(f.loop->run_once(5ms));
    CHECK(f.loop->fresh_now() >= start + 5ms);
    CHECK(calls == 0);
    pair.feed();
    CHECK(f.loop->run_once(Seconds(3600)));
    CHECK(calls == 1);
    f.loop->watch(io, pair.near(), Readiness::none);
    CHECK_FALSE(f.loop->run_once(Seconds(3600)));
}

TEST_CASE("loop: do_not_sleep lets one iteration pass without sleep, called before it or within", "[loop]") {
    Fixture f;
    SocketPair pair;
    TestIo io(*f.loop);
    f.loop->watch(io, pair.near(), Readiness::readable);
    f.loop->do_not_sleep();
    CHECK(f.loop->run_once(unbounded));
    f.hooks.on_sleep = [&] { f.loop->do_not_sleep(); };
    CHECK(f.loop->run_once(unbounded));
    CHECK(f.hooks.sleeps == 2);
    f.hooks.on_sleep = nullptr;
    const TimePoint start = f.loop->fresh_now();
    f.loop->run_once(2ms);
    CHECK(f.loop->fresh_now() >= start + 2ms);
}

TEST_CASE("loop: another thread wakes a sleeping loop", "[loop]") {
    Fixture f;
    SocketPair pair;
    TestIo io(*f.loop);
    f.loop->watch(io, pair.near(), Readiness::readable);
    std::thread thread([&] { f.loop->wake(); });
    while (f.hooks.wakes == 0) f.loop->run_once(unbounded);
    thread.join();
    CHECK(f.hooks.wakes == 1);
}

TEST_CASE("loop: the time of the iteration is that after the sleep, and right in the first callback too", "[loop]") {
    Fixture f;
    spend(2ms);
    const TimePoint start = f.loop->fresh_now();
    CHECK(f.loop->now() < start);
    f.hooks.on_sleep = [&] { CHECK(f.loop->now() >= start); };
    TestDeadline deadline(*f.loop);
    deadline.callback = [&] {
        CHECK(f.loop->now() >= start + 3ms);
        const TimePoint now = f.loop->now();
        spend(1ms);
        CHECK(f.loop->now() == now);
    };
    f.loop->arm(deadline, start + 3ms);
    f.loop->run();
}

TEST_CASE("loop: a borrowed loop is given back as it was", "[loop]") {
    NativeLoop native(ev_loop_new(EVFLAG_AUTO));
    {
        Fixture f(native.get());
        CHECK(f.loop->native() == native.get());
        f.loop->do_not_sleep();
    }
    CHECK_FALSE(ev_run(native.get(), 0));
    ev_timer timer;
    ev_timer_init(&timer, count, 0., 0.);
    int calls = 0;
    timer.data = &calls;
    ev_timer_start(native.get(), &timer);
    CHECK_FALSE(ev_run(native.get(), 0));
    CHECK(calls == 1);
}
