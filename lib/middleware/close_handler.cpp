#include <hawser/middleware.hpp>

namespace hawser {

void CloseHandler::incoming(Connection& connection, const MessageView& message, const Next& next) {
    next(message);
    if (message.opcode == Opcode::close && connection.is_writable()) connection.close(message.close_status);
}

}  // namespace hawser
