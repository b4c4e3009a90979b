// socket_activation: echoes on the socket that systemd listens on for it (sd_listen_fds(3)); see the units in systemd/.
#include <hawser/hawser.hpp>

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>

namespace {

constexpr int first_descriptor = 3;

int passed_descriptor() {
    const char* process = std::getenv("LISTEN_PID");  // NOLINT(concurrency-mt-unsafe): there is no other thread
    const char* count = std::getenv("LISTEN_FDS");    // NOLINT(concurrency-mt-unsafe)
    const bool is_ours = process && count && std::to_string(getpid()) == process && std::string(count) == "1";
    return is_ours ? first_descriptor : -1;
}

}  // namespace

int main() {
    const int descriptor = passed_descriptor();
    if (descriptor < 0) return std::cerr << "socket_activation: no socket was passed; start it by its socket unit\n", 2;
    hawser::Reactor reactor;
    hawser::Server server(reactor, {.descriptor = descriptor});
    server.on_text([](hawser::Connection& connection, hawser::MessageView message) { connection.text(message.content); });
    server.start();  // a client may have been waiting for longer than this process lives
    std::cout << "listening on " << server.name() << std::endl;
    reactor.run();
}
