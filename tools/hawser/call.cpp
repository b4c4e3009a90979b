#include "call.hpp"

#include <chrono>

namespace hawser::command {

namespace {

std::string code_text(CloseCode code) { return std::to_string(static_cast<unsigned>(code)); }

std::string closed_with(const Disconnect& ending) {
    const std::string text = ending.code == CloseCode::no_status ? "closed without a status" : "closed with " + code_text(ending.code);
    return ending.reason.empty() ? text : text + ": " + ending.reason;
}

}  // namespace

std::string describe_end(const Uri& uri, const Disconnect& ending) {
    if (ending.error) return ending.error->what();
    return uri.str() + ": the server " + (ending.clean ? closed_with(ending) : "ended the connection without a Close frame (1006)");
}

Call::Call(const CallOptions& options, bool raw)
    : verbose_(options.common.verbose), terminal_(reactor_, raw), client_(reactor_, options.uri, options.client_options()) {
    options.apply_to(client_);
    // What cannot be shown ends the command.
    reactor_.on_exception([](const std::exception_ptr& exception) { std::rethrow_exception(exception); });
    client_.on_handshake([this](Connection& connection, const Request&, const Response& response) { on_handshake(connection, response); });
    client_.on_disconnect([this](Connection&, const Disconnect& ending) { on_disconnect(ending); });
    client_.on_error([this](Connection*, const Error& error) { on_error(error); });
    terminal_.output().on_drain = [this] { client_.connection()->resume(); };
    // Nobody is left to print for.
    terminal_.output().on_broken = [this] {
        client_.connection()->resume();
        close(CloseCode::going_away);
    };
}

int Call::run() {
    begin_ = std::chrono::steady_clock::now();
    signals_.emplace(reactor_, [this](bool again) { on_signal(again); });
    client_.run();
    terminal_.end_prompt();
    // From here on a signal ends the process: the reader of standard output may never take the rest.
    signals_.reset();
    terminal_.output().finish();
    return opened_ && !dropped_ && !failed_ ? 0 : 1;
}

void Call::show(Connection& connection, const MessageView& message) {
    terminal_.show(message);
    if (terminal_.output().is_full()) connection.pause();
}

void Call::tell(std::string_view line) {
    if (verbose_) terminal_.note(line);
}

void Call::fail(std::string_view sentence) {
    failed_ = true;
    terminal_.note("hawser: " + std::string(sentence));
}

void Call::close(CloseCode code, std::string_view reason) {
    if (own_close_) return;
    own_close_ = code;
    close_begin_ = std::chrono::steady_clock::now();
    client_.close(code, reason);
}

void Call::on_handshake(Connection& connection, const Response& response) {
    opened_ = true;
    tell("connected to " + client_.uri().str() + " at " + connection.remote_name() + " in " + milliseconds(begin_));
    if (const TlsInfo* tls = connection.tls())
        tell("encrypted by " + tls->version + " with " + tls->cipher + (tls->resumed ? ", resumed" : ""));
    if (const auto subprotocol = response.headers.get("Sec-WebSocket-Protocol")) tell("subprotocol " + std::string(*subprotocol));
    if (const auto extension = response.headers.get("Sec-WebSocket-Extensions")) tell("extension " + std::string(*extension));
    if (on_open) on_open();
}

void Call::on_disconnect(const Disconnect& ending) {
    const bool expected = ending.code == CloseCode::normal || ending.code == CloseCode::no_status || ending.code == own_close_;
    if (ending.error || (ending.clean ? !expected : !dropped_))
        fail(describe_end(client_.uri(), ending));
    else if (!ending.clean)
        tell("dropped");
    else
        tell(closed_with(ending) + (own_close_ ? " in " + milliseconds(close_begin_) : ""));
}

// What ends the connection comes with on_disconnect, or out of run(); silence is no error here.
void Call::on_error(const Error& error) {
    if (error.errc() == Errc::connection_timeout)
        tell(error.what());
    else if (error.level() == ErrorLevel::message)
        fail(error.what());
}

void Call::on_signal(bool again) {
    if (!again && client_.is_writable()) return close();
    dropped_ = true;
    client_.disconnect();
}

}  // namespace hawser::command
