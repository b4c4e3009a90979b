#pragma once

#include <hawser/connection.hpp>

namespace hawser::command {

/// A peer that does not read what it is sent is not read from either, until on_drain calls resume().
inline void throttle(Connection& connection) {
    if (connection.buffered_amount() > connection.configuration().high_water_mark) connection.pause();
}

/// Sends a message back to where it came from.
inline void send_back(Connection& connection, const MessageView& message) {
    connection.send(MessageView{message.opcode, message.content});
    throttle(connection);
}

}  // namespace hawser::command
