#include "reactor/core.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cassert>
#include <cmath>

#include <hawser/error.hpp>

#include "types/time.hpp"

namespace hawser::reactor {
namespace {

// Deferred work that goes on deferring must not keep the loop from its events.
constexpr int deferred_rounds = 16;

// A century: what is later would leave the range of TimePoint.
constexpr Seconds longest_delay{100 * 365.25 * 86400};

bool is_open(int descriptor) noexcept { return fcntl(descriptor, F_GETFD) >= 0; }

[[noreturn]] void reject(std::string what) { throw Error(Errc::invalid_option, std::move(what)); }

template <typename Signature>
void require(const std::function<Signature>& function, const char* call) {
    if (!function) reject(std::string(call) + " was given an empty function");
}

/// Drops timers or watches, one whose callback is under way too: it does not call again in a loop that this runs.
template <typename Entries>
void drop_stopped(Entries& entries) {
    const Entries dropped = std::exchange(entries, {});
    for (const auto& [key, entry] : dropped) entry->stop();
}

}  // namespace

// Forbids run() inside run().
class Core::Running {
public:
    explicit Running(Core& core) : core_(core) {
        if (core.running_ || core.loop_->is_dispatching()) {
            throw Error(Errc::reentrant,
                        "run() or run_once() was called inside a callback of the same reactor: call it when that has returned");
        }
        core.running_ = true;
        core.owner_ = std::this_thread::get_id();
    }
    ~Running() {
        core_.running_ = false;
        core_.owner_ = std::thread::id();
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

private:
    Core& core_;
};

class Core::Timer final : public Deadline {
public:
    Timer(Core& core, TimerId id, Seconds repeat, std::function<void()> function)
        : core_(core), id_(id), repeat_(repeat), function_(std::move(function)) {}
    ~Timer() { stop(); }

    void stop() { core_.loop().arm(*this, TimePoint::max()); }
    void arm(Seconds delay) { core_.loop().arm(*this, later(core_.fresh_now(), std::min(delay, longest_delay))); }

private:
    void on_deadline() override {
        const auto entry = core_.timers_.find(id_);
        // The function may cancel its timer.
        const std::shared_ptr<Timer> self = entry->second;
        if (repeat_ > Seconds(0)) {
            arm(repeat_);
        } else {
            core_.timers_.erase(entry);
        }
        function_();
    }

    Core& core_;
    const TimerId id_;
    const Seconds repeat_;
    const std::function<void()> function_;
};

class Core::Watch final : public Io {
public:
    Watch(Core& core, std::function<void(Readiness)> callback) : core_(core), callback_(std::move(callback)) {}
    ~Watch() { stop(); }

    void start(int descriptor, Readiness interest) { core_.loop().watch(*this, descriptor, interest); }
    void stop() { core_.loop().watch(*this, descriptor(), Readiness::none); }

private:
    void on_ready(Readiness readiness) override {
        const auto entry = core_.watches_.find(descriptor());
        // The callback may detach or replace itself.
        const std::shared_ptr<Watch> self = entry->second;
        if (interest() == Readiness::none) {
            core_.watches_.erase(entry);
            reject("descriptor " + std::to_string(descriptor()) + " cannot be watched any longer: if it was closed, detach it before that");
        }
        callback_(readiness);
    }

