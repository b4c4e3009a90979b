#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "reactor/loop.hpp"
#include "types/buffer.hpp"
#include "types/entropy.hpp"

namespace hawser {
class PreparedMessage;
}

namespace hawser::reactor {

/// Work put off to the moment before the loop sleeps.
class Deferred {
public:
    virtual void run_deferred() = 0;

protected:
    ~Deferred() = default;
};

/// One who has turns, which use the reactor's buffers.
class TurnTaker {
public:
    /// Another's turn begins within this one, or has ended: until then the cork buffer is the other's.
    virtual void set_interrupted(bool interrupted) noexcept = 0;

protected:
    ~TurnTaker() = default;
};

/// Lives by a reactor, which it may outlive: hears of its end, and uses nothing of it from then on.
class Dependent {
public:
    virtual void on_reactor_end() noexcept = 0;

protected:
    ~Dependent() = default;
};

/// What the connections of one reactor share: the receive buffer, the cork buffer, entropy, and the list of those
/// that have something to do before the loop sleeps. One thread's; only post() is for all. What uses it in its calls shares it: behind
/// end() it is quiet, and nothing of the loop is used.
class Core final : private LoopHooks, public std::enable_shared_from_this<Core> {
public:
    explicit Core(std::unique_ptr<Loop> loop);
    ~Core();
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    /// The public class in front of this; null until there is one.
    Reactor& reactor() const noexcept { return *reactor_; }
    void set_reactor(Reactor& reactor) noexcept { reactor_ = &reactor; }
    Loop& loop() noexcept { return *loop_; }
    /// Who is to hear of the end, until he leaves.
    void enter(Dependent& dependent) { dependents_.insert(&dependent); }
    void leave(Dependent& dependent) noexcept { dependents_.erase(&dependent); }
    /// Ends what depends on it, drops what it keeps, and leaves the loop; in a callback too, behind which run() returns.
    void end() noexcept;
    TimePoint now() const noexcept { return loop_->now(); }
    TimePoint fresh_now() const noexcept { return loop_->fresh_now(); }
    Timestamp wall_clock() const noexcept { return loop_->wall_clock(); }

    /// The turn of one who uses the buffers. Within another's turn, whose callback runs the loop, it has a receive buffer of its own: what
    /// the other was shown stays as it is.
    class Turn {
    public:
        Turn(Core& core, TurnTaker& taker) : core_(core), before_(core.taker_) {
            if (before_) interrupt();
            core.taker_ = &taker;
        }
        ~Turn() {
            core_.taker_ = before_;
            if (before_) resume();
        }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;

    private:
        void interrupt();
        void resume() noexcept;
        Core& core_;
        TurnTaker* before_;
    };

    /// Where every connection reads into; its content is gone with the next read.
    std::span<char> receive_buffer() noexcept { return {receive_buffer_.get(), receive_buffer_size}; }
    /// Where the connection whose event is handled collects small frames.
    std::span<char> cork_buffer() noexcept { return {cork_buffer_.get(), cork_buffer_size}; }
    Entropy& entropy() noexcept { return *entropy_; }
    /// Replaces the source of randomness, for repeatable simulations.
    void set_entropy(std::unique_ptr<Entropy> entropy) noexcept { entropy_ = std::move(entropy); }

    /// Calls `work` once before the loop sleeps, or before run() or run_once() returns; keeps it alive until then.
    /// What is deferred meanwhile runs too.
    void defer(std::shared_ptr<Deferred> work);
    /// Runs what is deferred now, for those who cannot wait for the loop. Also from within deferred work.
    void run_deferred();

