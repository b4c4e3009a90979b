#include "connection/link.hpp"

#include <utility>

#include <hawser/logger.hpp>

// What fails, and how the application and the session hear of it.

namespace hawser::connection {

void Link::on_error(Errc code, std::string what, const Response* response, std::error_code cause) {
    const std::string text = remote_name() + ": " + what;
    const Error error = response ? Error(code, text, *response) : Error(code, text).with_cause(cause);
    call([&](Owner&) { tell(error); });
}

/// Tells the application, and remembers what ends the connection.
void Link::tell(const Error& error) {
    if (error.level() == ErrorLevel::connection) session_.note(error);
    if (owner_) owner_->on_error(*this, error);
}

/// Called where what the application threw was caught: does what was thrown to steer the connection, throws anything else on.
void Link::steer() {
    try {
        throw;
    } catch (const CloseRequested& request) {
        if (session_.is_open())
            close(request.status(), request.reason());
        else
            disconnect();
    } catch (const ReconnectRequested& request) {
        if (owner_) owner_->on_reconnect(*this, request.uri());
    }
}

/// The same, and tells the errors of a message or a connection.
void Link::caught() {
    try {
        steer();
    } catch (const Error& error) {
        if (error.level() == ErrorLevel::handler) throw;
        try {
            tell(error);
        } catch (...) {
            steer();
        }
        if (error.level() == ErrorLevel::connection) drop();
    }
}

SendStatus Link::send_through(const HookListPtr& list, std::size_t position, const MessageView& message) {
    try {
        return Chain::outgoing(*this, list, position, message);
    } catch (const Error& error) {
        if (error.level() == ErrorLevel::handler) throw;
        const auto owner = owner_ ? owner_->pin() : nullptr;
        // The Close that is asked for at a Close passes no hook: it would be asked for again.
        const auto* request = dynamic_cast<const CloseRequested*>(&error);
        if (request && message.opcode == Opcode::close) return transmit({Opcode::close, request->reason(), request->status()});
        caught();
        return error.level() == ErrorLevel::message ? SendStatus::refused : SendStatus::closed;
    }
}

void Link::transport_failed(const char* step, std::error_code error) {
    std::string tls = transport_->tls_failure();
    if (tls.empty()) return session_.transport_failed(step + error.message(), Errc::connection_failure, error);
    // A code of our own says nothing that the error does not.
    session_.transport_failed(std::move(tls), Errc::tls_failed, error.category() == error_category() ? std::error_code() : error);
}

/// A failure inside a call of the application's: told when that has returned.
void Link::fail_later(std::string what, std::error_code cause) {
    blocked_ = true;
    if (!is_failing()) {
        extras().failure = std::move(what);
        extras().failure_cause = cause;
    }
    schedule();
}

}  // namespace hawser::connection
