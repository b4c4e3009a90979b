// Echoes messages through a connection of a server, to have its instructions counted:
// message_cost MESSAGES [MIDDLEWARES [SIZE [text|binary]]]

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include <hawser/hawser.hpp>

#include "cost/memory_server.hpp"

namespace {

using namespace hawser;

struct Forward final : Middleware {
    Hook hooks() const noexcept override { return Hook::incoming | Hook::outgoing; }
};

/// Small messages come ten at a time.
std::string burst(hawser::Opcode opcode, std::size_t size) {
    std::string bytes;
    for (int i = 0; i < (size < 1000 ? 10 : 1); ++i) bytes += cost::client_frame(opcode, std::string(size, 't'));
    return bytes;
}

}  // namespace

int main(int argc, char** argv) {
    const long messages = argc > 1 ? std::atol(argv[1]) : 100'000;
    const long middlewares = argc > 2 ? std::atol(argv[2]) : 0;
    const std::size_t size = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 20;
    const Opcode opcode = argc > 4 && std::string_view(argv[4]) == "binary" ? Opcode::binary : Opcode::text;
    cost::MemoryServer server;
    long echoed = 0;
    const auto echo = [&](Connection& connection, MessageView message) {
        connection.send(message);
        ++echoed;
    };
    server->on_text(echo).on_binary(echo);
    for (long i = 0; i < middlewares; ++i) server->add_middleware(std::make_shared<Forward>());
    server.open();
    server.set_input(burst(opcode, size));
    while (echoed < messages) server.bring();
    std::cout << echoed << " messages of " << size << " bytes echoed\n";
}
