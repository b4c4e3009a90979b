// Echoes messages through a connection of a server, to have its instructions counted: message_cost MESSAGES [MIDDLEWARES]

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

#include <hawser/hawser.hpp>

#include "endpoint/server_base.hpp"
#include "transport/transport.hpp"

namespace {

using namespace hawser;
using transport::IoResult;

/// Brings the same bytes again and again, and takes whatever is written.
class Repeating final : public transport::Transport {
public:
    IoResult read(std::span<char> into) override {
        if (!ready_) return IoResult::would_block();
        ready_ = false;
        std::memcpy(into.data(), bytes_.data(), bytes_.size());
        return IoResult::done(bytes_.size());
    }
    IoResult write(std::span<const iovec> slices) override {
        std::size_t size = 0;
        for (const iovec& slice : slices) size += slice.iov_len;
        return IoResult::done(size);
    }
    IoResult shutdown_write() override { return IoResult::done(0); }
    void close() noexcept override {}
    bool pending() const noexcept override { return false; }
    void watch(Observer& observer, Readiness) override { observer_ = &observer; }
    std::string name() const override { return "memory"; }
    std::string remote_name() const override { return "memory"; }

    void bring(std::string bytes) {
        bytes_ = std::move(bytes);
        bring();
    }
    void bring() {
        ready_ = true;
        observer_->on_transport_ready(Readiness::readable);
    }

private:
    Observer* observer_ = nullptr;
    std::string bytes_;
    bool ready_ = false;
};

struct EchoServer final : Server {
    using Server::Server;
    void accept(std::unique_ptr<transport::Transport> transport) {
        static_cast<endpoint::ServerBase&>(*base_).accept(std::move(transport));
    }
};

struct Forward final : Middleware {
    Hook hooks() const noexcept override { return Hook::incoming | Hook::outgoing; }
};

/// A client's text of 20 bytes, with a key of zeros.
const std::string frame = std::string("\x81\x94\0\0\0\0", 6) + std::string(20, 't');
constexpr int frames_per_read = 10;

}  // namespace

int main(int argc, char** argv) {
    const long messages = argc > 1 ? std::atol(argv[1]) : 100'000;
    const long middlewares = argc > 2 ? std::atol(argv[2]) : 0;
    Reactor reactor;
    EchoServer server(reactor, {.host = "127.0.0.1", .port = 0});
    long echoed = 0;
    server.on_text([&](Connection& connection, MessageView message) {
        connection.send(message);
        ++echoed;
    });
    for (long i = 0; i < middlewares; ++i) server.add_middleware(std::make_shared<Forward>());
    server.start();
    auto transport = std::make_unique<Repeating>();
    Repeating& wire = *transport;
    server.accept(std::move(transport));
    wire.bring(
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    std::string burst;
    for (int i = 0; i < frames_per_read; ++i) burst += frame;
    wire.bring(burst);
    while (echoed < messages) wire.bring();
    std::cout << echoed << " messages of 20 bytes echoed\n";
}
