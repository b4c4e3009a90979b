#include "connection/link.hpp"

// What fails, and how the application and the session hear of it.

namespace hawser::connection {

void Link::on_error(Errc code, std::string what, const Response* response) {
    const std::string text = remote_name() + ": " + what;
    const Error error = response ? Error(code, text, *response) : Error(code, text);
    call([&](Owner&) { tell(error); });
}

/// Tells the application, and remembers what ends the connection.
void Link::tell(const Error& error) {
    if (error.level() == ErrorLevel::connection) session_.note(error);
    if (owner_) owner_->on_error(*this, error);
}

/// Called where what the application threw was caught.
void Link::caught() {
    try {
        throw;
    } catch (const CloseRequested& request) {
        if (session_.is_open())
            close(request.status(), request.reason());
        else
            disconnect();
    } catch (const ReconnectRequested& request) {
        if (owner_) owner_->on_reconnect(*this, request);
    } catch (const Error& error) {
        if (error.level() == ErrorLevel::handler) throw;
        fail(error);
    }
}

void Link::fail(const Error& error) {
    tell(error);
    if (error.level() == ErrorLevel::connection) drop();
}

void Link::transport_failed(const char* step, std::error_code error) {
    std::string tls = transport_->tls_failure();
    if (tls.empty())
        session_.transport_failed(step + error.message());
    else
        session_.transport_failed(std::move(tls), Errc::tls_failed);
}

/// A failure inside a call of the application's: told when that has returned.
void Link::fail_later(std::string what) {
    blocked_ = true;
    if (!is_failing()) extras().failure = std::move(what);
    schedule();
}

}  // namespace hawser::connection
