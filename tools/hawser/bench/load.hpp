#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include <hawser/client.hpp>
#include <hawser/reactor.hpp>

#include "../progress_bar.hpp"
#include "payload.hpp"
#include "plan.hpp"
#include "process.hpp"
#include "report.hpp"

namespace hawser::bench {

/// One of the load's connections. Its messages are numbered from 0 as they are sent, and so are their echoes.
struct Line {
    Line(Reactor& reactor, const Plan& plan, const ClientOptions& options, std::size_t position)
        : client(reactor, plan.call.uri, options), index(position) {
        plan.call.apply_to(client);
    }

    Client client;
    const std::size_t index;
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    /// When its present batch was sent.
    TimePoint batch_begin{};
    bool open = false;
    bool ready = false;
    bool failed = false;
};

/// The connections that load a server: opens them, some at a time, has them do what the mode is, for the warm-up and then
/// for the measured time, and closes them. One that fails or is lost is counted, and the others go on; an echo that is not
/// what was sent ends all, by an exception out of run().
class Load {
public:
    Load(Reactor& reactor, const Plan& plan);
    virtual ~Load() = default;
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    /// Throws if nothing could be measured.
    Report run();
    /// Ends the measured time early.
    void finish();
    /// What became of the first connection that failed.
    const std::string& first_error() const noexcept { return first_error_; }

protected:
    virtual void on_run() { open_up_to(lines_.size()); }
    /// The handshake is complete.
    virtual void on_open(Line& line) { set_ready(line); }
    /// All that were to be opened are ready or have failed.
    virtual void on_all_settled() { begin(); }
    /// The warm-up begins.
    virtual void on_begin() {}
    virtual void on_echo(Line&) {}
    virtual void on_drain(Line&) {}
    /// Whether an end is what the mode wants, which goes on with a new connection then.
    virtual bool wants_end(const Disconnect&) const { return false; }
    /// The measured time begins, and is over.
    virtual void on_measure() {}
    virtual void on_measured() {}

    void open_up_to(std::size_t count);
    void set_ready(Line& line);
    void begin();
    /// Sends the line's next message.
    SendStatus send(Line& line);

    Reactor& reactor() noexcept { return reactor_; }
    const Plan& plan() const noexcept { return plan_; }
    std::deque<Line>& lines() noexcept { return lines_; }
    const std::deque<Line>& lines() const noexcept { return lines_; }
    Report& report() noexcept { return report_; }
    const std::optional<Process>& server() const noexcept { return server_; }
    bool is_over() const noexcept { return phase_ == Phase::closing; }

private:
    enum class Phase { opening, warmup, measuring, closing };

    ClientOptions client_options() const;
    void listen(Line& line);
    void opened(Line& line);
    void received(Line& line, const MessageView& message);
    void ended(Line& line, const Disconnect& ending);
    void failed(Line& line, const Error& error);
    void fail(Line& line, const std::string& sentence);
    void settle();
    void measure();
    void take_figures();
    void tell(const std::string& sentence);
    void show_progress();

    Reactor& reactor_;
    const Plan& plan_;
    Report report_;
    Payload payload_;
    std::optional<Process> server_;
    std::deque<Line> lines_;
    command::ProgressBar bar_{};
    Phase phase_ = Phase::opening;
    TimePoint begin_{};
    bool measured_ = false;
    std::string first_error_{};
    std::size_t wanted_ = 0;   // to be opened so far
    std::size_t dialed_ = 0;   // of them
    std::size_t settled_ = 0;  // ready, or failed before they were
    std::size_t open_ = 0;
    std::size_t living_;
};

}  // namespace hawser::bench
