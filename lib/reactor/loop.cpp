#include "reactor/loop.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <system_error>

#include "reactor/deadline_heap.hpp"

namespace hawser::reactor {

class EvLoop final : public Loop {
public:
    explicit EvLoop(struct ev_loop* borrowed);
    ~EvLoop() override;

    void watch(Io& io, int descriptor, Readiness interest) override;
    void arm(Deadline& deadline, TimePoint at) override;
    TimePoint fresh_now() const noexcept override { return std::chrono::steady_clock::now(); }
    bool run() override;
    bool run_once(Seconds wait) override;
    void stop() noexcept override;
    void wake() noexcept override {
        if (!is_over_) ev_async_send(loop_, &async_);
    }
    void update_now() noexcept override;
    void do_not_sleep() noexcept override { ev_idle_start(loop_, &idle_); }
    void after_fork() override { ev_loop_fork(loop_); }
    void keep(std::shared_ptr<void> owner) override;
    void end() noexcept override;
    struct ev_loop* native() const noexcept override {
        return loop_;
    }

    static void on_io(struct ev_loop* loop, ev_io* io, int events);

private:
    static EvLoop& of(void* data) noexcept { return *static_cast<EvLoop*>(data); }
    static void on_prepare(struct ev_loop* loop, ev_prepare* prepare, int events);
    static void on_check(struct ev_loop* loop, ev_check* check, int events);
    static void on_async(struct ev_loop* loop, ev_async* async, int events);
    static void on_timer(struct ev_loop* loop, ev_timer* timer, int events);

    bool wait_once(Seconds wait);
    void serve_deadlines();
    void start_timer();
    void start_own_watchers();

    struct ev_loop* loop_;
    bool is_own_;
    bool is_over_ = false;     // left: it may be gone
    bool is_run_ = false;      // by run() or run_once(), whose caller keeps this
    bool is_stopped_ = false;  // libev itself would first call whatever else is pending
    ev_prepare prepare_;
    ev_check check_;
    ev_async async_;
    ev_idle idle_;     // active: the loop does not sleep
    ev_timer waiter_;  // bounds the sleep of run_once()
    ev_timer timer_;   // active while there are deadlines
    DeadlineHeap deadlines_;
};

Io::Io(Loop* loop) noexcept {
    // libev's macros cast away the class.
    ev_io* const watcher = this;
    ev_io_init(watcher, &EvLoop::on_io, -1, 0);
    data = loop;
}

// A loop of our own must behave the same wherever it runs: it does not look at LIBEV_FLAGS. Nor is it libev's default
// loop, which would take SIGCHLD.
EvLoop::EvLoop(struct ev_loop* borrowed) : loop_(borrowed ? borrowed : ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV)), is_own_(!borrowed) {
    // libev aborts when it cannot have the descriptor by which other threads wake it: ask before it does.
    const int probe = loop_ ? eventfd(0, EFD_CLOEXEC) : -1;
    if (probe < 0) {
        const int error = errno;
        if (is_own_ && loop_) ev_loop_destroy(loop_);
        throw std::system_error(error, std::generic_category(), "an event loop cannot be made for lack of a descriptor");
    }
    close(probe);
    start_own_watchers();
    update_now();
}

void EvLoop::start_own_watchers() {
    ev_prepare_init(&prepare_, &on_prepare);
    ev_check_init(&check_, &on_check);
    ev_async_init(&async_, &on_async);
    ev_idle_init(&idle_, [](struct ev_loop*, ev_idle*, int) {});
    ev_init(&waiter_, [](struct ev_loop*, ev_timer*, int) {});
    ev_init(&timer_, &on_timer);
    prepare_.data = check_.data = async_.data = timer_.data = this;
    // Before the sleep comes after what the owner of a borrowed loop does then; after it, the time is set before all else.
    ev_set_priority(&prepare_, EV_MINPRI);
    ev_set_priority(&check_, EV_MAXPRI);
    ev_prepare_start(loop_, &prepare_);
    ev_check_start(loop_, &check_);
    ev_async_start(loop_, &async_);
    // These alone are nothing to wait for.
    for (int own = 0; own < 3; ++own) ev_unref(loop_);
}

EvLoop::~EvLoop() {
    EvLoop::end();
    if (is_own_) ev_loop_destroy(loop_);
}

void EvLoop::end() noexcept {
    if (std::exchange(is_over_, true)) return;
    for (int own = 0; own < 3; ++own) ev_ref(loop_);
    ev_prepare_stop(loop_, &prepare_);
    ev_check_stop(loop_, &check_);
    ev_async_stop(loop_, &async_);
    ev_idle_stop(loop_, &idle_);
    ev_timer_stop(loop_, &timer_);
}

