#pragma once

#include <functional>

#include <hawser/reactor.hpp>

namespace hawser::bench {

/// Calls a function at a time, to the microsecond: a reactor's own timers are as exact as epoll_wait(2), which counts milliseconds.
class Alarm {
public:
    Alarm(Reactor& reactor, std::function<void()> function);
    ~Alarm();
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;

    /// Once; at once if the time has passed.
    void set(TimePoint when);

private:
    Reactor& reactor_;
    int descriptor_;
};

}  // namespace hawser::bench
