#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace support {

/// Two connected stream sockets, non-blocking; closed at the end.
class SocketPair {
public:
    SocketPair() {
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends_) != 0) {
            throw std::system_error(errno, std::generic_category(), "socketpair");
        }
    }
    ~SocketPair() {
        close_end(0);
        close_end(1);
    }
    SocketPair(const SocketPair&) = delete;
    SocketPair& operator=(const SocketPair&) = delete;

    /// The end under test, and the one the test plays the peer with.
    int near() const noexcept { return ends_[0]; }
    int far() const noexcept { return ends_[1]; }
    void close_near() noexcept { close_end(0); }
    /// Makes the near end readable.
    void feed() const { [[maybe_unused]] const auto n = write(far(), "x", 1); }
    /// Makes it unreadable again.
    void drain() const {
        char byte;
        while (read(near(), &byte, 1) == 1) {
        }
    }

private:
    void close_end(int end) noexcept {
        if (ends_[end] >= 0) close(std::exchange(ends_[end], -1));
    }

    int ends_[2] = {-1, -1};
};

}  // namespace support
