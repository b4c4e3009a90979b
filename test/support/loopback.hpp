#pragma once

#include <poll.h>

#include <exception>
#include <functional>
#include <string>
#include <vector>

#include <hawser/hawser.hpp>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/run_until.hpp"
#include "support/sockets.hpp"

namespace support {

using namespace hawser;

/// The first member of a world: when all others are gone, as many descriptors are open as before. Of several worlds the first looks,
/// since they hold the ends of each other's connections.
class NothingLeft {
public:
    NothingLeft() { ++worlds_; }
    NothingLeft(const NothingLeft&) = delete;
    NothingLeft& operator=(const NothingLeft&) = delete;
    ~NothingLeft() {
        // A test that has failed is on its way out, and says so itself.
        if (--worlds_ == 0 && std::uncaught_exceptions() == 0) CHECK(open_descriptors() <= before_);
    }

private:
    static inline int worlds_ = 0;
    const std::size_t before_ = open_descriptors();
};

/// The member behind a reactor: when all others are gone, and what is parked there has heard of it, the reactor waits for nothing.
class NothingAwaited {
public:
    explicit NothingAwaited(Reactor& reactor) : reactor_(reactor) {}
    NothingAwaited(const NothingAwaited&) = delete;
    NothingAwaited& operator=(const NothingAwaited&) = delete;
    ~NothingAwaited() {
        if (std::uncaught_exceptions() != 0) return;
        run_ready(reactor_.core());
        CHECK_FALSE(reactor_.run_once(Seconds(0)));
    }

private:
    Reactor& reactor_;
};

/// A server on a free loopback port, on a loop of its own, and what it was told. At the end nothing may be left open.
class Loopback {
    NothingLeft nothing_left_;

public:
    explicit Loopback(Configuration configuration = {})
        : server(reactor, {.host = "127.0.0.1", .port = 0, .configuration = std::move(configuration)}) {
        server.on_error([this](Connection*, const Error& error) { errors.push_back(error); })
            .on_disconnect([this](Connection&, const Disconnect& ending) { endings.push_back(ending); });
    }

    std::string uri(const std::string& target = "/") const { return "ws://127.0.0.1:" + std::to_string(server.port()) + target; }
    template <typename Condition>
    void until(Condition&& condition) {
        REQUIRE(run_until(reactor.core(), condition));
    }
    /// A blocking client socket.
    Descriptor dial() const { return connect_to(transport::Address::literal("127.0.0.1", server.port())); }

    Reactor reactor;

private:
    NothingAwaited nothing_awaited_{reactor};

public:
    Server server;
    std::vector<Error> errors;
    std::vector<Disconnect> endings;
};

/// A peer made of a plain socket, driven by the test while it runs the reactor.
class RawPeer {
public:
    RawPeer(reactor::Core& core, Descriptor socket) : core_(core), socket_(std::move(socket)) {}

    void send(std::string_view bytes) const {
        REQUIRE(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
    }
    void finish() const { shutdown(socket_.get(), SHUT_WR); }
    void reset() {
        const linger at_once{1, 0};
        setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        socket_.reset();
    }
    /// Runs the reactor until the socket has ended or has brought what ends with `ending`.
    const std::string& receive(std::string_view ending = {}) {
        // Attached, so that what it brings wakes the loop.
        const int descriptor = socket_.get();
        core_.attach(descriptor, Readiness::readable, [this](Readiness) { drain(); });
        const bool received_it = run_until(core_, [&] {
            drain();
            return ended || (!ending.empty() && received.ends_with(ending));
        });
        core_.detach(descriptor);
        REQUIRE(received_it);
        return received;
    }
    /// Opens with the key of RFC 6455's example.
    void shake_hands(const std::string& extra = {}) {
        send(
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
            extra + "\r\n");
        receive("\r\n\r\n");
        REQUIRE(received.starts_with("HTTP/1.1 101 "));
        received.clear();
    }
    /// A client's frame with a key of zeros.
    static std::string frame(unsigned first, std::string_view payload) {
        std::string bytes{static_cast<char>(first), static_cast<char>(0x80 | payload.size())};
        return bytes + std::string(4, '\0') + std::string(payload);
    }

    std::string received;
    bool ended = false;

private:
    void drain() {
        char bytes[4096];
        ssize_t size = 0;
        while ((size = recv(socket_.get(), bytes, sizeof bytes, MSG_DONTWAIT)) > 0) received.append(bytes, static_cast<std::size_t>(size));
        if (size == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) ended = true;
    }

    reactor::Core& core_;
    Descriptor socket_;
};

}  // namespace support
