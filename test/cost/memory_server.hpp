#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <hawser/hawser.hpp>

#include "endpoint/server_base.hpp"
#include "protocol/frame.hpp"
#include "transport/transport.hpp"

namespace cost {

/// Brings the same bytes again and again, and takes whatever is written.
class RepeatingTransport final : public hawser::transport::Transport {
public:
    using IoResult = hawser::transport::IoResult;
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
    void watch(Observer& observer, hawser::Readiness) override { observer_ = &observer; }
    std::string name() const override { return "memory"; }
    std::string remote_name() const override { return "memory"; }

    void set_bytes(std::string bytes) { bytes_ = std::move(bytes); }
    void bring() {
        for (taken_ = 0; taken_ < bytes_.size();) observer_->on_transport_ready(hawser::Readiness::readable);
    }

private:
    static constexpr std::size_t copied = 4096;
    Observer* observer_ = nullptr;
    std::string bytes_;
    std::size_t taken_ = 0;
};

/// A server with one connection, in memory.
class MemoryServer {
public:
    hawser::Server* operator->() noexcept { return &server_; }
    /// The opening handshake; `fields` are further lines of the request.
    void open(std::string_view fields = {}) {
        server_.start();
        auto transport = std::make_unique<RepeatingTransport>();
        wire_ = transport.get();
        server_.accept(std::move(transport));
        wire_->set_bytes(
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
            std::string(fields) + "\r\n");
        wire_->bring();
    }
    /// What bring() has the connection receive.
    void set_input(std::string bytes) { wire_->set_bytes(std::move(bytes)); }
    void bring() { wire_->bring(); }

private:
    struct Endpoint final : hawser::Server {
        using Server::Server;
        void accept(std::unique_ptr<hawser::transport::Transport> transport) {
            static_cast<hawser::endpoint::ServerBase&>(*base_).accept(std::move(transport));
        }
    };
    hawser::Reactor reactor_;
    Endpoint server_{reactor_, {.host = "127.0.0.1", .port = 0}};
    RepeatingTransport* wire_ = nullptr;
};

/// A client's message, with a key of zeros.
inline std::string client_frame(hawser::Opcode opcode, std::string_view payload, bool is_compressed = false) {
    using namespace hawser::protocol;
    const unsigned rsv = is_compressed ? wire::rsv1 : 0U;
    std::string bytes(max_header_size, '\0');
    const char* end = write_header(bytes.data(), true, static_cast<unsigned>(opcode) | rsv, payload.size(), MaskingKey{});
    bytes.resize(static_cast<std::size_t>(end - bytes.data()));
    return bytes.append(payload);
}

}  // namespace cost
