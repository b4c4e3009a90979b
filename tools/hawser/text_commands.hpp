#pragma once

#include <string_view>

#include <hawser/server.hpp>

namespace hawser::command {

/// Does what a text like "@close" says; false if it is none of these.
bool obey(Server& server, Connection& connection, std::string_view text);

}  // namespace hawser::command
