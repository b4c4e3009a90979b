#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include <hawser/reactor.hpp>

#include "wire.hpp"

namespace hawser::check {

/// A socket on the reactor that sends its bytes in pieces of a wanted size, with pauses between them.
class Stream {
public:
    struct Events {
        std::function<void(std::string_view)> on_bytes{};
        std::function<void(bool reset)> on_end{};
        /// Everything has been handed to the kernel.
        std::function<void()> on_sent{};
        std::function<void(int error)> on_connected{};
    };

    Stream(Reactor& reactor, Wire& wire, Events events) : reactor_(reactor), wire_(wire), events_(std::move(events)) {}
    ~Stream() { close(); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    /// Takes over a non-blocking descriptor; `connecting`: on_connected tells the outcome.
    void open(int descriptor, bool connecting);
    /// Pieces of `chop` bytes, and one cut after `cut` bytes; 0: none. `last`: ends the sending direction with them.
    void send(std::string bytes, std::size_t chop = 0, std::size_t cut = 0, bool last = false);
    /// Ends the sending direction once everything is sent.
    void finish();
    void close();
    bool is_sent() const noexcept { return pieces_.empty(); }

private:
    void on_ready(Readiness readiness);
    void connected();
    void read();
    void write();
    void pause();
    void finish_now();
    void watch();

    Reactor& reactor_;
    Wire& wire_;
    Events events_;
    std::deque<std::string> pieces_{};
    std::size_t written_ = 0;
    TimePoint begin_{};
    TimerId timer_ = 0;
    int descriptor_ = -1;
    bool connecting_ = false;
    bool finish_due_ = false;
    bool broken_ = false;
    bool ended_ = false;
};

}  // namespace hawser::check
