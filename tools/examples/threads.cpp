// threads [COUNT]: a reactor and a server in each thread, all on one port: the kernel shares the connections out among them
// (SO_REUSEPORT). No thread knows of another's connections. SIGTERM ends all.
#include <hawser/hawser.hpp>

#include <csignal>
#include <future>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Worker {
    hawser::Reactor* reactor;
    std::uint16_t port;
};

void work(int number, std::uint16_t port, std::promise<Worker> started) {
    hawser::Reactor reactor;
    hawser::Server server(reactor, {.host = "127.0.0.1", .port = port});
    server.set_option("socket", "so_reuseport", true);
    server.on_text([&](hawser::Connection& connection, hawser::MessageView) { connection.text(std::to_string(number)); });
    server.start();
    started.set_value({&reactor, server.port()});
    reactor.run();
}

}  // namespace

int main(int argc, char** argv) {
    const int count = argc > 1 ? std::stoi(argv[1]) : 4;
    // Blocked in all threads, taken by this one.
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &term, nullptr);

    std::vector<std::thread> threads;
    std::vector<Worker> workers;
    for (int number = 0; number < count; ++number) {
        std::promise<Worker> promise;
        std::future<Worker> started = promise.get_future();
        threads.emplace_back(work, number, workers.empty() ? std::uint16_t{0} : workers.front().port, std::move(promise));
        workers.push_back(started.get());
    }
    std::cout << "listening on ws://127.0.0.1:" << workers.front().port << '/' << std::endl;
    int signal = 0;
    sigwait(&term, &signal);
    // The one call that is allowed from another thread.
    for (const Worker& worker : workers) worker.reactor->post([reactor = worker.reactor] { reactor->stop(); });
    for (std::thread& thread : threads) thread.join();
}
