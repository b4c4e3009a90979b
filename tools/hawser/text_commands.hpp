#pragma once

#include <string_view>

#include <hawser/server.hpp>

namespace hawser::command {

/// Does what a text like "@close" says; false if it is none of these, or one for the server without `commands_server`.
bool obey(Server& server, Connection& connection, std::string_view text, bool commands_server);

}  // namespace hawser::command
