// What an echo server costs at least: raw_ev SIZE [text]
//
// It shakes hands, but looks at no frame: it counts the bytes of the client's frames, whose size it knows, and for each that must have
// arrived whole it sends one made beforehand. So it makes the system calls of an echo server and moves as many bytes, and spends
// nothing on parsing, unmasking, copying or deadlines. The content is not what was sent, and SIZE is 3 at least.
#include <ev.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "listening.hpp"
#include "protocol/digest.hpp"
#include "protocol/frame.hpp"

namespace {

constexpr std::size_t buffer_size = 512 * 1024;
std::vector<char> buffer(buffer_size);
std::size_t client_frame, server_frame;  // sizes
std::string answers;                     // in a row, whole ones

struct Peer {
    ev_io readable, writable;
    std::uint64_t received = 0, answered = 0;  // bytes, frames
    std::size_t pending = 0;                   // bytes of answers that are due
    std::size_t phase = 0;                     // where in an answer the next byte is
    bool is_open = false;
};

void answer_with(std::size_t size, bool is_text) {
    using namespace hawser::protocol;
    char header[max_header_size];
    char* const end = write_header(header, true, is_text ? wire::text : wire::binary, size);
    const std::string frame = std::string(header, end) + std::string(size, 'x');
    client_frame = header_size(size, true) + size;
    server_frame = frame.size();
    for (std::size_t count = buffer_size / server_frame + 2; count != 0; --count) answers += frame;
}

/// False: the connection is over.
bool flush(Peer& peer) {
    while (peer.pending != 0) {
        const std::size_t length = std::min(peer.pending, answers.size() - peer.phase);
        const ssize_t sent = send(peer.readable.fd, answers.data() + peer.phase, length, MSG_NOSIGNAL);
        if (sent < 0) return errno == EAGAIN;
        peer.pending -= static_cast<std::size_t>(sent);
        peer.phase = (peer.phase + static_cast<std::size_t>(sent)) % server_frame;
        if (static_cast<std::size_t>(sent) < length) break;
    }
    return true;
}

/// Answers the request, which came in one piece; returns its length, or 0: it is none.
std::size_t shake_hands(Peer& peer, std::string_view request) {
    constexpr std::string_view field = "Sec-WebSocket-Key: ";
    const std::size_t key = request.find(field), end = request.find("\r\n\r\n");
    if (key == request.npos || end == request.npos) return 0;
    const std::string response = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
                                 hawser::protocol::accept_key(request.substr(key + field.size(), 24)) + "\r\n\r\n";
    peer.is_open = send(peer.readable.fd, response.data(), response.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(response.size());
    return peer.is_open ? end + 4 : 0;
}

/// Whether what came last is a Close with a status, which begins where a message would: 8 bytes with their header.
bool has_close(const Peer& peer, std::string_view received) {
    constexpr std::string_view begin = "\x88\x82";
    return peer.received % client_frame == 8 && received.size() >= 8 && received.substr(received.size() - 8, begin.size()) == begin;
}

bool receive(Peer& peer) {
    for (;;) {
        const ssize_t got = recv(peer.readable.fd, buffer.data(), buffer.size(), 0);
        if (got <= 0) return got < 0 && errno == EAGAIN;
        const auto length = static_cast<std::size_t>(got);
        std::size_t head = 0;
        if (!peer.is_open && (head = shake_hands(peer, {buffer.data(), length})) == 0) return false;
        peer.received += length - head;
        if (has_close(peer, {buffer.data(), length})) return false;
        const std::uint64_t due = peer.received / client_frame - peer.answered;
        peer.answered += due;
        peer.pending += due * server_frame;
        if (!flush(peer)) return false;
        if (length < buffer.size()) return true;
    }
}

void on_ready(struct ev_loop* loop, ev_io* watcher, int events) {
    Peer& peer = *static_cast<Peer*>(watcher->data);
    const bool is_well = events & EV_WRITE ? flush(peer) : receive(peer);
    if (!is_well || peer.pending == 0)
        ev_io_stop(loop, &peer.writable);
    else
        ev_io_start(loop, &peer.writable);
    if (is_well) return;
    ev_io_stop(loop, &peer.readable);
    close(peer.readable.fd);
    delete &peer;
}

void on_connection(struct ev_loop* loop, ev_io* watcher, int) {
    for (int descriptor; (descriptor = accept4(watcher->fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        const int on = 1;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        Peer* peer = new Peer;
        ev_io_init(&peer->readable, on_ready, descriptor, EV_READ);
        ev_io_init(&peer->writable, on_ready, descriptor, EV_WRITE);
        peer->readable.data = peer->writable.data = peer;
        ev_io_start(loop, &peer->readable);
    }
}

/// The listening descriptor, or -1.
int listen_on_loopback() {
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* name = reinterpret_cast<sockaddr*>(&address);
    if (bind(descriptor, name, length) != 0 || listen(descriptor, 4096) != 0 || getsockname(descriptor, name, &length) != 0) return -1;
    benchmark::announce(ntohs(address.sin_port));
    return descriptor;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    const std::size_t size = std::strtoul(argv[1], nullptr, 10);
    answer_with(size, argc > 2);
    const int descriptor = listen_on_loopback();
    if (descriptor < 0) return 1;
    struct ev_loop* loop = ev_default_loop(EVBACKEND_EPOLL);
    ev_io listener;
    ev_io_init(&listener, on_connection, descriptor, EV_READ);
    ev_io_start(loop, &listener);
    ev_run(loop, 0);
}
