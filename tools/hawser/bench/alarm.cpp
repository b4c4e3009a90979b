#include "alarm.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <system_error>
#include <utility>

namespace hawser::bench {

Alarm::Alarm(Reactor& reactor, std::function<void()> function)
    : reactor_(reactor), descriptor_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "cannot make a timer");
    reactor_.attach(descriptor_, Readiness::readable, [this, function = std::move(function)](Readiness) {
        std::uint64_t expirations = 0;
        if (read(descriptor_, &expirations, sizeof expirations) == sizeof expirations) function();
    });
}

Alarm::~Alarm() {
    reactor_.detach(descriptor_);
    close(descriptor_);
}

// The steady clock is CLOCK_MONOTONIC.
void Alarm::set(TimePoint when) {
    const std::int64_t since = std::chrono::nanoseconds(when.time_since_epoch()).count();
    constexpr std::int64_t second = 1'000'000'000;
    const itimerspec once{{}, {static_cast<time_t>(since / second), static_cast<long>(since % second)}};
    timerfd_settime(descriptor_, TFD_TIMER_ABSTIME, &once, nullptr);
}

}  // namespace hawser::bench
