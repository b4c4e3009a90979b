#include <hawser/reactor.hpp>

#include <signal.h>
#include <sys/wait.h>

#include <atomic>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <hawser/error.hpp>

#include "reactor/core.hpp"
#include "support/catch.hpp"
#include "support/child.hpp"
#include "support/error_of.hpp"
#include "support/loop_fixture.hpp"
#include "support/socket_pair.hpp"

using namespace hawser;
using Catch::Matchers::ContainsSubstring;
using support::error_of;
using support::SocketPair;
using support::status_of_child;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("reactor: what is posted runs on the reactor's thread in the order of posting", "[reactor]") {
    Reactor reactor;
    std::vector<int> order;
    reactor.post([&] {
        order.push_back(1);
        reactor.post([&] { order.push_back(3); });
    });
    reactor.post([&] { order.push_back(2); });
    reactor.run();
    CHECK(order == std::vector{1, 2, 3});
}

TEST_CASE("reactor: run() does not return before what was posted in its last callback has run", "[reactor]") {
    Reactor reactor;
    int calls = 0;
    SECTION("by the callback") {
        reactor.after(Seconds(0), [&] { reactor.post([&] { ++calls; }); });
    }
    SECTION("by another thread") {
        reactor.after(Seconds(0), [&] { std::thread([&] { reactor.post([&] { ++calls; }); }).join(); });
    }
    reactor.run();
    CHECK(calls == 1);
}

TEST_CASE("reactor: other threads post to a sleeping loop, each in its order, none lost", "[reactor]") {
    Reactor reactor;
    SocketPair pair;
    constexpr int posters = 4, posts = 500;
    std::vector<std::vector<int>> received(posters);
    int left = posters * posts;
    reactor.attach(pair.near(), Readiness::readable, [](Readiness) {});  // without which there is nothing to sleep for
    std::vector<std::thread> threads;
    for (int poster = 0; poster < posters; ++poster) {
        threads.emplace_back([&, poster] {
            for (int n = 0; n < posts; ++n) {
                reactor.post([&, poster, n] {
                    received[std::size_t(poster)].push_back(n);
                    if (--left == 0) reactor.detach(pair.near());
                });
            }
        });
    }
    reactor.run();
    for (auto& thread : threads) thread.join();
    std::vector<int> expected(posts);
    std::iota(expected.begin(), expected.end(), 0);
    for (const auto& one : received) CHECK(one == expected);
}

TEST_CASE("reactor: a posted function that throws does not lose the others", "[reactor]") {
    Reactor reactor;
    int calls = 0;
    reactor.post([] { throw std::runtime_error("posted"); });
    reactor.post([&] { ++calls; });
    CHECK_THROWS_WITH(reactor.run(), "posted");
    reactor.run();
    CHECK(calls == 1);
}

TEST_CASE("reactor: what is posted to a stopped reactor runs in the next run", "[reactor]") {
    Reactor reactor;
    int calls = 0;
    reactor.after(Seconds(0), [&] {
        reactor.stop();
        reactor.post([&] { ++calls; });
    });
    reactor.run();
    CHECK(calls == 0);
    reactor.run();
    CHECK(calls == 1);
}

TEST_CASE("reactor: stop() outside of run() is without effect", "[reactor]") {
    Reactor reactor;
    int calls = 0;
    reactor.after(Seconds(0), [&] { ++calls; });
    reactor.stop();
    reactor.run();
    CHECK(calls == 1);
}