    Core& core_;
    const std::function<void(Readiness)> callback_;
};

Core::Core(std::unique_ptr<Loop> loop)
    : loop_(std::move(loop)),
      receive_buffer_(std::make_unique_for_overwrite<char[]>(receive_buffer_size)),
      cork_buffer_(std::make_unique_for_overwrite<char[]>(cork_buffer_size)),
      entropy_(system_entropy()) {
    loop_->set_hooks(this);
}

void Core::Turn::interrupt() {
    auto fresh = std::make_unique_for_overwrite<char[]>(receive_buffer_size);
    core_.aside_.push_back(std::move(core_.receive_buffer_));
    core_.receive_buffer_ = std::move(fresh);
    before_->set_interrupted(true);
}

void Core::Turn::resume() noexcept {
    core_.receive_buffer_ = std::move(core_.aside_.back());
    core_.aside_.pop_back();
    before_->set_interrupted(false);
}

Core::~Core() { end(); }

void Core::end() noexcept {
    is_over_ = true;
    while (!dependents_.empty()) (*dependents_.begin())->on_reactor_end();
    // What is dropped here may on its way out cancel, detach or defer, and needs the loop for that.
    while (!parked_.empty() || !deferred_.empty() || !posted_.empty() || !timers_.empty() || !watches_.empty()) {
        std::exchange(parked_, {}).clear();
        std::exchange(deferred_, {}).clear();
        deferred_done_ = 0;
        std::exchange(posted_, {}).clear();
        drop_stopped(timers_);
        drop_stopped(watches_);
    }
    exception_handler_ = nullptr;
    // Not the loop that another runs.
    if (owner_.load() != std::thread::id()) loop_->stop();
    loop_->end();
}

void Core::defer(std::shared_ptr<Deferred> work) { deferred_.push_back(std::move(work)); }

void Core::run_deferred() {
    if (!running_ && !loop_->is_dispatching()) loop_->update_now();
    // What it calls is called back, whoever asked for it.
    const bool was_running = std::exchange(running_, true);
    // By index, as the work may defer more, or come here itself: then it goes on where this has come to.
    for (std::size_t left = deferred_.size() - deferred_done_; left > 0 && deferred_done_ < deferred_.size(); --left) {
        const std::shared_ptr<Deferred> work = std::move(deferred_[deferred_done_++]);
        guard([&] { work->run_deferred(); });
    }
    deferred_.erase(deferred_.begin(), deferred_.begin() + std::ptrdiff_t(deferred_done_));
    deferred_done_ = 0;
    running_ = was_running;
}

void Core::flush() {
    for (int round = 0; round < deferred_rounds && !deferred_.empty(); ++round) run_deferred();
}

void Core::before_sleep() {
    // The owner of a borrowed loop may run it on without a rethrow().
    is_interrupted_ = false;
    flush();
    if (!deferred_.empty()) loop_->do_not_sleep();
    reject_closed_descriptors();
}

// libev aborts the process when the kernel refuses a descriptor as closed, which it asks right after this.
void Core::reject_closed_descriptors() {
    while (!unchecked_descriptors_.empty()) {
        const int descriptor = unchecked_descriptors_.back();
        unchecked_descriptors_.pop_back();
        if (is_open(descriptor) || !detach(descriptor)) continue;
        guard([&] { reject("descriptor " + std::to_string(descriptor) + " was closed while it was attached: detach it before that"); });
    }
}

void Core::run() {
    const Running running(*this);
    rethrow();
    while (!loop_->run() && has_work()) {
    }
    flush();
    rethrow();
}

bool Core::run_once(Seconds wait) {
    if (std::isnan(wait.count()) || wait < Seconds(0)) reject("run_once() cannot wait for " + seconds_text(wait));
    const Running running(*this);
    rethrow();
    // What the caller waits for may be what deferred work brings about: then the loop must not sleep on it.
    const bool has_deferred = !deferred_.empty();
    loop_->update_now();
    flush();
    rethrow();
    const bool is_anything_left = loop_->run_once(has_deferred ? Seconds(0) : wait);
    flush();
    rethrow();
    return is_anything_left || has_work();
}

bool Core::has_work() { return posted_count() != 0 || !deferred_.empty(); }

void Core::post(std::function<void()> function) {
    require(function, "post()");
    {
        const std::lock_guard lock(posted_mutex_);
        posted_.push_back(std::move(function));
    }
    loop_->wake();
}

// One by one, since a function may run a borrowed loop: then the others follow there, in their order.
void Core::on_wake() {
    for (std::size_t left = posted_count(); left > 0; --left) {
        const std::function<void()> function = take_posted();
        if (function && !is_over_) guard(function);
    }
}

std::size_t Core::posted_count() {
    const std::lock_guard lock(posted_mutex_);
    return posted_.size();
}

std::function<void()> Core::take_posted() {
    const std::lock_guard lock(posted_mutex_);
    if (posted_.empty()) return {};
    std::function<void()> function = std::move(posted_.front());
    posted_.pop_front();
    return function;
}

TimerId Core::start_timer(Seconds delay, Seconds repeat, std::function<void()> function) {
    require(function, "a timer");
    if (!std::isfinite(delay.count()) || delay < Seconds(0)) {
        reject("a timer cannot be started with a delay of " + seconds_text(delay) + ": give a number of seconds of at least 0");
    }
    const TimerId id = ++last_timer_;
    const auto timer = std::make_shared<Timer>(*this, id, repeat, std::move(function));
    timers_.emplace(id, timer);
    timer->arm(delay);
    return id;
}

bool Core::cancel(TimerId timer) noexcept {
    const auto node = timers_.extract(timer);
    if (!node) return false;
    // Not only when the callback under way returns: that may run the loop.
    node.mapped()->stop();
    return true;
}

void Core::attach(int descriptor, Readiness interest, std::function<void(Readiness)> callback) {
    require(callback, "attach()");
    const std::string name = "descriptor " + std::to_string(descriptor);
    if (interest == Readiness::none) reject(name + " cannot be attached for no readiness at all: detach it instead");
    if (!is_open(descriptor)) reject(name + " cannot be attached: it is not open");
    const auto watch = std::make_shared<Watch>(*this, std::move(callback));
    detach(descriptor);
    watches_.emplace(descriptor, watch);
    unchecked_descriptors_.push_back(descriptor);
    watch->start(descriptor, interest);
}

bool Core::detach(int descriptor) noexcept {
    const auto node = watches_.extract(descriptor);
    if (!node) return false;
    // Not only when the callback under way returns: the descriptor may be closed by then.
    node.mapped()->stop();
    return true;
}

void Core::on_exception(Reactor::OnException handler) { exception_handler_ = std::move(handler); }

void Core::on_callback_exception() noexcept {
    std::exception_ptr exception = std::current_exception();
    try {
        // A copy, as the handler may replace itself.
        if (const auto handler = exception_handler_) return handler(exception, nullptr);
    } catch (...) {
        exception = std::current_exception();
    }
    break_loop(std::move(exception));
}

void Core::show_exception(const std::exception_ptr& exception, Connection& connection) noexcept {
    try {
        if (const auto handler = exception_handler_) handler(exception, &connection);
    } catch (...) {
        break_loop(std::current_exception());
    }
}

void Core::break_loop(std::exception_ptr exception) noexcept {
    if (!exception_) exception_ = std::move(exception);
    is_interrupted_ = true;
    loop_->stop();
}

void Core::rethrow() {
    is_interrupted_ = false;
    if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
}

void Core::after_fork() {
    // The child's libev announces every descriptor to the kernel anew.
    for (const auto& [descriptor, watch] : watches_) unchecked_descriptors_.push_back(descriptor);
    loop_->after_fork();
}

void Core::assert_owner() const noexcept {
    assert((owner_.load() == std::thread::id() || owner_.load() == std::this_thread::get_id()) &&
           "hawser::Reactor: only post() may be called from another thread than the one that runs the reactor");
}

}  // namespace hawser::reactor
