#include "connection/link.hpp"

#include <utility>

#include <hawser/logger.hpp>

#include "protocol/writer.hpp"

// What fails, and how the application and the session hear of it.

namespace hawser::connection {

namespace {

/// What a hook throws as an error of the connection, or to steer it; an Error with a code of those that steer is not one of them.
bool is_dealt_with(const Error& error) noexcept {
    if (error.level() != ErrorLevel::control) return error.level() < ErrorLevel::handler;
    return dynamic_cast<const CloseRequested*>(&error) || dynamic_cast<const ReconnectRequested*>(&error);
}

}  // namespace

bool is_possible(const CloseRequested& request) {
    return !protocol::object_to({Opcode::close, request.reason(), request.status()});
}

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

/// Called where what the application threw was caught. What on_error throws while it is told of that is not told once more.
void Link::caught() {
    const bool tells = !catching_;
    catching_ = true;
    try {
        treat_exception(tells);
    } catch (...) {
        // By on_error, or by an outgoing middleware that was shown the Close.
        try {
            treat_exception(false);
        } catch (...) {
            core_.show_exception(std::current_exception(), *this);
            drop();
        }
    }
    if (tells) catching_ = false;
}

/// Does what the exception under way asks for.
void Link::treat_exception(bool tells) {
    try {
        throw;
    } catch (const CloseRequested& request) {
        if (!is_possible(request)) return callback_failed(tells);
        if (session_.is_open())
            close(request.status(), request.reason());
        else
            disconnect();
    } catch (const ReconnectRequested& request) {
        if (owner_) owner_->on_reconnect(*this, request);
    } catch (const Error& error) {
        if (error.level() >= ErrorLevel::handler) return callback_failed(tells);
        fail(error, tells);
    } catch (...) {
        callback_failed(tells);
    }
}

/// The connection cannot go on as if nothing had happened, but the others can. A server's handshake is answered by run_handshake().
void Link::callback_failed(bool tells) {
    const Error error = exception_as_error();
    session_.application_failed(core_.now());
    if (role() == protocol::Role::client && !session_.was_open()) session_.set_over();
    schedule();
    core_.show_exception(std::current_exception(), *this);
    tell_or_log(error, tells);
}

void Link::tell_or_log(const Error& error, bool tells) {
    if (tells) return tell(error);
    if (error.level() == ErrorLevel::connection) session_.note(error);
    if (settings_->logger) settings_->logger->log(LogLevel::error, error.what(), {});
}

/// The exception under way, as on_error is told of it.
Error Link::exception_as_error() const {
    const std::string sentence = remote_name() + ": a callback threw an exception";
    try {
        throw;
    } catch (const Error& error) {
        return error.level() < ErrorLevel::handler ? error : Error(Errc::callback_failed, sentence + ": " + error.what());
    } catch (const std::exception& error) {
        return {Errc::callback_failed, sentence + ": " + error.what()};
    } catch (...) {
        return {Errc::callback_failed, sentence + " that is no std::exception"};
    }
}

void Link::fail(const Error& error, bool tells) {
    const bool ends = error.level() == ErrorLevel::connection;
    try {
        tell_or_log(error, tells);
    } catch (...) {
        if (ends) drop();
        throw;
    }
    if (ends) drop();
}

SendStatus Link::send_through(const HookListPtr& list, std::size_t position, const MessageView& message) {
    try {
        return Chain::outgoing(*this, list, position, message);
    } catch (const Error& error) {
        if (!is_dealt_with(error)) throw;
        const auto owner = owner_ ? owner_->pin() : nullptr;
        // The Close that is asked for at a Close passes no hook: it would be asked for again.
        const auto* request = dynamic_cast<const CloseRequested*>(&error);
        if (request && message.opcode == Opcode::close && is_possible(*request))
            return transmit({Opcode::close, request->reason(), request->status()});
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
