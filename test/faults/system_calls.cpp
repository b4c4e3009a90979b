#include <dlfcn.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

#include "faults/plan.hpp"

// The dynamic linker finds these before the C library's own, also for libev and c-ares. Each hands its call on, unless it is to fail.

namespace {

template <typename Function>
Function* next(const char* name) noexcept {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int socket(int domain, int type, int protocol) noexcept {
    return faults::strikes("socket") ? -1 : next<decltype(socket)>("socket")(domain, type, protocol);
}

int bind(int descriptor, const sockaddr* address, socklen_t length) noexcept {
    return faults::strikes("bind") ? -1 : next<decltype(bind)>("bind")(descriptor, address, length);
}

int listen(int descriptor, int backlog) noexcept {
    return faults::strikes("listen") ? -1 : next<decltype(listen)>("listen")(descriptor, backlog);
}

int accept4(int descriptor, sockaddr* address, socklen_t* length, int flags) {
    return faults::strikes("accept4") ? -1 : next<decltype(accept4)>("accept4")(descriptor, address, length, flags);
}

int connect(int descriptor, const sockaddr* address, socklen_t length) {
    const auto real = next<decltype(connect)>("connect");
    if (!faults::strikes("connect")) return real(descriptor, address, length);
    const int error = errno;
    // With these the kernel goes on connecting.
    if (error == EINTR || error == EINPROGRESS) real(descriptor, address, length);
    errno = error;
    return -1;
}

ssize_t recv(int descriptor, void* bytes, size_t size, int flags) {
    return faults::strikes("recv") ? -1 : next<decltype(recv)>("recv")(descriptor, bytes, size, flags);
}

ssize_t recvfrom(int descriptor, void* bytes, size_t size, int flags, sockaddr* address, socklen_t* length) {
    return faults::strikes("recvfrom") ? -1 : next<decltype(recvfrom)>("recvfrom")(descriptor, bytes, size, flags, address, length);
}

ssize_t send(int descriptor, const void* bytes, size_t size, int flags) {
    return faults::strikes("send") ? -1 : next<decltype(send)>("send")(descriptor, bytes, size, flags);
}

ssize_t sendmsg(int descriptor, const msghdr* message, int flags) {
    return faults::strikes("sendmsg") ? -1 : next<decltype(sendmsg)>("sendmsg")(descriptor, message, flags);
}

int shutdown(int descriptor, int how) noexcept {
    return faults::strikes("shutdown") ? -1 : next<decltype(shutdown)>("shutdown")(descriptor, how);
}

int setsockopt(int descriptor, int level, int name, const void* value, socklen_t length) noexcept {
    return faults::strikes("setsockopt") ? -1 : next<decltype(setsockopt)>("setsockopt")(descriptor, level, name, value, length);
}

int getsockopt(int descriptor, int level, int name, void* value, socklen_t* length) noexcept {
    return faults::strikes("getsockopt") ? -1 : next<decltype(getsockopt)>("getsockopt")(descriptor, level, name, value, length);
}

int getsockname(int descriptor, sockaddr* address, socklen_t* length) noexcept {
    return faults::strikes("getsockname") ? -1 : next<decltype(getsockname)>("getsockname")(descriptor, address, length);
}

int getpeername(int descriptor, sockaddr* address, socklen_t* length) noexcept {
    return faults::strikes("getpeername") ? -1 : next<decltype(getpeername)>("getpeername")(descriptor, address, length);
}

int open(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return faults::strikes("open") ? -1 : next<decltype(open)>("open")(path, flags, mode);
}

int epoll_create1(int flags) noexcept {
    return faults::strikes("epoll_create1") ? -1 : next<decltype(epoll_create1)>("epoll_create1")(flags);
}

int epoll_ctl(int poll, int operation, int descriptor, epoll_event* event) noexcept {
    const auto real = next<decltype(epoll_ctl)>("epoll_ctl");
    // libev gives up without a word the descriptor by which other threads wake it: only those that we have it watch are made to fail.
    struct stat status {};
    const bool is_ours = fstat(descriptor, &status) == 0 && S_ISSOCK(status.st_mode);
    if (!is_ours || !faults::strikes("epoll_ctl")) return real(poll, operation, descriptor, event);
    const int error = errno;
    // What is there already was put there.
    if (error == EEXIST) real(poll, operation, descriptor, event);
    errno = error;
    return -1;
}

int epoll_wait(int poll, epoll_event* events, int size, int timeout) {
    return faults::strikes("epoll_wait") ? -1 : next<decltype(epoll_wait)>("epoll_wait")(poll, events, size, timeout);
}

int eventfd(unsigned value, int flags) noexcept {
    return faults::strikes("eventfd") ? -1 : next<decltype(eventfd)>("eventfd")(value, flags);
}

int getentropy(void* bytes, size_t size) {
    return faults::strikes("getentropy") ? -1 : next<decltype(getentropy)>("getentropy")(bytes, size);
}

}  // extern "C"
