#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "transport/address.hpp"
#include "transport/descriptor.hpp"

namespace support {

using hawser::transport::Address;
using hawser::transport::Descriptor;

inline int check(int result, const char* what) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), what);
    return result;
}

/// A blocking stream socket that is bound to `address` and listens.
inline Descriptor listen_on(const Address& address, int backlog = 16) {
    Descriptor socket(check(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    sockaddr_storage storage;
    const socklen_t length = address.to_sockaddr(storage);
    check(bind(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length), "bind");
    check(listen(socket.get(), backlog), "listen");
    return socket;
}

/// The result of a blocking connect: empty, with errno, when it failed.
inline Descriptor connect_to(const Address& address, int flags = 0) {
    Descriptor socket(check(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | flags, 0), "socket"));
    sockaddr_storage storage;
    const socklen_t length = address.to_sockaddr(storage);
    if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0 && errno != EINPROGRESS) {
        const int error = errno;
        socket.reset();
        errno = error;
    }
    return socket;
}

/// Whether this host has an IPv6 loopback address: not all containers do.
inline bool has_ipv6() {
    const Descriptor socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage storage;
    const socklen_t length = Address::literal("::1", 0).to_sockaddr(storage);
    return socket && bind(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length) == 0;
}

/// The loopback addresses this host has.
inline std::vector<const char*> loopbacks() {
    return has_ipv6() ? std::vector<const char*>{"127.0.0.1", "::1"} : std::vector<const char*>{"127.0.0.1"};
}

/// Two connected TCP sockets, the second of which blocks.
inline std::pair<Descriptor, Descriptor> tcp_pair() {
    const Descriptor listener = listen_on(Address::literal("127.0.0.1", 0));
    Descriptor client = connect_to(Address::local_of(listener.get()));
    const int accepted = accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    return {Descriptor(check(accepted, "accept")), std::move(client)};
}

/// A listening socket with a full backlog: a connect to it gets no answer.
class Blackhole {
public:
    explicit Blackhole(const Address& address) : listener_(listen_on(address, 0)) {
        // The first fills the backlog, the others wait for room in it.
        for (int i = 0; i < 3; ++i) fill_.push_back(connect_to(this->address(), SOCK_NONBLOCK));
        pollfd first{fill_.front().get(), POLLOUT, 0};
        check(poll(&first, 1, -1), "poll");
    }
    Address address() const { return Address::local_of(listener_.get()); }
    /// Accepts until it is one that did not come from here. Takes as long as that one takes to try again.
    Descriptor accept_another() const {
        while (true) {
            sockaddr_storage peer;
            socklen_t length = sizeof peer;
            Descriptor accepted(check(accept(listener_.get(), reinterpret_cast<sockaddr*>(&peer), &length), "accept"));
            const Address remote(reinterpret_cast<const sockaddr*>(&peer), length);
            const auto is_own = [&](const Descriptor& own) { return Address::local_of(own.get()) == remote; };
            if (std::none_of(fill_.begin(), fill_.end(), is_own)) return accepted;
        }
    }

private:
    Descriptor listener_;
    std::vector<Descriptor> fill_;
};

/// A directory that is removed with all that is in it.
class TemporaryDirectory {
public:
    TemporaryDirectory() : path_((std::filesystem::temp_directory_path() / "hawser-test-XXXXXX").string()) {
        if (!mkdtemp(path_.data())) throw std::system_error(errno, std::generic_category(), "mkdtemp");
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
    std::string file(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

}  // namespace support
