#pragma once

#include <functional>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <hawser/reactor.hpp>

#include "case.hpp"
#include "receiver.hpp"
#include "stream.hpp"
#include "wire.hpp"

namespace hawser::check {

/// What all trials of a run share.
struct Subject {
    Role role = Role::server;
    /// Of a server: Host and request target.
    std::string authority{};
    std::string target = "/";
    /// Bounds each trial.
    Seconds timeout{5};
    /// Of a client: each Sec-WebSocket-Key that it used.
    std::set<std::string> keys{};
};

struct Result {
    const Case* a_case = nullptr;
    Judgement judgement{};
    double seconds = 0;
    std::vector<std::string> wire{};
};

/// A ping with this content follows what is to be failed: its pong shows that the subject goes on.
constexpr const char* probe_content = "still there?";

/// One case, tried on a connection of its own.
class Trial {
public:
    Trial(Reactor& reactor, Subject& subject, const Case& a_case, std::function<void(Trial&)> on_done);
    ~Trial();
    Trial(const Trial&) = delete;
    Trial& operator=(const Trial&) = delete;

    /// With a connection to a server (`connecting`: under way), or one from a client.
    void open(int descriptor, bool connecting);
    bool is_open() const noexcept { return opened_; }
    const Case& what() const noexcept { return case_; }
    bool connected() const noexcept { return seen_.connected; }
    Result result() const;

private:
    void on_connected(int error);
    void on_bytes(std::string_view bytes);
    void on_end(bool reset);
    void receive_head(std::string_view bytes);
    void take_response();
    void take_request();
    void send_head(Head head);
    void check_applicable();
    void begin_steps();
    void next_step();
    bool has_step() const;
    std::string step_bytes();
    void do_step();
    bool is_answered() const;
    bool goes_on() const;
    void observe();
    void note_ending();
    void send_close(unsigned code);
    void finish();

    Reactor& reactor_;
    Subject& subject_;
    const Case& case_;
    std::function<void(Trial&)> on_done_;
    Wire wire_{};
    Observation seen_{};
    Receiver receiver_;
    std::mt19937 random_;
    Stream stream_;
    TimePoint begin_;
    TimerId deadline_ = 0;
    TimerId wait_ = 0;
    std::string head_{};
    std::size_t step_ = 0;
    double seconds_ = 0;
    bool opened_ = false;
    bool steps_begun_ = false;
    bool close_sent_ = false;
    bool ending_noted_ = false;
    bool done_ = false;
    /// The case does not apply: the subject did not agree on what it needs.
    std::string inapplicable_{};
};

}  // namespace hawser::check
