#pragma once

#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>

#include "support/frames.hpp"
#include "support/session_peer.hpp"
#include "support/sockets.hpp"

namespace support {

/// All that is soft in the limit of open files; returns the limit.
inline std::size_t raise_descriptor_limit() {
    rlimit limit{};
    check(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
    limit.rlim_cur = limit.rlim_max;
    check(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
    return limit.rlim_cur;
}

/// One end of the line between a test and a process of peers, which blocks.
class Line {
public:
    explicit Line(Descriptor socket) : socket_(std::move(socket)) {}
    int descriptor() const noexcept { return socket_.get(); }

    template <typename Value>
    void put(const Value& value) const {
        static_assert(std::is_trivially_copyable_v<Value>);
        check(static_cast<int>(send(socket_.get(), &value, sizeof value, MSG_NOSIGNAL)), "send");
    }
    template <typename Value>
    Value get() const {
        static_assert(std::is_trivially_copyable_v<Value>);
        Value value{};
        if (recv(socket_.get(), &value, sizeof value, MSG_WAITALL) != sizeof value) throw std::runtime_error("the other process is gone");
        return value;
    }
    /// The other end hears that nothing more comes, whoever else has inherited the socket.
    void finish() const { shutdown(socket_.get(), SHUT_WR); }
    void wait_for_end() const {
        char byte;
        while (recv(socket_.get(), &byte, 1, 0) > 0) {
        }
    }

private:
    Descriptor socket_;
};

/// A process whose descriptors and memory are not the test's. It is forked at once: make it before there is a reactor.
class PeerProcess {
public:
    /// `work(const Line&)` returns true when all was well.
    template <typename Work>
    explicit PeerProcess(Work work) {
        int ends[2];
        check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
        line_ = Line(Descriptor(ends[0]));
        Line other{Descriptor(ends[1])};
        process_ = check(fork(), "fork");
        if (process_ != 0) return;
        line_ = Line(Descriptor());
        _exit(run(work, other));
    }
    PeerProcess(const PeerProcess&) = delete;
    PeerProcess& operator=(const PeerProcess&) = delete;
    ~PeerProcess() {
        if (process_ <= 0) return;
        kill(process_, SIGKILL);
        wait();
    }

    const Line& line() const noexcept { return line_; }
    /// Tells it to end, and waits for that; whether all was well.
    bool finish() {
        line_.finish();
        return wait() == 0;
    }

private:
    template <typename Work>
    static int run(Work& work, const Line& line) noexcept {
        try {
            // What fails there is not the test runner's to report.
            for (const int signal : {SIGABRT, SIGSEGV, SIGTERM, SIGINT}) ::signal(signal, SIG_DFL);
            return work(line) ? 0 : 1;
        } catch (const std::exception& exception) {
            std::fprintf(stderr, "process of peers: %s\n", exception.what());
            return 2;
        }
    }
    int wait() {
        int status = 0;
        while (waitpid(process_, &status, 0) < 0 && errno == EINTR) {
        }
        process_ = 0;
        return status;
    }

    Line line_{Descriptor()};
    pid_t process_ = 0;
};

/// A blocking client socket without a protocol. Ten thousand of them share a source address, which has not many more ports.
inline Descriptor connect_raw(std::uint16_t port, std::size_t index = 0) {
    Descriptor socket(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    sockaddr_storage storage;
    socklen_t length = Address::literal("127.0.0." + std::to_string(1 + index / 10'000), 0).to_sockaddr(storage);
    const int on = 1;
    check(setsockopt(socket.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on), "setsockopt");
    check(bind(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length), "bind");
    length = Address::literal("127.0.0.1", port).to_sockaddr(storage);
    check(connect(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length), "connect");
    return socket;
}

/// Whether all of it was taken.
inline bool send_raw(const Descriptor& socket, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

/// Waits for the answer to the request; whether it is 101.
inline bool is_accepted(const Descriptor& socket) {
    std::string head;
    char byte;
    while (!head.ends_with("\r\n\r\n")) {
        if (recv(socket.get(), &byte, 1, 0) != 1) return false;
        head += byte;
    }
    return head.starts_with("HTTP/1.1 101 ");
}

/// One whose handshake is complete.
inline Descriptor open_raw(std::uint16_t port, std::size_t index = 0) {
    Descriptor socket = connect_raw(port, index);
    if (!send_raw(socket, request_head) || !is_accepted(socket)) throw std::runtime_error("the handshake was refused");
    return socket;
}

/// Ends it by an RST.
inline void reset_raw(Descriptor& socket) {
    const linger at_once{1, 0};
    setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    socket.reset();
}

}  // namespace support