TEST_CASE("reactor: run() and run_once() inside a callback are refused", "[reactor]") {
    Reactor reactor;
    std::vector<std::string> errors;
    const auto call = [&] {
        errors.push_back(error_of(Errc::reentrant, [&] { reactor.run(); }));
        errors.push_back(error_of(Errc::reentrant, [&] { reactor.run_once(); }));
    };
    SECTION("of the reactor that runs") {
        reactor.post(call);
        reactor.run();
    }
    SECTION("of the owner of the loop, when the reactor runs it") {
        const auto native = support::make_native_loop();
        Reactor borrower(native.get());
        std::function<void()> call_borrower = [&] {
            errors.push_back(error_of(Errc::reentrant, [&] { borrower.run(); }));
            errors.push_back(error_of(Errc::reentrant, [&] { borrower.run_once(); }));
        };
        ev_timer timer;
        ev_timer_init(
            &timer, [](struct ev_loop*, ev_timer* self, int) { (*static_cast<std::function<void()>*>(self->data))(); }, 0., 0.);
        timer.data = &call_borrower;
        ev_timer_start(native.get(), &timer);
        borrower.run();
    }
    SECTION("when the owner of the loop runs it") {
        const auto native = support::make_native_loop();
        {
            Reactor borrower(native.get());
            borrower.post([&] {
                errors.push_back(error_of(Errc::reentrant, [&] { borrower.run(); }));
                errors.push_back(error_of(Errc::reentrant, [&] { borrower.run_once(); }));
            });
            ev_run(native.get(), 0);
        }
    }
    REQUIRE(errors.size() == 2);
    CHECK_THAT(errors[0], ContainsSubstring("inside a callback"));
    CHECK(errors[0] == errors[1]);
    CHECK_NOTHROW(reactor.run());
}

TEST_CASE("reactor: run_once() tells whether anything is left to wait for", "[reactor]") {
    Reactor reactor;
    SocketPair pair;
    CHECK_FALSE(reactor.run_once());
    reactor.attach(pair.near(), Readiness::readable, [](Readiness) {});
    CHECK(reactor.run_once());
    reactor.detach(pair.near());
    CHECK_FALSE(reactor.run_once(Seconds(infinity)));
    reactor.post([&] { reactor.post([] {}); });
    CHECK(reactor.run_once());
    CHECK_FALSE(reactor.run_once());
    CHECK_THAT(error_of(Errc::invalid_option, [&] { reactor.run_once(Seconds(-1)); }), ContainsSubstring("-1 s"));
    CHECK_THAT(error_of(Errc::invalid_option, [&] { reactor.run_once(Seconds(not_a_number)); }), ContainsSubstring("nan"));
}

TEST_CASE("reactor: empty functions are refused", "[reactor]") {
    Reactor reactor;
    SocketPair pair;
    CHECK_THAT(error_of(Errc::invalid_option, [&] { reactor.post({}); }), ContainsSubstring("post()"));
    CHECK_THAT(error_of(Errc::invalid_option, [&] { reactor.after(Seconds(0), {}); }), ContainsSubstring("timer"));
    CHECK_THAT(error_of(Errc::invalid_option, [&] { reactor.every(Seconds(1), {}); }), ContainsSubstring("timer"));
    CHECK_THAT(error_of(Errc::invalid_option, [&] { reactor.attach(pair.near(), Readiness::readable, {}); }),
               ContainsSubstring("attach()"));
    CHECK_FALSE(reactor.run_once());
}

TEST_CASE("reactor: an attached descriptor calls until it is detached", "[reactor]") {
    Reactor reactor;
    SocketPair pair;
    int calls = 0;
    pair.feed();
    reactor.attach(pair.near(), Readiness::readable, [&](Readiness readiness) {
        CHECK(readiness == Readiness::readable);
        if (++calls == 3) CHECK(reactor.detach(pair.near()));
    });
    reactor.run();
    CHECK(calls == 3);
    CHECK_FALSE(reactor.detach(pair.near()));
}

TEST_CASE("reactor: attaching again replaces the callback, also while that runs", "[reactor]") {
    Reactor reactor;
    SocketPair pair;
    pair.feed();
    std::string heard;
    const std::string name = "a capture that has to live until the callback returns";
    reactor.attach(pair.near(), Readiness::readable, [&, name](Readiness) {
        reactor.attach(pair.near(), Readiness::writable, [&](Readiness readiness) {
            CHECK(readiness == Readiness::writable);
            heard += "second";
            reactor.detach(pair.near());
        });
        heard = name + ", ";
    });
    reactor.run();
    CHECK(heard == name + ", second");
}

TEST_CASE("reactor: what cannot be attached is refused, by name", "[reactor]") {
    Reactor reactor;
    SocketPair pair;
    const int descriptor = pair.near();
    const auto attach = [&](int number, Readiness interest) {
        return error_of(Errc::invalid_option, [&] { reactor.attach(number, interest, [](Readiness) {}); });
    };
    CHECK_THAT(attach(descriptor, Readiness::none), ContainsSubstring("descriptor " + std::to_string(descriptor)));
    CHECK_THAT(attach(-1, Readiness::readable), ContainsSubstring("descriptor -1"));
    pair.close_near();
    CHECK_THAT(attach(descriptor, Readiness::readable),
               ContainsSubstring("descriptor " + std::to_string(descriptor)) && ContainsSubstring("not open"));
    CHECK_FALSE(reactor.run_once());
}

