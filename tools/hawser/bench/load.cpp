#include "load.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "../call.hpp"

namespace hawser::bench {

namespace {

using Clock = std::chrono::steady_clock;

/// Connections that are being made at the same time: what the backlog of any server takes.
constexpr std::size_t opening_at_once = 32;
/// Each connection's content is compared in its first batches, and in one of so many messages after that.
constexpr std::uint64_t compared_batches = 2;
constexpr std::uint64_t compared_one_of = 256;
/// A server that does not answer a Close by then is left alone.
constexpr Seconds close_time{2};
constexpr Seconds progress_interval{0.1};

double seconds_since(TimePoint begin) { return Seconds(Clock::now() - begin).count(); }

}  // namespace

Load::Load(Reactor& reactor, const Plan& plan)
    : reactor_(reactor), plan_(plan), report_{plan}, payload_(plan.opcode(), plan.size), living_(plan.connections) {
    if (plan.server) server_.emplace(*plan.server);
    const ClientOptions options = client_options();
    for (std::size_t i = 0; i < plan.connections; ++i) listen(lines_.emplace_back(reactor, plan, options, i));
}

ClientOptions Load::client_options() const {
    ClientOptions options = plan_.call.client_options();
    Configuration& configuration = options.configuration;
    configuration.close_timeout = std::min(close_time, configuration.timeout);
    configuration.keep_handshake = false;
    // One frame a message, and room for all that is to be in flight.
    configuration.frame_size = std::max<std::size_t>(plan_.size, 1);
    configuration.max_buffered_amount += plan_.depth * (plan_.size + 64);
    return options;
}

void Load::listen(Line& line) {
    const auto on_message = [this, &line](Connection&, const MessageView& message) { received(line, message); };
    line.client.on_text(on_message)
        .on_binary(on_message)
        .on_handshake([this, &line](Connection&, const Request&, const Response&) { opened(line); })
        .on_disconnect([this, &line](Connection&, const Disconnect& ending) { ended(line, ending); })
        .on_drain([this, &line](Connection&) { on_drain(line); })
        .on_error([this, &line](Connection*, const Error& error) { failed(line, error); });
}

Report Load::run() {
    begin_ = Clock::now();
    const TimerId progress = bar_.is_shown() ? reactor_.every(progress_interval, [this] { show_progress(); }) : TimerId{0};
    on_run();
    reactor_.run();
    reactor_.cancel(progress);
    bar_.clear();
    if (!measured_) throw std::runtime_error(first_error_.empty() ? "interrupted before anything was measured" : first_error_);
    return report_;
}

// Opening.

void Load::open_up_to(std::size_t count) {
    wanted_ = count;
    while (dialed_ < wanted_ && dialed_ - settled_ < opening_at_once) lines_[dialed_++].client.connect();
}

void Load::opened(Line& line) {
    line.open = true;
    ++open_;
    if (is_over()) return;
    ++report_.handshakes;
    on_open(line);
}

void Load::set_ready(Line& line) {
    if (std::exchange(line.ready, true)) return;
    settle();
}

void Load::settle() {
    ++settled_;
    if (phase_ != Phase::opening) return;
    if (settled_ == wanted_) return on_all_settled();
    open_up_to(wanted_);
}

// Messages.

SendStatus Load::send(Line& line) { return line.client.send(payload_.message(line.index, line.sent++)); }

void Load::received(Line& line, const MessageView& message) {
    const std::uint64_t number = line.received++;
    const bool is_compared = !plan_.length_only && (number < compared_batches * plan_.depth || number % compared_one_of == 0);
    const bool is_asked_for = number < line.sent;
    if (!is_asked_for || !payload_.is_echo(message, line.index, number, is_compared))
        throw std::runtime_error(line.client.uri().str() + ": echo " + std::to_string(number + 1) + " on connection " +
                                 std::to_string(line.index + 1) + " " +
                                 (is_asked_for ? payload_.objection(message, line.index, number) : "was not asked for"));
    if (is_over()) return;
    ++report_.messages;
    on_echo(line);
}

// Ends.

void Load::ended(Line& line, const Disconnect& ending) {
    line.open = false;
    --open_;
    if (is_over()) {
        if (open_ == 0) reactor_.stop();
    } else if (!line.failed) {
        if (wants_end(ending))
            line.client.connect();
        else
            fail(line, command::describe_end(line.client.uri(), ending));
    }
}

void Load::failed(Line& line, const Error& error) {
    if (is_over() || line.failed) return;
    if (error.errc() == Errc::connection_timeout) {
        // Silence is an error only where an echo is due.
        if (line.received < line.sent) fail(line, error.what());
    } else if (!line.open || error.level() == ErrorLevel::message) {
        fail(line, error.what());
    }
    // What ends an open connection comes with its end.
}

void Load::fail(Line& line, const std::string& sentence) {
    line.failed = true;
    if (report_.errors++ == 0) first_error_ = sentence;
    tell(sentence);
    line.client.disconnect();
    if (--living_ == 0) return finish();
    if (!line.ready) settle();
}

// Phases.

void Load::begin() {
    phase_ = Phase::warmup;
    tell(std::to_string(open_) + " connections are open after " + command::milliseconds(begin_));
    begin_ = Clock::now();
    on_begin();
    reactor_.after(Seconds(plan_.mode == Mode::idle ? 0 : plan_.warmup), [this] {
        if (phase_ == Phase::warmup) measure();
    });
}

void Load::measure() {
    phase_ = Phase::measuring;
    measured_ = true;
    report_.messages = report_.handshakes = 0;
    report_.latency.clear();
    report_.client_cpu_seconds = own_cpu_seconds();
    if (server_) report_.server_cpu_seconds = server_->cpu_seconds();
    begin_ = Clock::now();
    on_measure();
    reactor_.after(Seconds(plan_.duration), [this] { finish(); });
}

void Load::finish() {
    if (is_over()) return;
    if (phase_ == Phase::measuring) take_figures();
    phase_ = Phase::closing;
    for (Line& line : lines_) line.client.close();
    if (open_ == 0) return reactor_.stop();
    reactor_.after(close_time, [this] { reactor_.stop(); });
}

void Load::take_figures() {
    report_.seconds = seconds_since(begin_);
    report_.client_cpu_seconds = own_cpu_seconds() - report_.client_cpu_seconds;
    if (server_) *report_.server_cpu_seconds = server_->cpu_seconds() - *report_.server_cpu_seconds;
    on_measured();
}

/// For --verbose.
void Load::tell(const std::string& sentence) {
    if (!plan_.call.common.verbose) return;
    bar_.clear();
    command::print_error(sentence);
}

void Load::show_progress() {
    switch (phase_) {
        case Phase::opening:
            return bar_.show(static_cast<double>(settled_) / static_cast<double>(lines_.size()),
                             std::to_string(settled_) + " of " + std::to_string(lines_.size()) + " connections");
        case Phase::warmup: return bar_.show(0, "warming up");
        case Phase::measuring: {
            const double passed = seconds_since(begin_);
            const bool counts_messages = plan_.mode != Mode::connect;
            const std::uint64_t count = counts_messages ? report_.messages : report_.handshakes;
            return bar_.show(passed / plan_.duration, std::to_string(count) + (counts_messages ? " messages" : " handshakes"));
        }
        case Phase::closing: return bar_.show(1, "closing");
    }
}

}  // namespace hawser::bench
