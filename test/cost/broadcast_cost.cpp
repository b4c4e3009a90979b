// What a broadcast costs a server for each connection beyond the system call: broadcast_cost [ROUNDS [CONNECTIONS]]
//
// A server sends one message to all its connections over loopback TCP. A bare loop then sends the same bytes, encoded before,
// through the same kernel to as many sockets. Figures are medians, with the least and the most of the rounds, which take turns.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <hawser/hawser.hpp>

#include "cost/measure.hpp"
#include "support/sockets.hpp"

namespace {

using namespace hawser;
using support::Address;
using support::Descriptor;

constexpr std::string_view request =
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
constexpr std::size_t broadcasts_a_round = 9;

void require(bool condition, const char* what) {
    if (!condition) throw std::runtime_error(what);
}

Descriptor dial(std::uint16_t port) {
    Descriptor socket = support::connect_to(Address::literal("127.0.0.1", port));
    require(static_cast<bool>(socket), "cannot connect");
    return socket;
}

void drain(const std::vector<Descriptor>& sockets, std::size_t size) {
    std::string room(size, '\0');
    for (const Descriptor& socket : sockets)
        require(recv(socket.get(), room.data(), size, MSG_WAITALL) == static_cast<ssize_t>(size), "a message is not complete");
}

class Broadcaster {
public:
    explicit Broadcaster(std::size_t connections) {
        server_.start();
        for (std::size_t i = 0; i < connections; ++i) open();
    }
    /// Microseconds for a broadcast and all that follows from it.
    double time_of(const MessageView& message, std::size_t frames_size) {
        const double time = cost::time_of([&] {
            require(server_.send(message) == clients_.size(), "not all were sent to");
            reactor_.run_once(Seconds(0));
        });
        drain(clients_, frames_size);
        return time;
    }

private:
    void open() {
        const Descriptor& client = clients_.emplace_back(dial(server_.port()));
        require(send(client.get(), request.data(), request.size(), 0) == static_cast<ssize_t>(request.size()), "cannot ask");
        std::array<char, 512> response;
        while (recv(client.get(), response.data(), response.size(), MSG_DONTWAIT) <= 0) reactor_.run_once(Seconds(0));
        require(std::string_view(response.data(), 13) == "HTTP/1.1 101 ", "the server does not answer with 101");
    }

    Reactor reactor_;
    Server server_{reactor_, {.host = "127.0.0.1", .port = 0}};
    std::vector<Descriptor> clients_;
};

class Loop {
public:
    explicit Loop(std::size_t connections) {
        const Descriptor listener = support::listen_on(Address::literal("127.0.0.1", 0));
        const std::uint16_t port = Address::local_of(listener.get()).port();
        const int on = 1;
        for (std::size_t i = 0; i < connections; ++i) {
            clients_.push_back(dial(port));
            sockets_.emplace_back(support::check(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK), "accept4"));
            support::check(setsockopt(sockets_.back().get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
        }
    }
    double time_of(std::string_view bytes) {
        const double time = cost::time_of([&] {
            for (const Descriptor& socket : sockets_)
                require(send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()), "cannot send");
        });
        drain(clients_, bytes.size());
        return time;
    }

private:
    std::vector<Descriptor> clients_, sockets_;
};

}  // namespace

int main(int argc, char** argv) {
    const std::size_t rounds = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 11;
    const std::size_t connections = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 200;
    Broadcaster broadcaster(connections);
    Loop loop(connections);
    std::cout << "Microseconds for each of " << connections << " connections that are sent one message\n\n"
              << "| bytes | hawser | bare loop of send(2) | rate, of the loop's |\n|---|---|---|---|" << std::endl;
    for (const std::size_t size : {20U, 125U, 250U, 1024U, 4096U}) {
        const Binary message(std::string(size, 'b'));
        const std::string bytes = *PreparedMessage(message).frames();
        cost::Rounds ours, bare, ratio;
        for (std::size_t round = 0; round < rounds; ++round) {
            const auto each = [&](auto&& time) {
                std::vector<double> times;
                for (std::size_t i = 0; i < broadcasts_a_round; ++i) times.push_back(time() / static_cast<double>(connections));
                return cost::median(std::move(times));
            };
            const double with = each([&] { return broadcaster.time_of(message, bytes.size()); });
            const double without = each([&] { return loop.time_of(bytes); });
            ours.add(with);
            bare.add(without);
            ratio.add(without / with);
        }
        std::cout << "| " << size << " | " << ours.text() << " | " << bare.text() << " | " << ratio.text(3) << " |" << std::endl;
    }
}
