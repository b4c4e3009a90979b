#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <hawser/hawser.hpp>

#include "slow/corpus.hpp"

namespace support {

/// Clients of an echo server, each with one message under way at a time: what others do to the server must not disturb them.
class EchoTraffic {
public:
    EchoTraffic(hawser::Reactor& reactor, const std::string& uri, std::size_t clients);

    /// How many echoes came, each of them right.
    std::size_t echoes() const noexcept { return echoes_; }
    /// What went wrong; empty while nothing has.
    const std::vector<std::string>& failures() const noexcept { return failures_; }
    /// The longest that an echo took since the last call, in seconds.
    double take_longest() noexcept { return std::exchange(longest_, 0.0); }
    /// Each closes with its next echo.
    void finish() noexcept { is_finishing_ = true; }
    bool is_over() const noexcept { return over_ == talkers_.size(); }

private:
    using Clock = std::chrono::steady_clock;
    struct Talker {
        std::unique_ptr<hawser::Client> client{};
        std::uint64_t number = 0;
        Clock::time_point sent{};
    };

    void say(Talker& talker, hawser::Connection& connection);
    void heard(Talker& talker, hawser::Connection& connection, const hawser::MessageView& message);

    const Corpus corpus_{};
    std::vector<std::unique_ptr<Talker>> talkers_;
    std::vector<std::string> failures_;
    std::size_t echoes_ = 0, over_ = 0;
    double longest_ = 0;
    bool is_finishing_ = false;
};

/// Sends messages back, of whatever kind.
inline void make_echo(hawser::Server& server) {
    const auto echo = [](hawser::Connection& connection, hawser::MessageView message) { connection.send(message); };
    server.on_text(echo).on_binary(echo);
}

}  // namespace support
