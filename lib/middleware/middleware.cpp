#include <hawser/middleware.hpp>

#include <utility>

namespace hawser {

void Middleware::incoming(Connection&, const MessageView& message, const Next& next) { next(message); }
SendStatus Middleware::outgoing(Connection&, const MessageView& message, const Next& next) { return next(message); }
void Middleware::http_incoming(Connection&, HttpMessage message, const HttpNext& next) { next(std::move(message)); }
void Middleware::http_outgoing(Connection&, HttpMessage message, const HttpNext& next) { next(std::move(message)); }
void Middleware::tick(Connection&, const TickNext& next) { next(); }

}  // namespace hawser
