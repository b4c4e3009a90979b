#include "support/sim_loop.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "types/time.hpp"

namespace support {
namespace {

// Far from 0, so that a test may look back.
constexpr TimePoint beginning{std::chrono::hours(1000)};
constexpr Timestamp wall_clock_at_beginning{std::chrono::seconds(1'000'000'000)};

constexpr Readiness operator&(Readiness a, Readiness b) noexcept { return Readiness(unsigned(a) & unsigned(b)); }

}  // namespace

SimLoop::SimLoop(std::uint64_t seed) : seed_(seed), random_(seed), time_(beginning) { update_now(); }

void SimLoop::set_ready(int descriptor, Readiness readiness) { readiness_[descriptor] = readiness; }

void SimLoop::advance(Seconds duration) { time_ = hawser::later(time_, duration); }

void SimLoop::update_now() noexcept {
    now_ = time_;
    wall_clock_ = wall_clock_at_beginning + std::chrono::duration_cast<Timestamp::duration>(time_ - beginning);
}

void SimLoop::watch(reactor::Io& io, int descriptor, Readiness interest) {
    const auto serial = io_serials_.find(&io);
    const bool is_watched = serial != io_serials_.end();
    const bool is_changed = io.descriptor() != descriptor || interest == Readiness::none;
    if (is_watched && is_changed) {
        ios_.erase(serial->second);
        io_serials_.erase(serial);
    }
    if (interest != Readiness::none && (!is_watched || is_changed)) {
        ios_.emplace(++last_serial_, &io);
        io_serials_.emplace(&io, last_serial_);
    }
    set(io, descriptor, interest);
}

void SimLoop::arm(reactor::Deadline& deadline, TimePoint at) {
    if (at == deadline.at()) return;
    const auto key = deadline_keys_.find(&deadline);
    if (key != deadline_keys_.end()) {
        deadlines_.erase(key->second);
        deadline_keys_.erase(key);
    }
    set(deadline, at);
    if (at == TimePoint::max()) return;
    const Key new_key{at, ++last_serial_};
    deadlines_.emplace(new_key, &deadline);
    deadline_keys_.emplace(&deadline, new_key);
}

bool SimLoop::run() {
    is_stopped_ = false;
    do {
        iterate(TimePoint::max());
    } while (!is_stopped_ && is_anything_left());
    return is_stopped_;
}

bool SimLoop::run_once(Seconds wait) {
    is_stopped_ = false;
    iterate(std::isfinite(wait.count()) ? hawser::later(time_, wait) : TimePoint::max());
    return is_anything_left();
}

void SimLoop::iterate(TimePoint latest) {
    if (iterations_left_ == 0) throw Stuck("the simulated loop does not come to an end" + state());
    --iterations_left_;
    update_now();
    dispatch([this] { hooks_->before_sleep(); });
    if (is_stopped_) return;
    if (!is_busy() && is_anything_left()) sleep(latest);
    is_sleepless_ = false;
    update_now();
    if (is_woken_.exchange(false)) dispatch([this] { hooks_->on_wake(); });
    // Which of the two comes first must not matter to anyone.
    if (random_() % 2 == 0) {
        serve_ready();
        serve_deadlines();
    } else {
        serve_deadlines();
        serve_ready();
    }
}

void SimLoop::sleep(TimePoint latest) {
    if (!deadlines_.empty()) latest = std::min(latest, deadlines_.begin()->first.first);
    if (latest == TimePoint::max())
        throw Stuck("the simulated loop would sleep for ever: nothing is ready, no deadline is armed" + state());
    time_ = std::max(time_, latest);
}

void SimLoop::serve_ready() {
    std::vector<std::pair<Serial, Readiness>> ready;
    for (const auto& [serial, io] : ios_) {
        if (const Readiness readiness = ready_for(*io); readiness != Readiness::none) ready.emplace_back(serial, readiness);
    }
    // Not std::shuffle: each standard library shuffles in its own way.
    for (std::size_t left = ready.size(); left > 1; --left) std::swap(ready[left - 1], ready[static_cast<std::size_t>(random_() % left)]);
    for (const auto& [serial, readiness] : ready) {
        // A callback may have stopped the loop, or the Io, or asked it for something else.
        const auto entry = ios_.find(serial);
        if (is_stopped_) return;
        if (entry == ios_.end()) continue;
        reactor::Io& io = *entry->second;
        if (const Readiness wanted = readiness & io.interest(); wanted != Readiness::none) dispatch([&] { io.on_ready(wanted); });
    }
}

void SimLoop::serve_deadlines() {
    // Those armed by one of these callbacks wait for the next iteration, also if they are due.
    const Serial newest = last_serial_;
    while (!is_stopped_) {
        const auto end_of_due = deadlines_.upper_bound({now_, std::numeric_limits<Serial>::max()});
        const auto entry = std::find_if(deadlines_.begin(), end_of_due, [=](const auto& due) { return due.first.second <= newest; });
        if (entry == end_of_due) return;
        reactor::Deadline& deadline = *entry->second;
        arm(deadline, TimePoint::max());
        ++fired_;
        dispatch([&] { deadline.on_deadline(); });
    }
}

bool SimLoop::is_busy() const {
    if (is_woken_ || is_sleepless_) return true;
    if (!deadlines_.empty() && deadlines_.begin()->first.first <= time_) return true;
    return std::any_of(ios_.begin(), ios_.end(), [this](const auto& entry) { return ready_for(*entry.second) != Readiness::none; });
}

bool SimLoop::is_anything_left() const noexcept { return is_woken_ || is_sleepless_ || !ios_.empty() || !deadlines_.empty(); }

Readiness SimLoop::ready_for(const reactor::Io& io) const {
    const auto entry = readiness_.find(io.descriptor());
    return entry == readiness_.end() ? Readiness::none : entry->second & io.interest();
}

std::string SimLoop::state() const {
    return " (seed " + std::to_string(seed_) + ", after " + hawser::seconds_text(time_ - beginning) + ", " + std::to_string(watched()) +
           " descriptors watched, " + std::to_string(armed()) + " deadlines armed)";
}

std::unique_ptr<reactor::Core> make_sim_core(std::uint64_t seed) {
    return std::make_unique<reactor::Core>(std::make_unique<SimLoop>(seed));
}

SimLoop& sim_loop(Reactor& reactor) noexcept { return static_cast<SimLoop&>(reactor.core().loop()); }

void settle(Reactor& reactor) {
    do {
        reactor.run_once();
    } while (sim_loop(reactor).is_busy());
}

void run_for(Reactor& reactor, Seconds duration) {
    SimLoop& loop = sim_loop(reactor);
    const TimePoint end = hawser::later(loop.fresh_now(), duration);
    const auto left = [&] { return std::max(Seconds(end - loop.fresh_now()), Seconds(0)); };
    do {
        if (!reactor.run_once(left())) loop.advance(left());
    } while (loop.fresh_now() < end || loop.is_busy());
}

}  // namespace support
