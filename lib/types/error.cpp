#include <hawser/error.hpp>

#include <optional>
#include <utility>

#include "types/text.hpp"

namespace hawser {
namespace {

const char* describe(Errc code) noexcept {
    switch (code) {
        case Errc::bad_opcode: return "unknown kind of message";
        case Errc::connection_timeout: return "nothing was received in time";
        case Errc::message_encoding: return "text is not UTF-8";
        case Errc::message_too_big: return "message is too big";
        case Errc::connection_closed: return "connection ended without a Close frame";
        case Errc::ping_timeout: return "no pong came";
        case Errc::connection_failure: return "connection failed";
        case Errc::handshake_failed: return "opening handshake failed";
        case Errc::tls_failed: return "TLS failed";
        case Errc::protocol_error: return "peer broke the WebSocket protocol";
        case Errc::client_failed: return "client cannot connect";
        case Errc::callback_failed: return "callback threw an exception";
        case Errc::bad_uri: return "bad URI";
        case Errc::server_failed: return "server cannot listen";
        case Errc::reentrant: return "call is not allowed here";
        case Errc::invalid_option: return "invalid option";
        case Errc::close_requested: return "close was requested";
        case Errc::reconnect_requested: return "reconnect was requested";
    }
    return "unknown error";
}

class Category final : public std::error_category {
public:
    const char* name() const noexcept override { return "hawser"; }
    std::string message(int value) const override { return describe(static_cast<Errc>(value)); }
};

std::string close_sentence(CloseCode status, const std::string& reason) {
    const std::string sentence = "a callback asked to close the connection with status " + std::to_string(static_cast<unsigned>(status));
    return reason.empty() ? sentence : sentence + " and reason " + cited(reason);
}

std::string reconnect_sentence(const std::string& uri) {
    return "a callback asked to connect anew" + (uri.empty() ? std::string() : ", to " + cited(uri));
}

}  // namespace

struct Error::Detail {
    std::string what;
    std::error_code cause{};
    std::optional<Response> response{};
};

const std::error_category& error_category() noexcept {
    static const Category category;
    return category;
}

std::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), error_category()}; }

ErrorLevel level_of(Errc code) noexcept {
    if (code <= Errc::message_too_big) return ErrorLevel::message;
    if (code <= Errc::callback_failed) return ErrorLevel::connection;
    if (code <= Errc::invalid_option) return ErrorLevel::handler;
    return ErrorLevel::control;
}

Error::Error(Errc code, std::string what) : Error(code, std::move(what), std::error_code()) {}

Error::Error(Errc code, std::string what, std::error_code cause) : std::system_error(make_error_code(code)) {
    if (cause) what += ": " + cause.message();
    detail_ = std::make_shared<const Detail>(Detail{std::move(what), cause});
}

Error::Error(Errc code, std::string what, Response response)
    : std::system_error(make_error_code(code)), detail_(std::make_shared<const Detail>(Detail{std::move(what), {}, std::move(response)})) {}

Error Error::with_cause(std::error_code cause) const {
    if (!cause) return *this;
    Detail detail = *detail_;
    detail.cause = cause;
    Error error(*this);
    error.detail_ = std::make_shared<const Detail>(std::move(detail));
    return error;
}

const char* Error::what() const noexcept { return detail_->what.c_str(); }

Errc Error::errc() const noexcept { return static_cast<Errc>(code().value()); }

std::error_code Error::cause() const noexcept { return detail_->cause; }

const Response* Error::response() const noexcept { return detail_->response ? &*detail_->response : nullptr; }

CloseRequested::CloseRequested(CloseCode status, std::string reason)
    : Error(Errc::close_requested, close_sentence(status, reason)), status_(status), reason_(std::move(reason)) {}

ReconnectRequested::ReconnectRequested(std::string uri) : Error(Errc::reconnect_requested, reconnect_sentence(uri)), uri_(std::move(uri)) {}

ReconnectRequested::ReconnectRequested(std::string location, Response redirect)
    : Error(Errc::reconnect_requested, reconnect_sentence(location), std::move(redirect)), uri_(std::move(location)) {}

}  // namespace hawser
