// Echoes messages through a connection of a server, to have its instructions counted:
// message_cost MESSAGES [MIDDLEWARES [SIZE [text|binary]]]

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <string_view>

#include <hawser/hawser.hpp>

#include "endpoint/server_base.hpp"
#include "protocol/frame.hpp"
#include "transport/transport.hpp"

namespace {

using namespace hawser;
using transport::IoResult;

/// Brings the same bytes again and again, and takes whatever is written.
class Repeating final : public transport::Transport {
public:
    IoResult read(std::span<char> into) override {
        const std::size_t size = std::min(into.size(), bytes_.size() - taken_);
        if (size == 0) return IoResult::would_block();
        // What a large message says does not matter, and copying it is the kernel's work.
        std::memcpy(into.data(), bytes_.data() + taken_, std::min(size, copied));
        taken_ += size;
        return IoResult::done(size);
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
        for (taken_ = 0; taken_ < bytes_.size();) observer_->on_transport_ready(Readiness::readable);
    }

private:
    static constexpr std::size_t copied = 4096;
    Observer* observer_ = nullptr;
    std::string bytes_;
    std::size_t taken_ = 0;
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

/// A client's message, with a key of zeros.
std::string frame(hawser::Opcode opcode, std::size_t size) {
    std::string bytes(protocol::max_header_size, '\0');
    bytes.resize(static_cast<std::size_t>(
        protocol::write_header(bytes.data(), true, static_cast<unsigned>(opcode), size, protocol::MaskingKey{}) - bytes.data()));
    return bytes.append(size, 't');
}

/// Small messages come ten at a time.
std::string burst(hawser::Opcode opcode, std::size_t size) {
    std::string bytes;
    for (int i = 0; i < (size < 1000 ? 10 : 1); ++i) bytes += frame(opcode, size);
    return bytes;
}

}  // namespace

int main(int argc, char** argv) {
    const long messages = argc > 1 ? std::atol(argv[1]) : 100'000;
    const long middlewares = argc > 2 ? std::atol(argv[2]) : 0;
    const std::size_t size = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 20;
    const Opcode opcode = argc > 4 && std::string_view(argv[4]) == "binary" ? Opcode::binary : Opcode::text;
    Reactor reactor;
    EchoServer server(reactor, {.host = "127.0.0.1", .port = 0});
    long echoed = 0;
    const auto echo = [&](Connection& connection, MessageView message) {
        connection.send(message);
        ++echoed;
    };
    server.on_text(echo).on_binary(echo);
    for (long i = 0; i < middlewares; ++i) server.add_middleware(std::make_shared<Forward>());
    server.start();
    auto transport = std::make_unique<Repeating>();
    Repeating& wire = *transport;
    server.accept(std::move(transport));
    wire.bring(
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    wire.bring(burst(opcode, size));
    while (echoed < messages) wire.bring();
    std::cout << echoed << " messages of " << size << " bytes echoed\n";
}
