// mutual_tls AUTHORITY SERVER_CERTIFICATE SERVER_KEY CLIENT_CERTIFICATE CLIENT_KEY: server and clients that show each other
// certificates of one authority. (PEM files; the server's certificate is for "localhost".)
#include <hawser/hawser.hpp>

#include <iostream>

namespace {

hawser::Configuration identity(const char* authority) {
    hawser::Configuration configuration;
    configuration.context.set_option("ssl", "cafile", authority);
    configuration.context.set_option("ssl", "verify_peer", true);  // on a server: clients need a certificate
    return configuration;
}

void call(hawser::Reactor& reactor, std::uint16_t port, const hawser::Configuration& configuration) {
    hawser::Client client(reactor, "wss://localhost:" + std::to_string(port), {.configuration = configuration});
    client.on_text([](hawser::Connection& connection, hawser::MessageView message) {
        std::cout << "answered: " << message.content << std::endl;
        connection.close();
    });
    client.on_disconnect([&](hawser::Connection&, const hawser::Disconnect&) { reactor.stop(); });
    client.on_error([&](hawser::Connection*, const hawser::Error& error) {
        std::cout << "refused: " << error.what() << std::endl;
        reactor.stop();
    });
    client.text("hello");
    reactor.run();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6) return std::cerr << "usage: mutual_tls AUTHORITY SERVER_CERTIFICATE SERVER_KEY CLIENT_CERTIFICATE CLIENT_KEY\n", 2;
    hawser::Reactor reactor;
    hawser::Configuration configuration = identity(argv[1]);
    configuration.context.set_option("ssl", "local_cert", argv[2]);
    configuration.context.set_option("ssl", "local_pk", argv[3]);
    hawser::Server server(reactor, {.host = "localhost", .port = 0, .ssl = true, .configuration = configuration});
    server.on_text([](hawser::Connection& connection, hawser::MessageView message) { connection.text(message.content); });
    server.start();

    hawser::Configuration known = identity(argv[1]);
    known.context.set_option("ssl", "local_cert", argv[4]);
    known.context.set_option("ssl", "local_pk", argv[5]);
    call(reactor, server.port(), known);
    call(reactor, server.port(), identity(argv[1]));  // shows none
}
