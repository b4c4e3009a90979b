#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <hawser/client.hpp>
#include <hawser/reactor.hpp>

#include "options.hpp"
#include "signals.hpp"
#include "terminal.hpp"

namespace hawser::command {

/// How a server, or a failure, ended a connection, as a sentence.
std::string describe_end(const Uri& uri, const Disconnect& ending);

/// One connection to a server, from the dialing to the exit status: what `connect`, `echo` and `send` share.
/// SIGINT and SIGTERM close it; a second one drops it.
class Call {
public:
    /// `raw` as in Terminal.
    explicit Call(const CallOptions& options, bool raw = false);

    Reactor& reactor() noexcept { return reactor_; }
    Client& client() noexcept { return client_; }
    Terminal& terminal() noexcept { return terminal_; }
    /// The handshake is complete.
    std::function<void()> on_open{};

    /// Prints a message; while standard output takes no more, nothing more is received.
    void show(Connection& connection, const MessageView& message);
    /// For --verbose.
    void tell(std::string_view line);
    /// Prints an error; the exit status will be 1.
    void fail(std::string_view sentence);
    /// Closes with a status of our own choice.
    void close(CloseCode code = CloseCode::normal, std::string_view reason = {});
    /// Until the connection has ended. Returns the exit status; throws what kept it from being made.
    int run();

private:
    void on_handshake(Connection& connection, const Response& response);
    void on_disconnect(const Disconnect& ending);
    void on_error(const Error& error);
    void on_signal(bool again);

    const bool verbose_;
    Reactor reactor_{};
    Terminal terminal_;
    Client client_;
    std::optional<Signals> signals_;
    TimePoint begin_{};
    TimePoint close_begin_{};
    std::optional<CloseCode> own_close_{};
    bool opened_ = false;
    bool dropped_ = false;
    bool failed_ = false;
};

}  // namespace hawser::command
