#pragma once

#include <netinet/in.h>

#include <array>
#include <map>
#include <memory>
#include <string>

#include "support/loopback.hpp"

namespace support {

/// A proxy for CONNECT on a free loopback port, whatever host it is asked for: it leads to that port of this machine.
class ProxyServer {
public:
    explicit ProxyServer(reactor::Core& core) : core_(core) {
        core_.attach(listening_.get(), Readiness::readable, [this](Readiness) { accept(); });
    }
    ProxyServer(const ProxyServer&) = delete;
    ProxyServer& operator=(const ProxyServer&) = delete;
    ~ProxyServer() {
        core_.detach(listening_.get());
        for (const auto& [from, end] : ends_) core_.detach(from);
    }
    std::string address() const { return Address::local_of(listening_.get()).str(); }

    std::vector<std::string> requests;

private:
    /// A socket, and the one that gets what it brings; -1 before there is one.
    struct End {
        Descriptor socket;
        int to = -1;
        std::string head{};
    };

    void accept() {
        Descriptor socket(check(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
        add(std::move(socket), -1);
    }
    void add(Descriptor socket, int to) {
        const int from = socket.get();
        ends_[from] = {std::move(socket), to};
        core_.attach(from, Readiness::readable, [this, from](Readiness) { pass(from); });
    }
    void pass(int from) {
        End& end = ends_.at(from);
        std::array<char, 16384> room;
        const ssize_t size = recv(from, room.data(), room.size(), 0);
        if (size <= 0) {
            core_.detach(from);
            if (end.to >= 0) shutdown(end.to, SHUT_WR);
        } else if (end.to >= 0) {
            send(end.to, {room.data(), static_cast<std::size_t>(size)});
        } else {
            end.head.append(room.data(), static_cast<std::size_t>(size));
            if (end.head.ends_with("\r\n\r\n")) connect(from, end);
        }
    }
    void connect(int from, End& end) {
        requests.push_back(end.head);
        const std::string target = end.head.substr(0, end.head.find(" HTTP"));
        const auto port = static_cast<std::uint16_t>(std::stoi(target.substr(target.rfind(':') + 1)));
        Descriptor socket = connect_to(Address::literal("127.0.0.1", port));
        end.to = socket.get();
        send(from, "HTTP/1.1 200 Connection established\r\n\r\n");
        add(std::move(socket), from);
    }
    // What is passed on is little, so that a blocking socket takes it.
    static void send(int to, std::string_view bytes) { ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL); }

    reactor::Core& core_;
    Descriptor listening_ = listen_on(Address::literal("127.0.0.1", 0));
    std::map<int, End> ends_;
};

}  // namespace support