TEST_CASE("reactor: a descriptor closed while attached neither aborts nor spins", "[reactor]") {
    Reactor reactor;
    SocketPair pair;
    const int descriptor = pair.near();
    int calls = 0;
    const auto callback = [&](Readiness) { ++calls; };
    reactor.attach(descriptor, Readiness::readable, callback);
    SECTION("before the loop saw it") {
        pair.close_near();
        CHECK_THAT(error_of(Errc::invalid_option, [&] { reactor.run(); }),
                   ContainsSubstring("descriptor " + std::to_string(descriptor) + " was closed"));
        CHECK_FALSE(reactor.detach(descriptor));
    }
    SECTION("after it") {
        reactor.run_once();
        pair.close_near();
        CHECK(reactor.run_once());
        CHECK(reactor.detach(descriptor));
        CHECK_FALSE(reactor.run_once());
    }
    SECTION("after it, and its number is taken and attached again") {
        reactor.run_once();
        pair.close_near();
        SocketPair other;
        REQUIRE(other.near() == descriptor);
        reactor.attach(descriptor, Readiness::readable, [&](Readiness) {
            ++calls;
            reactor.detach(descriptor);
        });
        other.feed();
        reactor.run();
        CHECK(calls == 1);
        calls = 0;
    }
    CHECK(calls == 0);
    CHECK_NOTHROW(reactor.run());
}

TEST_CASE("reactor: a descriptor that libev cannot go on watching is detached, and that is told", "[reactor]") {
    const auto native = support::make_native_loop(EVBACKEND_SELECT);
    {
        Reactor reactor(native.get());
        SocketPair pair;
        const int descriptor = pair.near();
        reactor.attach(descriptor, Readiness::readable, [](Readiness) {});
        reactor.run_once();
        pair.close_near();
        CHECK_THAT(error_of(Errc::invalid_option, [&] { reactor.run(); }), ContainsSubstring("descriptor " + std::to_string(descriptor)));
        CHECK_FALSE(reactor.detach(descriptor));
    }
}

TEST_CASE("reactor: an exception ends the run, the first of several is rethrown", "[reactor]") {
    Reactor reactor;
    SocketPair pair;
    pair.feed();
    reactor.attach(pair.near(), Readiness::readable, [&](Readiness) { throw std::runtime_error("descriptor"); });
    CHECK_THROWS_WITH(reactor.run(), "descriptor");
    CHECK_THROWS_WITH(reactor.run_once(), "descriptor");
    reactor.detach(pair.near());
    reactor.post([] { throw std::runtime_error("first"); });
    reactor.post([] { throw std::runtime_error("second"); });
    CHECK_THROWS_WITH(reactor.run(), "first");
    CHECK_NOTHROW(reactor.run());
}

TEST_CASE("reactor: on_exception takes the exceptions and the loop goes on", "[reactor]") {
    Reactor reactor;
    std::vector<std::string> taken;
    const auto take = [&](std::exception_ptr exception) {
        try {
            std::rethrow_exception(exception);
        } catch (const std::exception& error) {
            taken.emplace_back(error.what());
        }
    };
    reactor.on_exception([&](std::exception_ptr exception) {
        // A handler may replace itself.
        reactor.on_exception(take);
        take(exception);
    });
    reactor.post([] { throw std::runtime_error("first"); });
    reactor.post([] { throw std::runtime_error("second"); });
    CHECK_NOTHROW(reactor.run());
    CHECK(taken == std::vector<std::string>{"first", "second"});
    SECTION("what the handler throws is rethrown") {
        reactor.on_exception([](std::exception_ptr) { throw std::runtime_error("handler"); });
        reactor.post([] { throw std::runtime_error("posted"); });
        CHECK_THROWS_WITH(reactor.run(), "handler");
    }
    SECTION("without a handler it is rethrown again") {
        reactor.on_exception({});
        reactor.post([] { throw std::runtime_error("posted"); });
        CHECK_THROWS_WITH(reactor.run(), "posted");
    }
}

