#pragma once

#include <ev.h>

#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include <hawser/reactor.hpp>

namespace hawser::reactor {

class Loop;

/// One descriptor's readiness. Embedded in what owns the descriptor; stop it before the descriptor is closed. It is libev's
/// watcher, since an idle connection has one.
class Io : private ev_io {
public:
    explicit Io(Loop* loop = nullptr) noexcept;
    Io(const Io&) = delete;
    Io& operator=(const Io&) = delete;

    /// The descriptor is ready. May destroy the Io. When the loop could not go on watching it, interest() is none.
    virtual void on_ready(Readiness readiness) = 0;

    int descriptor() const noexcept { return fd; }
    Readiness interest() const noexcept { return Readiness(unsigned(events & (EV_READ | EV_WRITE))); }

protected:
    ~Io() = default;
    /// The one that was given to the constructor, or watches it.
    Loop& loop() const noexcept { return *static_cast<Loop*>(data); }

private:
    friend class Loop;
    friend class EvLoop;
};

/// Why the loop could not go on watching: the kernel had no room to note another descriptor (epoll_ctl's ENOMEM and ENOSPC).
inline std::error_code no_longer_watched() noexcept { return std::make_error_code(std::errc::not_enough_memory); }

/// One point in time. Embedded in what waits for it. Re-armed lazily: moving it later costs nothing until it fires.
class Deadline {
public:
    Deadline() noexcept = default;
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;

    /// The time has come; the deadline is no longer armed. May destroy the Deadline.
    virtual void on_deadline() = 0;

    /// When it fires; TimePoint::max() when it is not armed.
    TimePoint at() const noexcept { return at_; }

protected:
    ~Deadline() = default;

private:
    friend class Loop;
    friend class DeadlineHeap;
    static constexpr std::uint32_t unplaced = UINT32_MAX;
    TimePoint at_ = TimePoint::max();
    std::uint32_t place_ = unplaced;  // in a DeadlineHeap
};

/// What happens around a loop's sleep: implemented by Core.
class LoopHooks {
public:
    /// The loop is about to wait for events.
    virtual void before_sleep() = 0;
    /// wake() was called, from whatever thread.
    virtual void on_wake() = 0;
    /// An exception is on its way out of a callback; called in the handler, so that `throw;` rethrows it.
    virtual void on_callback_exception() noexcept = 0;

protected:
    ~LoopHooks() = default;
};

/// A source of events: libev, or the simulation's. The one seam between the library and the outer world's time.
class Loop {
public:
    virtual ~Loop() = default;

    /// Watches for `interest` from now on; `none` stops, and must come before the descriptor is closed.
    virtual void watch(Io& io, int descriptor, Readiness interest) = 0;
    /// Fires once at `at` or soon after, never before. TimePoint::max() disarms.
    virtual void arm(Deadline& deadline, TimePoint at) = 0;
    /// The time now, read afresh.
    virtual TimePoint fresh_now() const noexcept = 0;

    /// Runs until stop(), or until nothing is left to wait for: then it returns false.
    virtual bool run() = 0;
    /// One iteration, which waits at most `wait`. True while anything is left to wait for.
    virtual bool run_once(Seconds wait) = 0;
    /// Ends run() or run_once() after the callback under way; what else is ready is served by the next.
    virtual void stop() noexcept = 0;
    /// Has on_wake() called by the loop's thread. From any thread.
    virtual void wake() noexcept = 0;
    /// Does not sleep in the next iteration.
    virtual void do_not_sleep() noexcept = 0;
    virtual void after_fork() = 0;
    /// Keeps this loop's owner until the outermost callback under way has returned, or for good where that would not do.
    virtual void keep(std::shared_ptr<void> owner) {
        keeper_ = std::move(owner);
        --depth_;
    }
    /// Nothing is watched or armed any more: leaves what it has borrowed as it was, and does not use it again.
    virtual void end() noexcept {}
    /// libev's loop, or null.
    virtual struct ev_loop* native() const noexcept = 0;

    /// Time of the present iteration.
    TimePoint now() const noexcept { return now_; }
    /// The same by the wall clock.
    Timestamp wall_clock() const noexcept { return wall_clock_; }
    /// For work outside of an iteration, which may come long after the last one.
    virtual void update_now() noexcept = 0;
    /// A callback of this loop is under way.
    bool is_dispatching() const noexcept { return depth_ > 0 || keeper_; }
    /// To be called before the loop runs; `hooks` outlive it, or its last run.
    void set_hooks(LoopHooks* hooks) noexcept { hooks_ = hooks; }

protected:
    LoopHooks* hooks_ = nullptr;
    TimePoint now_{};
    Timestamp wall_clock_{};

    // Callbacks are under way, within others' perhaps. Behind the outermost one the loop may be gone.
    class Dispatching {
    public:
        explicit Dispatching(Loop& loop) noexcept : loop_(loop) { ++loop_.depth_; }
        ~Dispatching() {
            if (--loop_.depth_ < 0) loop_.let_go();
        }
        Dispatching(const Dispatching&) = delete;
        Dispatching& operator=(const Dispatching&) = delete;

    private:
        Loop& loop_;
    };

    // Every callback goes through here: nothing may be thrown through libev.
    template <typename Callback>
    void dispatch(Callback&& callback) noexcept {
        const Dispatching dispatching(*this);
        try {
            callback();
        } catch (...) {
            hooks_->on_callback_exception();
        }
    }

    // What an implementation writes of the watchers it is given.
    static void set(Io& io, int descriptor, Readiness interest) noexcept { io.fd = descriptor, io.events = int(interest); }
    static void set(Deadline& deadline, TimePoint at) noexcept { deadline.at_ = at; }

private:
    void let_go() noexcept {
        depth_ = 0;
        const std::shared_ptr<void> last = std::move(keeper_);
    }

    int depth_ = 0;                 // of callbacks; one less while the owner is kept, so that it ends below 0
    std::shared_ptr<void> keeper_;  // the owner, when it is to go behind the outermost callback
};

/// libev's loop: a new one, or `borrowed`.
std::unique_ptr<Loop> make_ev_loop(struct ev_loop* borrowed = nullptr);
/// Of the libev that is loaded: "4.33".
std::string libev_version();

}  // namespace hawser::reactor
