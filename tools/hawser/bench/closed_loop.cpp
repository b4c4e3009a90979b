#include <chrono>

#include "loads.hpp"

namespace hawser::bench {

namespace {

/// Each connection sends a batch of messages, and the next when all echoes are in.
class ClosedLoop final : public Load {
public:
    using Load::Load;

protected:
    void on_begin() override {
        for (Line& line : lines())
            if (line.open) send_batch(line, std::chrono::steady_clock::now());
    }
    void on_echo(Line& line) override {
        if (line.received < line.sent) return;
        const TimePoint now = std::chrono::steady_clock::now();
        report().latency.add(static_cast<std::uint64_t>(std::chrono::nanoseconds(now - line.batch_begin).count()));
        send_batch(line, now);
    }

private:
    void send_batch(Line& line, TimePoint now) {
        line.batch_begin = now;
        for (std::size_t i = 0; i < plan().depth; ++i) send(line);
    }
};

}  // namespace

std::unique_ptr<Load> make_closed_loop(Reactor& reactor, const Plan& plan) { return std::make_unique<ClosedLoop>(reactor, plan); }

}  // namespace hawser::bench
