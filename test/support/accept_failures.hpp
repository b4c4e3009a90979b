#pragma once

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <deque>

namespace support {

/// What the next calls of accept4 fail with, before the system is asked again.
inline std::deque<int> accept_failures;

}  // namespace support

/// Stands in for the C library's, in an executable of which one source includes this.
extern "C" int accept4(int socket, sockaddr* address, socklen_t* length, int flags) {
    if (support::accept_failures.empty()) return static_cast<int>(syscall(SYS_accept4, socket, address, length, flags));
    errno = support::accept_failures.front();
    support::accept_failures.pop_front();
    return -1;
}
