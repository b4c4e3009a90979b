// backpressure: both directions kept within bounds. Texts are work that takes its time: while enough of it waits, the peer
// is not read from. On a connection to /pour the server sends 1,000 messages of 64 KiB, as fast as the peer takes them.
#include <hawser/hawser.hpp>

#include <deque>
#include <iostream>

namespace {

constexpr std::size_t most_jobs = 8;
constexpr std::size_t few_jobs = 2;

/// What is kept for a connection.
struct Peer {
    int left_to_pour = 0;
    std::size_t most_buffered = 0;
    std::deque<std::string> jobs{};
    std::size_t most_waiting = 0;
};

void pour(hawser::Connection& connection) {
    static const std::string chunk(64 * 1024, 'x');
    auto& peer = **connection.meta<std::shared_ptr<Peer>>("peer");
    hawser::SendStatus status = hawser::SendStatus::ok;
    while (peer.left_to_pour > 0 && status == hawser::SendStatus::ok) {
        status = connection.binary(chunk);  // `backpressure`: this one was taken, the next waits for on_drain
        --peer.left_to_pour;
        peer.most_buffered = std::max(peer.most_buffered, connection.buffered_amount());
    }
    if (peer.left_to_pour == 0) connection.text("most buffered: " + std::to_string(peer.most_buffered));
}

void take_job(hawser::Connection& connection, hawser::MessageView message) {
    auto& peer = **connection.meta<std::shared_ptr<Peer>>("peer");
    peer.jobs.emplace_back(message.content);
    peer.most_waiting = std::max(peer.most_waiting, peer.jobs.size());
    if (peer.jobs.size() >= most_jobs) connection.pause();
}

void do_job(hawser::Connection& connection) {
    auto& peer = **connection.meta<std::shared_ptr<Peer>>("peer");
    if (peer.jobs.empty()) return;
    connection.text(peer.jobs.front() + " done, most waiting: " + std::to_string(peer.most_waiting));
    peer.jobs.pop_front();
    if (peer.jobs.size() <= few_jobs) connection.resume();
}

}  // namespace

int main() {
    hawser::Reactor reactor;
    hawser::Server server(reactor, {.host = "127.0.0.1", .port = 0});
    server.on_handshake([](hawser::Connection& connection, const hawser::Request& request, const hawser::Response&) {
        connection.set_meta("peer", std::make_shared<Peer>(Peer{.left_to_pour = request.path() == "/pour" ? 1000 : 0}));
        if (request.path() == "/pour") pour(connection);
    });
    server.on_drain([](hawser::Connection& connection) {
        if ((*connection.meta<std::shared_ptr<Peer>>("peer"))->left_to_pour > 0) pour(connection);
    });
    server.on_text(take_job);
    reactor.every(hawser::Seconds(0.001), [&] { server.connections().walk(do_job); });
    server.start();
    std::cout << "listening on ws://" << server.name() << '/' << std::endl;
    reactor.run();
}
