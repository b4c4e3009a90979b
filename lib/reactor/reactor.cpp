#include <hawser/error.hpp>
#include <hawser/reactor.hpp>

#include "reactor/core.hpp"
#include "types/time.hpp"

namespace hawser {
namespace {

std::unique_ptr<reactor::Core> core_over(struct ev_loop* loop) {
    if (!loop) throw Error(Errc::invalid_option, "a reactor was given a null ev_loop to borrow: give none to have it make its own");
    return std::make_unique<reactor::Core>(reactor::make_ev_loop(loop));
}

std::unique_ptr<reactor::Core> required(std::unique_ptr<reactor::Core> core) {
    if (!core) throw Error(Errc::invalid_option, "a reactor was given a null core");
    return core;
}

}  // namespace

Reactor::Reactor() : Reactor(std::make_unique<reactor::Core>(reactor::make_ev_loop())) {}

Reactor::Reactor(struct ev_loop* loop) : Reactor(core_over(loop)) {}

Reactor::Reactor(std::unique_ptr<reactor::Core> core) : core_(required(std::move(core))) { core_->set_reactor(*this); }

Reactor::~Reactor() {
    core_->assert_owner();
    core_->end();
    // What calls it inside of a loop's callback uses it again when that returns.
    if (core_->loop().is_dispatching()) core_->loop().keep(std::move(core_));
}

// A callback may destroy the reactor: with a client that owns it, say.

void Reactor::run() {
    const auto core = core_;
    core->assert_owner();
    core->run();
}

bool Reactor::run_once(Seconds wait) {
    const auto core = core_;
    core->assert_owner();
    return core->run_once(wait);
}

void Reactor::stop() noexcept {
    core_->assert_owner();
    core_->stop();
}

void Reactor::post(std::function<void()> function) { core_->post(std::move(function)); }

TimerId Reactor::after(Seconds delay, std::function<void()> function) {
    core_->assert_owner();
    return core_->start_timer(delay, Seconds(0), std::move(function));
}

TimerId Reactor::every(Seconds interval, std::function<void()> function) {
    core_->assert_owner();
    if (interval == Seconds(0)) throw Error(Errc::invalid_option, "a timer cannot repeat every 0 s: give an interval of more than that");
    return core_->start_timer(interval, interval, std::move(function));
}

bool Reactor::cancel(TimerId timer) noexcept {
    core_->assert_owner();
    return core_->cancel(timer);
}

void Reactor::attach(int descriptor, Readiness interest, std::function<void(Readiness)> callback) {
    core_->assert_owner();
    core_->attach(descriptor, interest, std::move(callback));
}

bool Reactor::detach(int descriptor) noexcept {
    core_->assert_owner();
    return core_->detach(descriptor);
}

void Reactor::on_exception(OnException handler) {
    core_->assert_owner();
    core_->on_exception(std::move(handler));
}

void Reactor::rethrow() {
    core_->assert_owner();
    core_->rethrow();
}

TimePoint Reactor::now() const noexcept {
    core_->assert_owner();
    return core_->now();
}

struct ev_loop* Reactor::loop() const noexcept {
    core_->assert_owner();
    return core_->loop().native();
}

void Reactor::after_fork() {
    core_->assert_owner();
    core_->after_fork();
}

}  // namespace hawser
