#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>

#include <hawser/configuration.hpp>
#include <hawser/export.hpp>
#include <hawser/message.hpp>

struct ev_loop;

namespace hawser {

namespace reactor {
class Core;
}

/// Monotonic time.
using TimePoint = std::chrono::steady_clock::time_point;

/// Names a timer, to cancel it. Never reused; 0 names none.
using TimerId = std::uint64_t;

/// What a descriptor is ready for, or is to be watched for.
enum class Readiness : unsigned {
    none = 0,      ///< for nothing
    readable = 1,  ///< bytes, a connection to accept, or the end
    writable = 2,  ///< room for bytes, or an attempt to connect has ended
    both = 3,      ///< for either
};

/// One thread's event loop over libev, own or borrowed. Not thread-safe: `post` is the only call allowed from another
/// thread (asserted unless the build is a release). It must outlive the endpoints that use it.
class HAWSER_API Reactor {
public:
    /// Makes a loop of its own, which takes no signals.
    Reactor();
    /// Borrows a loop, which must outlive the reactor and is never destroyed by it; whoever runs it runs the reactor.
    explicit Reactor(struct ev_loop* loop);
    /// For tests: a reactor over a loop that is not libev's.
    explicit Reactor(std::unique_ptr<reactor::Core> core);
    ~Reactor();
    Reactor(const Reactor&) = delete;
    Reactor& operator=(const Reactor&) = delete;

    /// Runs until stop(), or until nothing is left to wait for. An exception that leaves a callback ends it and is
    /// rethrown here. Throws `Errc::reentrant` when called inside a callback.
    void run();
    /// Waits at most `wait` for events and handles those that are there; returns whether anything is left to wait for.
    bool run_once(Seconds wait = Seconds(0));
    /// Makes run() return after the callback under way; called outside of run(), without effect.
    void stop() noexcept;

    /// Calls `function` on the reactor's thread, in the order of posting. From any thread, also from a callback.
    void post(std::function<void()> function);
    /// Calls `function` once, after `delay`, which is measured from now even inside a long callback.
    TimerId after(Seconds delay, std::function<void()> function);
    /// Calls `function` again and again, at least `interval` apart. `interval` is more than 0.
    TimerId every(Seconds interval, std::function<void()> function);
    /// False when there is no such timer (any more). A timer may cancel itself.
    bool cancel(TimerId timer) noexcept;

    /// Calls `callback` whenever the descriptor is ready. One callback a descriptor: attaching again replaces it.
    /// Detach a descriptor before you close it.
    void attach(int descriptor, Readiness interest, std::function<void(Readiness)> callback);
    /// False when the descriptor is not attached.
    bool detach(int descriptor) noexcept;

    /// Takes the exceptions that leave callbacks. Without it the loop is broken and the exception is rethrown by run(),
    /// or, when the owner of a borrowed loop runs that himself, kept for rethrow().
    void on_exception(std::function<void(std::exception_ptr)> handler);
    /// Throws the exception that was kept, if any.
    void rethrow();

    /// Time of the loop's present iteration.
    TimePoint now() const noexcept;
    /// The loop itself, own or borrowed.
    struct ev_loop* loop() const noexcept;
    /// To be called in the child after fork(), before the loop runs there.
    void after_fork();

    /// For the library's own use.
    reactor::Core& core() noexcept { return *core_; }

private:
    std::unique_ptr<reactor::Core> core_;
};

}  // namespace hawser