    /// Calls `function`; an exception goes to on_exception, or breaks the loop and is kept for run().
    template <typename Function>
    void guard(Function&& function) noexcept {
        try {
            function();
        } catch (...) {
            on_callback_exception();
        }
    }
    /// Shows on_exception, if there is one, what left a callback of `connection`. Breaks the loop only if that throws.
    void show_exception(const std::exception_ptr& exception, Connection& connection) noexcept;
    /// An exception has broken the loop's present iteration: callbacks should not go on.
    bool is_interrupted() const noexcept { return is_interrupted_; }
    /// Inside run(), run_once() or run_deferred().
    bool is_running() const noexcept { return running_; }

    void run();
    bool run_once(Seconds wait);
    void stop() noexcept { loop_->stop(); }
    void post(std::function<void()> function);
    /// Calls `function` after `delay`, and then each `repeat` unless that is 0.
    TimerId start_timer(Seconds delay, Seconds repeat, std::function<void()> function);
    bool cancel(TimerId timer) noexcept;
    void attach(int descriptor, Readiness interest, std::function<void(Readiness)> callback);
    bool detach(int descriptor) noexcept;
    void on_exception(Reactor::OnException handler);
    void rethrow();
    void after_fork();
    /// Debug builds: if the loop runs, it is the calling thread that runs it.
    void assert_owner() const noexcept;

    /// Objects that outlive the endpoint that left them here, by key: persistent connections.
    std::multimap<std::string, std::shared_ptr<void>>& parked() noexcept { return parked_; }

    /// The message that a call under way sends to one connection after the other; null outside of such a call.
    const PreparedMessage*& prepared() noexcept { return prepared_; }

    /// A block of memory that long messages leave to each other; gone when none is under way.
    std::weak_ptr<Buffer>& spare() noexcept { return spare_; }

    /// What the connections share to compress with; left here by the first that needs it.
    std::shared_ptr<void>& codecs() noexcept { return codecs_; }

    /// What its TLS endpoints share; left here by the first that needs it.
    std::shared_ptr<void>& tls() noexcept { return tls_; }

    /// Holds a message of 64 KiB with its header; what is longer is better received where it is to lie.
    static constexpr std::size_t receive_buffer_size = 64 * 1024 + 64;
    static constexpr std::size_t cork_buffer_size = 256 * 1024 + 64;

private:
    class Timer;
    class Watch;
    class Running;

    void break_loop(std::exception_ptr exception) noexcept;
    void before_sleep() override;
    void on_wake() override;
    void on_callback_exception() noexcept override;
    bool has_work();
    std::size_t posted_count();
    std::function<void()> take_posted();
    void flush();
    void reject_closed_descriptors();

    Reactor* reactor_ = nullptr;
    std::unique_ptr<Loop> loop_;
    std::unique_ptr<char[]> receive_buffer_;
    std::unique_ptr<char[]> cork_buffer_;
    TurnTaker* taker_ = nullptr;                  // whose turn it is
    std::vector<std::unique_ptr<char[]>> aside_;  // receive buffers of the turns that it interrupts
    std::unique_ptr<Entropy> entropy_;
    std::set<Dependent*> dependents_;
    std::vector<std::shared_ptr<Deferred>> deferred_;
    std::size_t deferred_done_ = 0;  // how many of deferred_ have been taken out by the run under way
    std::map<TimerId, std::shared_ptr<Timer>> timers_;
    std::map<int, std::shared_ptr<Watch>> watches_;
    std::vector<int> unchecked_descriptors_;  // those the kernel will hear of in the next iteration
    TimerId last_timer_ = 0;
    std::multimap<std::string, std::shared_ptr<void>> parked_;
    std::shared_ptr<void> codecs_;
    std::shared_ptr<void> tls_;
    std::weak_ptr<Buffer> spare_;
    const PreparedMessage* prepared_ = nullptr;
    Reactor::OnException exception_handler_;
    std::exception_ptr exception_;
    bool is_interrupted_ = false;
    bool is_over_ = false;
    bool running_ = false;
    std::atomic<std::thread::id> owner_{};  // set while the loop runs
    std::mutex posted_mutex_;
    std::deque<std::function<void()>> posted_;
};

}  // namespace hawser::reactor
