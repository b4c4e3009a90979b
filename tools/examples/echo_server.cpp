// echo_server [PORT]: sends back what it receives.
#include <hawser/hawser.hpp>

#include <iostream>
#include <string>

int main(int argc, char** argv) {
    const auto port = static_cast<std::uint16_t>(argc > 1 ? std::stoul(argv[1]) : 0);  // 0: any that is free
    hawser::Reactor reactor;
    hawser::Server server(reactor, {.host = "127.0.0.1", .port = port});
    const auto echo = [](hawser::Connection& connection, hawser::MessageView message) { connection.send(message); };
    server.on_text(echo).on_binary(echo);
    server.on_error([](hawser::Connection*, const hawser::Error& error) { std::cerr << error.what() << '\n'; });
    server.start();
    std::cout << "listening on ws://" << server.name() << '/' << std::endl;
    reactor.run();
}
