#include <hawser/hawser.hpp>

#include "endpoint/server_base.hpp"
#include "fuzz/fuzz.hpp"
#include "support/sim_transport.hpp"

// A whole connection of a server, on the simulated wire and clock: whatever the peer sends, and however that is cut, it ends, is told
// of once, and leaves nothing.

using namespace hawser;

namespace {

struct SimulatedServer final : Server {
    using Server::Server;
    void accept(std::unique_ptr<transport::Transport> transport) {
        static_cast<endpoint::ServerBase&>(*base_).accept(std::move(transport));
    }
};

struct Told {
    int handshakes = 0, ends = 0, late = 0;

    void listen(Server& server) {
        server.on_handshake([this](Connection&, const Request&, const Response&) { ++handshakes; });
        server.on_disconnect([this](Connection&, const Disconnect&) { ++ends; });
        server.on_message([this](Connection& connection, MessageView message) {
            if (ends != 0) ++late;
            if (message.opcode == Opcode::text || message.opcode == Opcode::binary) connection.send(message);
        });
    }
};

support::WireOptions wire_from(fuzz::Choices& choices) {
    support::WireOptions options;
    options.seed = choices.byte();
    options.capacity = 1 + choices.byte() * 64u;
    options.record = choices.byte() % 64u;
    return options;
}

Configuration configuration_from(fuzz::Choices& choices) {
    Configuration configuration;
    configuration.max_message_size = 20'000;
    configuration.max_buffered_amount = 50'000;
    configuration.allow_half_open = choices.flag();
    return configuration;
}

constexpr std::string_view handshake =
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

}  // namespace

void fuzz::run(std::string_view input) {
    Choices choices(input);
    const support::WireOptions options = wire_from(choices);
    const auto counts = std::make_shared<support::SimCounts>();
    Told told;
    {
        Reactor reactor(support::make_sim_core(1));
        support::SimLoop& loop = support::sim_loop(reactor);
        loop.limit_iterations(200'000);
        {
            SimulatedServer server(reactor, {.configuration = configuration_from(choices)});
            server.add_middleware(std::make_shared<CompressionExtension>());
            told.listen(server);
            const auto [far, near] = support::make_wire(loop, options);
            server.accept(support::make_sim_transport(loop, near, options, counts));
            if (choices.flag()) far->send(handshake);
            in_pieces(choices.rest(), options.seed == 0 ? 11 : static_cast<unsigned>(options.seed),
                      [&, &peer = *far](std::string_view piece) {
                          peer.send(piece);
                          support::settle(reactor);
                          peer.take();
                      });
            far->shutdown_write();
            support::run_for(reactor, Seconds(300));
            far->close();
            // With allow_half_open, a peer that is gone is missed by who writes to it.
            for (const ConnectionPtr& connection : server.connections()) connection->close();
            support::run_for(reactor, Seconds(300));
            require(server.connection_count() == 0, "a connection whose peer is gone ends");
        }
        support::settle(reactor);
        require(loop.watched() == 0 && loop.armed() == 0, "no watcher and no deadline is left");
    }
    require(counts->open == 0 && counts->transports == 0, "no descriptor and no transport is left");
    require(told.handshakes == told.ends && told.handshakes <= 1 && told.late == 0, "one end for a handshake, and nothing behind it");
}
