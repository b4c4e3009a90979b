#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/session_peer.hpp"

namespace support {

/// Two sessions back to back: what one sends is on its way to the other until it is delivered.
class SessionPair {
public:
    using Role = SessionPeer::Role;

    struct End {
        End(Role role, const hawser::Configuration& settings, unsigned seed) : peer(role, settings, seed) {}
        SessionPeer peer;
        std::string incoming{};           // on its way to it
        std::vector<std::string> sent{};  // the messages it sent, described
        bool has_shut = false;            // its write half: no more will come from it
        bool has_ended = false;           // it was told of the other's end
    };

    SessionPair(const hawser::Configuration& for_client, const hawser::Configuration& for_server, unsigned seed)
        : client(Role::client, for_client, seed), server(Role::server, for_server, seed + 1) {}

    End client;
    End server;

    End& other(const End& end) noexcept { return &end == &client ? server : client; }

    /// Sends a message, and remembers it if the session took it.
    hawser::SendStatus send(End& end, const hawser::MessageView& message, const hawser::PreparedMessage* prepared = nullptr) {
        const hawser::SendStatus status = end.peer.session.send(message, end.peer.now, prepared);
        if (status == hawser::SendStatus::ok) end.sent.push_back(described(message));
        return status;
    }
    /// What was sent is on its way.
    void collect() {
        server.incoming += client.peer.output.take();
        client.incoming += server.peer.output.take();
    }
    /// Up to `most` of the bytes arrive, if the session takes some now. Returns how many went where it wants a large message.
    std::size_t deliver(End& end, std::size_t most) {
        const std::string_view bytes = end.incoming;
        const std::size_t direct = end.peer.feed_direct(bytes, most);
        std::size_t size = direct;
        if (size == 0 && end.peer.session.wants_input()) end.peer.feed(bytes.substr(0, size = std::min(most, bytes.size())));
        end.incoming.erase(0, size);
        return direct;
    }
    /// Does what the session asks for, all that it sent having left; tells it of the other's end.
    void obey(End& end) {
        if (end.peer.flush() != SessionPeer::Step::none) end.has_shut = true;
        const bool is_at_end = other(end).has_shut && end.incoming.empty() && end.peer.tail().empty();
        if (is_at_end && !std::exchange(end.has_ended, true)) end.peer.session.receive_end();
    }
    /// All that is on its way arrives, in pieces of `next_size()` bytes; what the sessions ask for is done.
    template <typename Size>
    void settle(Size&& next_size) {
        for (int quiet = 0; quiet < 3; ++quiet) {
            for (End* end : {&client, &server}) {
                collect();
                end->peer.session.set_reading(true, end->peer.now);
                end->peer.resume();
                while (!end->incoming.empty() && !end->peer.session.is_over()) {
                    deliver(*end, next_size());
                    quiet = 0;
                }
                collect();
                obey(*end);
            }
        }
    }
};

}  // namespace support
