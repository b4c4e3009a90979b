#include <hawser/middleware.hpp>

#include <utility>

namespace hawser {

Hook Callback::hooks() const noexcept {
    const auto wanted = [](bool set, Hook hook) { return set ? hook : Hook::none; };
    return wanted(bool(on_incoming), Hook::incoming) | wanted(bool(on_outgoing), Hook::outgoing) |
           wanted(bool(on_http_incoming), Hook::http_incoming) | wanted(bool(on_http_outgoing), Hook::http_outgoing) |
           wanted(bool(on_tick), Hook::tick);
}

void Callback::incoming(Connection& connection, const MessageView& message, const Next& next) { on_incoming(connection, message, next); }
SendStatus Callback::outgoing(Connection& connection, const MessageView& message, const Next& next) {
    return on_outgoing(connection, message, next);
}
void Callback::http_incoming(Connection& connection, HttpMessage message, const HttpNext& next) {
    on_http_incoming(connection, std::move(message), next);
}
void Callback::http_outgoing(Connection& connection, HttpMessage message, const HttpNext& next) {
    on_http_outgoing(connection, std::move(message), next);
}
void Callback::tick(Connection& connection, const TickNext& next) { on_tick(connection, next); }

}  // namespace hawser
