#include "text_commands.hpp"

#include <algorithm>
#include <array>
#include <sstream>

namespace hawser::command {

namespace {

std::string describe(const Connection& connection) {
    std::ostringstream text;
    const Request* request = connection.handshake_request();
    const Response* response = connection.handshake_response();
    text << std::boolalpha << "Connection info:\n"
         << "  - Local:       " << connection.name() << "\n"
         << "  - Remote:      " << connection.remote_name() << "\n"
         << "  - Request:     " << (request ? request->target : "") << "\n"
         << "  - Response:    " << (response ? response->status : 0) << "\n"
         << "  - Connected:   " << connection.is_connected() << "\n"
         << "  - Readable:    " << connection.is_readable() << "\n"
         << "  - Writable:    " << connection.is_writable() << "\n"
         << "  - Timeout:     " << connection.timeout().count() << "s\n"
         << "  - Frame size:  " << connection.frame_size() << "b\n";
    return text.str();
}

std::string describe(const Server& server) {
    std::ostringstream text;
    text << std::boolalpha << "Server info:\n"
         << "  - Running:     " << server.is_running() << "\n"
         << "  - Connections: " << server.connection_count() << "\n"
         << "  - Port:        " << server.port() << "\n"
         << "  - Scheme:      " << server.scheme() << "\n"
         << "  - Timeout:     " << server.timeout().count() << "s\n"
         << "  - Frame size:  " << server.frame_size() << "b\n";
    return text.str();
}

struct TextCommand {
    std::string_view text;
    void (*obey)(Server& server, Connection& connection);
};

constexpr std::array text_commands = {
    TextCommand{"@close", [](Server&, Connection& connection) { connection.close(); }},
    TextCommand{"@ping", [](Server&, Connection& connection) { connection.ping(); }},
    TextCommand{"@disconnect", [](Server&, Connection& connection) { connection.disconnect(); }},
    TextCommand{"@info", [](Server&, Connection& connection) { connection.text(describe(connection)); }},
    TextCommand{"@server-stop", [](Server& server, Connection&) { server.stop(); }},
    TextCommand{"@server-close", [](Server& server, Connection&) { server.close(); }},
    TextCommand{"@server-ping", [](Server& server, Connection&) { server.ping(); }},
    TextCommand{"@server-disconnect", [](Server& server, Connection&) { server.disconnect(); }},
    TextCommand{"@server-info", [](Server& server, Connection& connection) { connection.text(describe(server)); }},
};

}  // namespace

bool obey(Server& server, Connection& connection, std::string_view text, bool commands_server) {
    if (text.starts_with("@server-") && !commands_server) return false;
    const auto found = std::find_if(text_commands.begin(), text_commands.end(), [&](const TextCommand& one) { return one.text == text; });
    if (found == text_commands.end()) return false;
    found->obey(server, connection);
    return true;
}

}  // namespace hawser::command
