#include <hawser/middleware.hpp>

#include <utility>

namespace hawser {

// Any of the functions may be set later: a chain asks once, when the middleware is added.
Hook Callback::hooks() const noexcept { return Hook::incoming | Hook::outgoing | Hook::http_incoming | Hook::http_outgoing | Hook::tick; }

void Callback::incoming(Connection& connection, const MessageView& message, const Next& next) {
    if (on_incoming) return on_incoming(connection, message, next);
    next(message);
}

SendStatus Callback::outgoing(Connection& connection, const MessageView& message, const Next& next) {
    if (on_outgoing) return on_outgoing(connection, message, next);
    return next(message);
}

void Callback::http_incoming(Connection& connection, HttpMessage message, const HttpNext& next) {
    if (on_http_incoming) return on_http_incoming(connection, std::move(message), next);
    next(std::move(message));
}

void Callback::http_outgoing(Connection& connection, HttpMessage message, const HttpNext& next) {
    if (on_http_outgoing) return on_http_outgoing(connection, std::move(message), next);
    next(std::move(message));
}

void Callback::tick(Connection& connection, const TickNext& next) {
    if (on_tick) return on_tick(connection, next);
    next();
}

}  // namespace hawser
