// reconnecting_client URI: prints what it receives, and comes back when the connection is lost. A Close with 1000 ends it.
#include <hawser/hawser.hpp>

#include <iostream>

int main(int argc, char** argv) {
    if (argc != 2) return std::cerr << "usage: reconnecting_client URI\n", 2;
    hawser::Reactor reactor;
    hawser::Client client(reactor, argv[1]);
    // The wait before an attempt is drawn between 0 and a ceiling that doubles, from 0.1 s to 10 s.
    client.set_reconnect(hawser::ReconnectOptions{.initial = hawser::Seconds(0.1), .maximum = hawser::Seconds(10)});
    client.on_handshake([](hawser::Connection& connection, const hawser::Request&, const hawser::Response&) {
        std::cout << "connected to " << connection.remote_name() << std::endl;
        connection.text("subscribe");  // each time: the server does not know us any more
    });
    client.on_text([](hawser::Connection&, hawser::MessageView message) { std::cout << message.content << std::endl; });
    client.on_disconnect([&](hawser::Connection&, const hawser::Disconnect& end) {
        std::cout << "disconnected with " << static_cast<int>(end.code) << std::endl;
        if (end.code == hawser::CloseCode::normal) client.set_reconnect(std::nullopt);
    });
    client.on_error([](hawser::Connection*, const hawser::Error& error) { std::cerr << error.what() << '\n'; });
    client.connect();
    reactor.run();  // until there is nothing to wait for: no connection, and no attempt to make one
}
