#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

#include <hawser/configuration.hpp>
#include <hawser/export.hpp>
#include <hawser/message.hpp>

struct ev_loop;

namespace hawser {

class Connection;

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
/// thread (asserted unless the build is a release). It is to outlive the endpoints that use it: those that are left end with it.
class HAWSER_API Reactor {
public:
    /// Makes a loop of its own, which takes no signals.
    Reactor();
    /// Borrows a loop, which must outlive the reactor and is never destroyed by it; whoever runs it runs the reactor. It may be run inside
    /// a callback too (libev's ev_run is recursive): the others are served there, and the connection whose callback it is afterwards.
    explicit Reactor(struct ev_loop* loop);
    /// For tests: a reactor over a loop that is not libev's.
    explicit Reactor(std::unique_ptr<reactor::Core> core);
    /// In a callback of its own too, which is then its last: run() returns behind it.
    ~Reactor();
    Reactor(const Reactor&) = delete;
    Reactor& operator=(const Reactor&) = delete;

    /// Runs until stop(), or until nothing is left to wait for. An exception that leaves a callback which belongs to no connection ends
    /// it and is rethrown here; see on_exception(). Throws `Errc::reentrant` when called inside a callback.
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

    /// Takes an exception that has left a callback, and the connection that it belongs to, or null.
    using OnException = std::function<void(std::exception_ptr, Connection*)>;
    /// Shows `handler` each exception that leaves a callback. The loop goes on when it returns, and is broken by what it throws, that
    /// exception perhaps.
    ///
    /// One that leaves a callback or middleware of a connection closes that with 1011 in any case, and is told to on_error behind this
    /// (`Errc::callback_failed`); without a handler the loop goes on. One that leaves any other callback (a timer, what was posted or
    /// attached, an endpoint's tick, on_error without a connection) breaks the loop without a handler: it is rethrown by run(), or, when
    /// the owner of a borrowed loop runs that himself, kept for rethrow().
    void on_exception(OnException handler);
    /// As above, for a handler that does not ask which connection it was.
    template <std::invocable<std::exception_ptr> Handler>
    void on_exception(Handler handler) {
        std::function<void(std::exception_ptr)> function(std::move(handler));
        if (!function) return on_exception(OnException());
        on_exception(OnException([function = std::move(function)](std::exception_ptr exception, Connection*) { function(exception); }));
    }
    /// Throws the exception that was kept, if any.
    void rethrow();

    /// Time of the loop's present iteration.
    TimePoint now() const noexcept;
    /// The loop itself, own or borrowed.
    struct ev_loop* loop() const noexcept;
    /// To be called in the child after fork(), before the loop runs there. A child that does not go on with it just drops what it
    /// inherited, which has no effect on its parent's connections and files.
    void after_fork();

    /// For the library's own use.
    reactor::Core& core() noexcept { return *core_; }

private:
    std::shared_ptr<reactor::Core> core_;
};

}  // namespace hawser