void EvLoop::watch(Io& io, int descriptor, Readiness interest) {
    static_assert(int(Readiness::readable) == EV_READ && int(Readiness::writable) == EV_WRITE);
    const bool is_same_descriptor = io.interest() != Readiness::none && io.fd == descriptor;
    if (io.interest() == interest && (is_same_descriptor || interest == Readiness::none)) return;
    if (is_over_) return;
    ev_io* const watcher = &io;
    ev_io_stop(loop_, watcher);
    io.data = static_cast<Loop*>(this);
    if (interest == Readiness::none) return set(io, descriptor, interest);
    if (is_same_descriptor) {
        ev_io_modify(watcher, int(interest));
    } else {
        // This has libev tell the kernel even if it knows the number: it may be another file's by now.
        ev_io_set(watcher, descriptor, int(interest));
    }
    ev_io_start(loop_, watcher);
}

void EvLoop::arm(Deadline& deadline, TimePoint at) {
    if (at == deadline.at()) return;
    if (deadlines_.set(deadline, at) || deadlines_.empty()) start_timer();
}

/// Waits for the first deadline; with none, there is nothing to wait for.
void EvLoop::start_timer() {
    if (is_over_) return;
    ev_timer_stop(loop_, &timer_);
    if (deadlines_.empty()) return;
    const Seconds delay = deadlines_.first() - fresh_now();
    // libev counts from its own time, which is stale after a long callback. Updated after the clock was read, it makes
    // the timer late by an instant rather than early.
    ev_now_update(loop_);
    ev_timer_set(&timer_, std::max(delay.count(), 0.), 0.);
    ev_timer_start(loop_, &timer_);
}

/// One of our own, which somebody else runs, cannot be destroyed under him, and nobody can tell when he has done.
void EvLoop::keep(std::shared_ptr<void> owner) {
    if (is_own_ && !is_run_) return static_cast<void>(new std::shared_ptr<void>(std::move(owner)));
    Loop::keep(std::move(owner));
}

void EvLoop::update_now() noexcept {
    now_ = fresh_now();
    wall_clock_ = Timestamp(std::chrono::duration_cast<Timestamp::duration>(Seconds(ev_now(loop_))));
}

bool EvLoop::run() {
    is_run_ = true;
    const bool is_anything_left = ev_run(loop_, 0);
    is_run_ = false;
    return is_anything_left || is_stopped_;
}

bool EvLoop::run_once(Seconds wait) {
    is_run_ = true;
    const bool is_anything_left = wait <= Seconds(0) ? ev_run(loop_, EVRUN_NOWAIT) : wait_once(wait);
    is_run_ = false;
    return is_anything_left;
}

bool EvLoop::wait_once(Seconds wait) {
    const bool is_bounded = std::isfinite(wait.count());
    if (is_bounded) {
        ev_now_update(loop_);
        // A repeating one: libev does not stop it by itself, which would count it off a second time.
        ev_timer_set(&waiter_, wait.count(), wait.count());
        ev_timer_start(loop_, &waiter_);
        ev_unref(loop_);
    }
    const bool is_anything_left = ev_run(loop_, EVRUN_ONCE);
    if (is_bounded) {
        ev_ref(loop_);
        ev_timer_stop(loop_, &waiter_);
    }
    return is_anything_left;
}

void EvLoop::stop() noexcept {
    is_stopped_ = true;
    if (!is_over_) ev_break(loop_, EVBREAK_ALL);
}

void EvLoop::on_prepare(struct ev_loop*, ev_prepare* prepare, int) {
    EvLoop& self = of(prepare->data);
    self.is_stopped_ = false;
    self.update_now();
    self.dispatch([&] { self.hooks_->before_sleep(); });
}

void EvLoop::on_check(struct ev_loop* loop, ev_check* check, int) {
    EvLoop& self = of(check->data);
    self.update_now();
    ev_idle_stop(loop, &self.idle_);
}

void EvLoop::on_async(struct ev_loop*, ev_async* async, int) {
    EvLoop& self = of(async->data);
    if (self.is_stopped_) return self.wake();
    self.dispatch([&] { self.hooks_->on_wake(); });
}

void EvLoop::on_io(struct ev_loop*, ev_io* watcher, int events) {
    Io& io = *static_cast<Io*>(watcher);
    EvLoop& self = static_cast<EvLoop&>(io.loop());
    const bool has_failed = (events & EV_ERROR) != 0;
    // Readiness is a level: it is reported again when the loop runs again. A failure is not, libev has stopped the watcher.
    if (self.is_stopped_ && !has_failed) return;
    if (has_failed) set(io, io.fd, Readiness::none);
    self.dispatch([&] { io.on_ready(Readiness(unsigned(events & (EV_READ | EV_WRITE)))); });
}

void EvLoop::on_timer(struct ev_loop*, ev_timer* timer, int) { of(timer->data).serve_deadlines(); }

void EvLoop::serve_deadlines() {
    const Dispatching dispatching(*this);
    const TimePoint now = fresh_now();
    while (!is_stopped_) {
        Deadline* due = deadlines_.take_due(now);
        if (!due) break;
        dispatch([&] { due->on_deadline(); });
    }
    // What is due when the loop is stopped is served by its next run.
    start_timer();
}

std::unique_ptr<Loop> make_ev_loop(struct ev_loop* borrowed) { return std::make_unique<EvLoop>(borrowed); }

std::string libev_version() { return std::to_string(ev_version_major()) + "." + std::to_string(ev_version_minor()); }

}  // namespace hawser::reactor
