#pragma once

#include <signal.h>

#include <functional>

#include <hawser/reactor.hpp>

namespace hawser::command {

/// Takes SIGINT and SIGTERM while it lives, and hands them to a function, on the reactor.
class Signals {
public:
    /// `again` is false for the first signal only.
    using OnSignal = std::function<void(bool again)>;

    Signals(Reactor& reactor, OnSignal on_signal);
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

private:
    void read();

    Reactor& reactor_;
    OnSignal on_signal_;
    sigset_t before_{};
    int descriptor_ = -1;
    bool again_ = false;
};

}  // namespace hawser::command
