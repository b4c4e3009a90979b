#include <chrono>

#include "alarm.hpp"
#include "loads.hpp"

namespace hawser::bench {

namespace {

/// Message k is due at the beginning + k / rate, on connection k modulo their count, whether what came before has been
/// answered or not. Its latency counts from then, so that what a slow server keeps waiting is not left out.
class OpenLoop final : public Load {
public:
    OpenLoop(Reactor& reactor, const Plan& plan) : Load(reactor, plan), alarm_(reactor, [this] { on_due(); }) {}

protected:
    void on_begin() override {
        begin_ = std::chrono::steady_clock::now();
        on_due();
    }
    void on_echo(Line& line) override { record(line, line.received - 1, std::chrono::steady_clock::now()); }
    void on_drain(Line& line) override { send_due(line); }
    void on_measure() override { first_measured_ = next_; }
    void on_measured() override;

private:
    void on_due();
    void send_due(Line& line);
    void record(const Line& line, std::uint64_t number, TimePoint now);
    TimePoint due_time(std::uint64_t k) const;
    /// How many of a line's messages have been due.
    std::uint64_t due_on(const Line& line) const { return (next_ + lines().size() - 1 - line.index) / lines().size(); }

    Alarm alarm_;
    TimePoint begin_{};
    std::uint64_t next_ = 0;
    std::uint64_t first_measured_ = 0;
};

TimePoint OpenLoop::due_time(std::uint64_t k) const {
    return begin_ + std::chrono::duration_cast<TimePoint::duration>(Seconds(static_cast<double>(k) / *plan().rate));
}

void OpenLoop::on_due() {
    if (is_over()) return;
    const TimePoint now = std::chrono::steady_clock::now();
    while (due_time(next_) <= now) send_due(lines()[static_cast<std::size_t>(next_++ % lines().size())]);
    alarm_.set(due_time(next_));
}

/// What a connection does not take now is sent later, in on_drain: its latency runs.
void OpenLoop::send_due(Line& line) {
    const std::uint64_t due = due_on(line);
    while (line.open && line.sent < due && line.client.connection()->buffered_amount() <= line.client.configuration().high_water_mark)
        send(line);
}

void OpenLoop::record(const Line& line, std::uint64_t number, TimePoint now) {
    const std::uint64_t k = number * lines().size() + line.index;
    if (k < first_measured_) return;
    report().latency.add(static_cast<std::uint64_t>(std::chrono::nanoseconds(now - due_time(k)).count()));
}

/// What has not been answered yet counts with the time that it has waited so far.
void OpenLoop::on_measured() {
    const TimePoint now = std::chrono::steady_clock::now();
    while (due_time(next_) <= now) ++next_;  // that has come due since the last alarm
    for (const Line& line : lines())
        for (std::uint64_t number = line.received; line.open && number < due_on(line); ++number) record(line, number, now);
}

}  // namespace

std::unique_ptr<Load> make_open_loop(Reactor& reactor, const Plan& plan) { return std::make_unique<OpenLoop>(reactor, plan); }

}  // namespace hawser::bench
