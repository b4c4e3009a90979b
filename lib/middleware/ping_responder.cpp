#include <hawser/middleware.hpp>

namespace hawser {

void PingResponder::incoming(Connection& connection, const MessageView& message, const Next& next) {
    next(message);
    if (message.opcode == Opcode::ping) connection.pong(message.content);
}

}  // namespace hawser
