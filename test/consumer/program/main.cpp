#include <hawser/hawser.hpp>

#include <ev.h>

#include <iostream>
#include <string>

// A daemon with a loop of its own that talks to itself: prints the version and what was echoed.
int main() {
    struct ev_loop* loop = ev_default_loop(0);
    hawser::Reactor reactor(loop);
    hawser::Server server(reactor, {.host = "127.0.0.1", .port = 0});
    server.on_text([](hawser::Connection& connection, hawser::MessageView message) { connection.text(message.content); });
    server.start();

    hawser::Client client(reactor, "ws://127.0.0.1:" + std::to_string(server.port()));
    std::string echoed;
    client.on_text([&](hawser::Connection& connection, hawser::MessageView message) {
        echoed = message.content;
        connection.close();
    });
    client.on_disconnect([&](hawser::Connection&, const hawser::Disconnect&) { ev_break(loop, EVBREAK_ALL); });
    client.text("hello");
    ev_run(loop, 0);
    try {
        hawser::Uri("http://127.0.0.1/");
    } catch (const hawser::Error& error) {  // caught by a type of the library's
        if (error.errc() == hawser::Errc::bad_uri) std::cout << "hawser " HAWSER_VERSION ": " << echoed << '\n';
    }
}
