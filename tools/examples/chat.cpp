// chat [PORT]: what one says, all hear. The name comes from the target: ws://127.0.0.1:PORT/anna
#include <hawser/hawser.hpp>

#include <iostream>
#include <string>

int main(int argc, char** argv) {
    const auto port = static_cast<std::uint16_t>(argc > 1 ? std::stoul(argv[1]) : 0);
    hawser::Reactor reactor;
    hawser::Server server(reactor, {.host = "127.0.0.1", .port = port});
    // One that does not read is dropped before it costs more than this.
    hawser::Configuration configuration = server.configuration();
    configuration.max_buffered_amount = 64 * 1024;
    configuration.high_water_mark = configuration.low_water_mark = 32 * 1024;
    server.set_configuration(configuration);

    server.on_handshake([&](hawser::Connection& connection, const hawser::Request& request, const hawser::Response&) {
        const std::string name(request.path().substr(1));
        connection.set_meta("name", name.empty() ? "nobody" : name);
        server.text(*connection.meta<std::string>("name") + " came");
    });
    server.on_text([&](hawser::Connection& connection, hawser::MessageView message) {
        server.text(*connection.meta<std::string>("name") + ": " + std::string(message.content));
    });
    server.on_disconnect([&](hawser::Connection& connection, const hawser::Disconnect& end) {
        server.text(*connection.meta<std::string>("name") + (end.clean ? " went" : " was lost"));
    });
    server.start();
    std::cout << "listening on ws://" << server.name() << '/' << std::endl;
    reactor.run();
}
