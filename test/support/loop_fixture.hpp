#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "reactor/loop.hpp"

namespace support {

/// Counts what the loop calls, and keeps what callbacks threw.
struct LoopRecord final : hawser::reactor::LoopHooks {
    void before_sleep() override {
        ++sleeps;
        if (on_sleep) on_sleep();
    }
    void on_wake() override { ++wakes; }
    void on_callback_exception() noexcept override {
        try {
            throw;
        } catch (const std::exception& exception) {
            exceptions.emplace_back(exception.what());
        }
    }

    int sleeps = 0, wakes = 0;
    std::function<void()> on_sleep;
    std::vector<std::string> exceptions;
};

struct TestIo final : hawser::reactor::Io {
    explicit TestIo(hawser::reactor::Loop& with, std::function<void(hawser::Readiness)> call = {})
        : loop(with), callback(std::move(call)) {}
    ~TestIo() { loop.watch(*this, descriptor(), hawser::Readiness::none); }
    void on_ready(hawser::Readiness readiness) override { callback(readiness); }
    hawser::reactor::Loop& loop;
    std::function<void(hawser::Readiness)> callback;
};

struct TestDeadline final : hawser::reactor::Deadline {
    explicit TestDeadline(hawser::reactor::Loop& with) : loop(with) {}
    ~TestDeadline() { loop.arm(*this, hawser::TimePoint::max()); }
    void on_deadline() override { callback(); }
    hawser::reactor::Loop& loop;
    std::function<void()> callback;
};

struct DestroyLoop {
    void operator()(struct ev_loop* loop) const noexcept { ev_loop_destroy(loop); }
};
/// A loop to be borrowed.
using NativeLoop = std::unique_ptr<struct ev_loop, DestroyLoop>;

inline NativeLoop make_native_loop(unsigned flags = EVFLAG_AUTO) { return NativeLoop(ev_loop_new(flags)); }

/// hawser's loop over libev, own or borrowed, under a record.
struct LoopFixture {
    explicit LoopFixture(struct ev_loop* borrowed = nullptr) : loop(hawser::reactor::make_ev_loop(borrowed)) { loop->set_hooks(&hooks); }
    LoopRecord hooks;
    std::unique_ptr<hawser::reactor::Loop> loop;
};

/// Keeps the callback under way for so long, without sleep.
inline void spend(std::chrono::steady_clock::duration time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
    }
}

}  // namespace support
