#include "fuzz/fuzz.hpp"
#include "support/session_peer.hpp"

// The opening handshake, in both roles, with whatever comes behind it: pieces give what the whole gives.

using namespace hawser;
using protocol::Role;
using support::SessionPeer;

namespace {

struct Result {
    std::vector<std::string> events;
    std::string sent;
};

Result shake_hands(Role role, bool offers, std::string_view bytes, unsigned seed) {
    Configuration configuration;
    configuration.max_head_size = 4096;
    configuration.max_message_size = 100'000;
    SessionPeer peer(role, configuration);
    if (offers) peer.session.use_deflate({}, std::make_shared<protocol::DeflatePool>());
    if (role == Role::client) peer.start();
    fuzz::in_pieces(bytes, seed, [&](std::string_view piece) {
        if (!peer.session.is_over()) peer.feed(piece);
        fuzz::require(peer.session.is_over() || peer.session.was_open() || peer.session.next_deadline() != TimePoint::max() ||
                          !peer.session.wants_input(),
                      "an opening has its deadline");
    });
    if (!peer.session.is_over()) peer.session.receive_end();
    peer.flush();
    return {peer.events, peer.output.take()};
}

}  // namespace

void fuzz::run(std::string_view input) {
    Choices choices(input);
    const unsigned flags = choices.byte();
    const Role role = (flags & 1u) != 0 ? Role::client : Role::server;
    const unsigned seed = choices.byte();
    const Result pieces = shake_hands(role, (flags & 2u) != 0, choices.rest(), seed);
    const Result whole = shake_hands(role, (flags & 2u) != 0, choices.rest(), 11);
    require(pieces.events == whole.events, "how the bytes are cut changes nothing that is told");
    require(pieces.sent == whole.sent, "how the bytes are cut changes nothing that is sent");
}
