// own_loop: a daemon that has a libev loop already, with its timer and its signals. ev_run is the daemon's.
#include <ev.h>
#include <hawser/hawser.hpp>

#include <csignal>
#include <iostream>

namespace {

struct Daemon {
    struct ev_loop* loop = ev_default_loop(EVFLAG_AUTO);
    ev_timer every_second{};
    ev_signal on_term{};
    int seconds = 0;
    hawser::Reactor reactor{loop};
    hawser::Server server{reactor, {.host = "127.0.0.1", .port = 0}};
};

void tell_time(struct ev_loop*, ev_timer* timer, int) {
    auto& daemon = *static_cast<Daemon*>(timer->data);
    daemon.server.text(std::to_string(++daemon.seconds) + " s");  // to all
}

void end(struct ev_loop* loop, ev_signal* signal, int) {
    auto& daemon = *static_cast<Daemon*>(signal->data);
    ev_timer_stop(loop, &daemon.every_second);
    ev_signal_stop(loop, signal);
    daemon.server.shutdown();  // Close with 1001; when the last connection has gone nothing keeps ev_run
}

}  // namespace

int main() {
    Daemon daemon;
    ev_timer_init(&daemon.every_second, tell_time, 1., 1.);
    daemon.every_second.data = &daemon;
    ev_timer_start(daemon.loop, &daemon.every_second);
    ev_signal_init(&daemon.on_term, end, SIGTERM);
    daemon.on_term.data = &daemon;
    ev_signal_start(daemon.loop, &daemon.on_term);

    daemon.reactor.on_exception([](const std::exception_ptr&) { std::cerr << "a callback threw\n"; });
    daemon.server.on_text([](hawser::Connection& connection, hawser::MessageView message) { connection.text(message.content); });
    daemon.server.start();
    std::cout << "listening on ws://" << daemon.server.name() << '/' << std::endl;
    ev_run(daemon.loop, 0);
    std::cout << "ended after " << daemon.seconds << " s" << std::endl;
}
