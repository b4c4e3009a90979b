#include <fcntl.h>
#include <netdb.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <system_error>

#include "sources.hpp"

namespace hawser::check {

namespace {

std::runtime_error cannot_reach(const Uri& uri, const std::string& why) {
    return std::runtime_error("cannot connect to " + uri.host() + " port " + std::to_string(uri.port()) + ": " + why);
}

/// Waits for a connection to each address in turn, until one succeeds.
const addrinfo* first_reachable(const addrinfo* list, int& error) {
    for (; list; list = list->ai_next) {
        const int descriptor = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        error = descriptor < 0 || connect(descriptor, list->ai_addr, list->ai_addrlen) != 0 ? errno : 0;
        if (descriptor >= 0) close(descriptor);
        if (error == 0) return list;
    }
    return nullptr;
}

}  // namespace

ServerSource::ServerSource(Run& run, const Uri& uri) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const int status = getaddrinfo(uri.host().c_str(), std::to_string(uri.port()).c_str(), &hints, &list);
    if (status != 0) throw cannot_reach(uri, gai_strerror(status));
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, freeaddrinfo);
    int error = 0;
    const addrinfo* const found = first_reachable(list, error);
    if (!found) throw cannot_reach(uri, std::generic_category().message(error));
    size_ = found->ai_addrlen;
    std::memcpy(&address_, found->ai_addr, size_);
    run.on_start = [this](Trial& trial) { trial.open(dial(), true); };
}

int ServerSource::dial() const {
    const int descriptor = socket(address_.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) throw std::runtime_error(std::string("cannot make a socket: ") + std::generic_category().message(errno));
    // Whatever comes of it shows when the socket is writable.
    static_cast<void>(connect(descriptor, reinterpret_cast<const sockaddr*>(&address_), size_));
    return descriptor;
}

}  // namespace hawser::check
