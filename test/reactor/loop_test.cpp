#include "reactor/loop.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/child.hpp"
#include "support/descriptors.hpp"
#include "support/loop_fixture.hpp"
#include "support/socket_pair.hpp"

using namespace hawser;
using namespace hawser::reactor;
using support::SocketPair;
using support::spend;
using support::TestDeadline;
using support::TestIo;
using Fixture = support::LoopFixture;
using namespace std::chrono_literals;

namespace {

constexpr Seconds unbounded{std::numeric_limits<double>::infinity()};

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

TEST_CASE("loop: its own loop does not look at libev's environment variable", "[loop]") {
    setenv("LIBEV_FLAGS", std::to_string(EVBACKEND_SELECT).c_str(), 1);
    Fixture f;
    unsetenv("LIBEV_FLAGS");
    CHECK(ev_backend(f.loop->native()) == ev_backend(Fixture().loop->native()));
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
    // Made and read outside of the limit: UBSan needs a pipe when it looks at an object of a class it has not met.
    std::error_code expected;
    try {
        throw std::system_error(EMFILE, std::generic_category(), "met before");
    } catch (const std::system_error& error) {
        expected = error.code();
    }
    std::exception_ptr thrown;
    setrlimit(RLIMIT_NOFILE, &low);
    try {
        const auto loop = make_ev_loop();
    } catch (...) {
        thrown = std::current_exception();
    }
    setrlimit(RLIMIT_NOFILE, &limit);
    REQUIRE(thrown);
    try {
        std::rethrow_exception(thrown);
    } catch (const std::system_error& error) {
        CHECK(error.code() == expected);
    }
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
    auto pair = std::make_unique<SocketPair>();
    TestIo io(*f.loop);
    int calls = 0;
    io.callback = [&](Readiness) { ++calls; };
    const int number = pair->near();
    f.loop->watch(io, number, Readiness::readable);
    f.loop->run_once(Seconds(0));
    f.loop->watch(io, number, Readiness::none);
    pair.reset();
    pair = std::make_unique<SocketPair>();
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
    const auto native = support::make_native_loop(EVBACKEND_SELECT);
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

TEST_CASE("loop: stop ends the run after the callback under way, and the next run serves the rest", "[loop]") {
    Fixture f;
    SocketPair first, second;
    first.feed();
    second.feed();
    TestIo a(*f.loop), b(*f.loop);
    TestDeadline c(*f.loop), d(*f.loop);
    int calls = 0;
    a.callback = b.callback = [&](Readiness) {
        ++calls;
        f.loop->stop();
    };
    c.callback = d.callback = [&] {
        ++calls;
        f.loop->stop();
    };
    f.loop->watch(a, first.near(), Readiness::readable);
    f.loop->watch(b, second.near(), Readiness::readable);
    f.loop->arm(c, f.loop->fresh_now());
    f.loop->arm(d, f.loop->fresh_now());
    spend(1ms);
    for (int run = 1; run <= 4; ++run) {
        CHECK(f.loop->run());
        CHECK(calls == run);
    }
}

TEST_CASE("loop: a wake-up that meets a stopped loop is kept for the next run", "[loop]") {
    const auto native = support::make_native_loop();
    Fixture f(native.get());
    // The owner's timer, of the highest priority, comes before all of ours.
    ev_timer stopper;
    ev_timer_init(
        &stopper, [](struct ev_loop*, ev_timer* timer, int) { static_cast<Loop*>(timer->data)->stop(); }, 0., 0.);
    ev_set_priority(&stopper, EV_MAXPRI);
    stopper.data = f.loop.get();
    ev_timer_start(native.get(), &stopper);
    spend(1ms);
    f.loop->wake();
    CHECK(f.loop->run());
    CHECK(f.hooks.wakes == 0);
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
        f.loop->arm(deadline, f.loop->fresh_now());
        throw std::runtime_error("io");
    };
    deadline.callback = [] { throw std::runtime_error("deadline"); };
    f.hooks.on_sleep = [&] {
        if (f.hooks.sleeps == 1) throw std::runtime_error("sleep");
    };
    f.loop->watch(io, pair.near(), Readiness::readable);
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
    TestDeadline sleeper(*f.loop);
    bool has_slept = false;
    sleeper.callback = [&] { has_slept = true; };
    f.loop->arm(sleeper, f.loop->fresh_now() + 30s);
    f.loop->do_not_sleep();
    CHECK(f.loop->run_once(unbounded));
    f.hooks.on_sleep = [&] { f.loop->do_not_sleep(); };
    CHECK(f.loop->run_once(unbounded));
    CHECK(f.hooks.sleeps == 2);
    CHECK_FALSE(has_slept);
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

TEST_CASE("loop: what the owner of a borrowed loop does before the sleep comes first, what after it finds the time set", "[loop]") {
    const auto native = support::make_native_loop();
    struct Owner {
        Fixture* f = nullptr;
        int sleeps_before = -1;
        TimePoint now{};
    } owner;
    ev_prepare prepare;
    ev_prepare_init(&prepare, [](struct ev_loop*, ev_prepare* self, int) {
        auto& of = *static_cast<Owner*>(self->data);
        if (of.sleeps_before < 0) of.sleeps_before = of.f->hooks.sleeps;
    });
    ev_timer timer;
    ev_timer_init(
        &timer,
        [](struct ev_loop*, ev_timer* self, int) {
            auto& of = *static_cast<Owner*>(self->data);
            of.now = of.f->loop->now();
        },
        0.003, 0.);
    ev_set_priority(&timer, EV_MAXPRI);
    prepare.data = timer.data = &owner;
    ev_prepare_start(native.get(), &prepare);
    Fixture f(native.get());
    owner.f = &f;
    ev_now_update(native.get());
    const TimePoint start = f.loop->fresh_now();
    ev_timer_start(native.get(), &timer);
    f.loop->run_once(unbounded);
    CHECK(owner.sleeps_before == 0);
    CHECK(owner.now >= start + 2ms);
    ev_prepare_stop(native.get(), &prepare);
}

TEST_CASE("loop: after a fork the child's wake-ups are not its parent's", "[loop]") {
    const auto before = descriptors_in_use();
    Fixture f;
    int waker = -1;
    for (const int descriptor : descriptors_in_use()) {
        const auto link = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor));
        if (!before.contains(descriptor) && link == "anon_inode:[eventfd]") waker = descriptor;
    }
    REQUIRE(waker >= 0);
    const int status = support::status_of_child([&] {
        f.loop->after_fork();
        f.loop->run_once(Seconds(0));
        return eventfd_write(waker, 1);
    });
    CHECK(status == 0);
    pollfd poll_waker{waker, POLLIN, 0};
    CHECK(poll(&poll_waker, 1, 0) == 0);
}

TEST_CASE("loop: a borrowed loop is given back as it was", "[loop]") {
    const auto native = support::make_native_loop();
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
