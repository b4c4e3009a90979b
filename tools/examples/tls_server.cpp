// tls_server CERTIFICATE KEY: echoes over wss. SIGHUP makes it read certificate and key anew, for connections to come.
#include <ev.h>
#include <hawser/hawser.hpp>

#include <csignal>
#include <iostream>

namespace {

void reload(struct ev_loop*, ev_signal* signal, int) {
    try {
        static_cast<hawser::Server*>(signal->data)->reload_context();
        std::cout << "reloaded" << std::endl;
    } catch (const hawser::Error& error) {
        std::cout << "kept the old ones: " << error.what() << std::endl;
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return std::cerr << "usage: tls_server CERTIFICATE KEY\n", 2;
    struct ev_loop* loop = ev_default_loop(EVFLAG_AUTO);
    hawser::Reactor reactor(loop);
    hawser::Server server(reactor, {.host = "127.0.0.1", .port = 0, .ssl = true});
    server.set_option("ssl", "local_cert", argv[1]).set_option("ssl", "local_pk", argv[2]);
    server.on_text([](hawser::Connection& connection, hawser::MessageView message) { connection.text(message.content); });
    // A stranger who speaks no TLS fails alone.
    server.on_error([](hawser::Connection*, const hawser::Error& error) { std::cerr << error.what() << '\n'; });
    server.start();

    ev_signal on_hup;
    ev_signal_init(&on_hup, reload, SIGHUP);
    on_hup.data = &server;
    ev_signal_start(loop, &on_hup);
    std::cout << "listening on wss://" << server.name() << '/' << std::endl;
    ev_run(loop, 0);
}
