#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "reactor/core.hpp"

namespace support {

namespace reactor = hawser::reactor;
using hawser::Reactor;
using hawser::Readiness;
using hawser::Seconds;
using hawser::TimePoint;
using hawser::Timestamp;

/// A loop without a system under it: its descriptors are mere numbers whose readiness the test sets, and its time is
/// virtual and jumps to the next deadline when nothing is ready. A seed chooses the order in which what is ready is
/// served; the same seed gives the same run.
class SimLoop final : public reactor::Loop {
public:
    /// Thrown out of run() and run_once(): the simulated program hangs or does not come to an end.
    struct Stuck : std::runtime_error {
        using std::runtime_error::runtime_error;
    };

    explicit SimLoop(std::uint64_t seed = 1);

    /// A new virtual descriptor, ready for nothing. Its number is none the system would give.
    int make_descriptor() noexcept { return ++last_descriptor_; }
    /// What the descriptor is ready for from now on: a level, which is reported until it is changed.
    void set_ready(int descriptor, Readiness readiness);
    /// Moves the time on without serving anything: a callback that takes long.
    void advance(Seconds duration);
    /// From now on at most so many iterations, however many runs they make up, before Stuck is thrown.
    void limit_iterations(std::uint64_t limit) noexcept { iterations_left_ = limit; }

    /// Something is to be served without moving the time on.
    bool is_busy() const;
    /// How many Ios are watched and deadlines armed: 0 when nothing leaked.
    std::size_t watched() const noexcept { return ios_.size(); }
    std::size_t armed() const noexcept { return deadlines_.size(); }
    /// How many deadlines have come so far.
    std::uint64_t fired() const noexcept { return fired_; }

    void watch(reactor::Io& io, int descriptor, Readiness interest) override;
    void arm(reactor::Deadline& deadline, TimePoint at) override;
    TimePoint fresh_now() const noexcept override { return time_; }
    /// 2001-09-09 01:46:40 UTC at the beginning.
    /// Throws Stuck when nothing can ever happen any more, but descriptors are watched.
    bool run() override;
    /// Where the real loop would sleep for the whole of `wait`, the time moves on by it.
    bool run_once(Seconds wait) override;
    void stop() noexcept override { is_stopped_ = true; }
    void wake() noexcept override { is_woken_ = true; }
    void update_now() noexcept override;
    void do_not_sleep() noexcept override { is_sleepless_ = true; }
    void after_fork() override {}
    struct ev_loop* native() const noexcept override {
        return nullptr;
    }

private:
    using Serial = std::uint64_t;
    using Key = std::pair<TimePoint, Serial>;

    void iterate(TimePoint latest);
    void sleep(TimePoint latest);
    void serve_ready();
    void serve_deadlines();
    bool is_anything_left() const noexcept;
    Readiness ready_for(const reactor::Io& io) const;
    std::string state() const;

    // All by number, never by address: the same seed must give the same run.
    std::map<Serial, reactor::Io*> ios_;
    std::map<const reactor::Io*, Serial> io_serials_;
    std::map<Key, reactor::Deadline*> deadlines_;
    std::map<const reactor::Deadline*, Key> deadline_keys_;
    std::map<int, Readiness> readiness_;
    std::uint64_t seed_;
    std::mt19937_64 random_;
    Serial last_serial_ = 0;
    int last_descriptor_ = 1'000'000'000;
    TimePoint time_;
    std::uint64_t iterations_left_ = 1'000'000;
    std::uint64_t fired_ = 0;
    bool is_stopped_ = false, is_sleepless_ = false;
    std::atomic<bool> is_woken_ = false;
};

/// A core over a SimLoop, to make a Reactor of: `Reactor reactor(make_sim_core(seed))`.
std::unique_ptr<reactor::Core> make_sim_core(std::uint64_t seed = 1);
/// The SimLoop under a reactor made so.
SimLoop& sim_loop(Reactor& reactor) noexcept;
/// Serves all that is ready at the present time, until nothing is.
void settle(Reactor& reactor);
/// Serves all that happens in the next `duration`, and leaves the time at its end.
void run_for(Reactor& reactor, Seconds duration);

}  // namespace support