TEST_CASE("reactor: a borrowed loop runs the reactor, keeps its exception, and survives it", "[reactor]") {
    const auto native = support::make_native_loop();
    {
        Reactor reactor(native.get());
        CHECK(reactor.loop() == native.get());
        int calls = 0;
        reactor.after(Seconds(0), [&] { ++calls; });
        reactor.post([&] { ++calls; });
        ev_run(native.get(), 0);
        CHECK(calls == 2);
        reactor.post([] { throw std::runtime_error("kept"); });
        ev_run(native.get(), 0);
        CHECK_THROWS_WITH(reactor.rethrow(), "kept");
        CHECK_NOTHROW(reactor.rethrow());
    }
    CHECK_FALSE(ev_run(native.get(), EVRUN_NOWAIT));
}

TEST_CASE("reactor: nothing to borrow is refused", "[reactor]") {
    CHECK_THAT(error_of(Errc::invalid_option, [] { Reactor reactor(static_cast<struct ev_loop*>(nullptr)); }),
               ContainsSubstring("null ev_loop"));
    CHECK_THAT(error_of(Errc::invalid_option, [] { Reactor reactor(std::unique_ptr<reactor::Core>{}); }), ContainsSubstring("null core"));
}

TEST_CASE("reactor: after a fork the child's reactor is its own", "[reactor]") {
    Reactor reactor;
    SocketPair pair, closed;
    int calls = 0;
    reactor.attach(pair.near(), Readiness::readable, [&](Readiness) {
        ++calls;
        reactor.detach(pair.near());
    });
    reactor.attach(closed.near(), Readiness::readable, [](Readiness) {});
    reactor.run_once();
    const int status = status_of_child([&] {
        int posts = 0;
        int errors = 0;
        closed.close_near();  // libev would abort when it announces it anew
        reactor.after_fork();
        reactor.on_exception([&](std::exception_ptr) { ++errors; });
        reactor.post([&] { ++posts; });
        pair.feed();
        reactor.run();
        return calls == 1 && posts == 1 && errors == 1 ? 0 : 1;
    });
    CHECK(status == 0);
    // The child's detach has not silenced the parent.
    reactor.detach(closed.near());
    pair.feed();
    reactor.run();
    CHECK(calls == 1);
}

TEST_CASE("reactor: two reactors in two threads never meet", "[reactor]") {
    std::atomic<int> calls = 0;
    const auto work = [&] {
        Reactor reactor;
        for (int n = 0; n < 100; ++n) {
            reactor.post([&] { ++calls; });
            reactor.after(Seconds(0), [&] { ++calls; });
        }
        reactor.run();
    };
    std::thread other(work);
    work();
    other.join();
    CHECK(calls == 400);
}

#ifndef NDEBUG
TEST_CASE("reactor: debug builds assert that only its thread calls it, except for post()", "[reactor]") {
    const auto call_from_other_thread = [](auto call) {
        return status_of_child([&] {
            Reactor reactor;
            reactor.after(Seconds(0), [&] { std::thread([&] { call(reactor); }).join(); });
            reactor.run();
            return 0;
        });
    };
    const int status = call_from_other_thread([](Reactor& reactor) { reactor.after(Seconds(0), [] {}); });
    CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT));
    CHECK(call_from_other_thread([](Reactor& reactor) { reactor.post([] {}); }) == 0);
}
#endif

TEST_CASE("reactor: it may be destroyed in its own callback, which is its last", "[reactor]") {
    const support::NativeLoop native = GENERATE(false, true) ? support::make_native_loop() : nullptr;
    auto reactor = native ? std::make_unique<Reactor>(native.get()) : std::make_unique<Reactor>();
    int later = 0;
    const auto end = [&] {
        reactor.reset();
        ++later;
    };
    SECTION("a timer's") {
        reactor->after(Seconds(0), end);
        reactor->after(Seconds(0), end);
    }
    SECTION("what was posted") {
        reactor->post(end);
        reactor->post(end);
    }
    reactor->every(Seconds(0.001), [&] { reactor->now(); });
    if (native)
        ev_run(native.get(), 0);
    else
        reactor->run();
    CHECK(later == 1);
    CHECK_FALSE(reactor);
}
