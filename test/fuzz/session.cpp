#include "fuzz/fuzz.hpp"
#include "support/session_peer.hpp"

// An open session, to which bytes, calls, an end, time and failures happen in any order: it never sends what is not a frame, its
// callbacks keep their order, and no state is without a deadline that has to have one.

using namespace hawser;
using namespace support;
using protocol::Half;
using protocol::Role;

namespace {

constexpr Opcode kinds[] = {Opcode::text, Opcode::binary, Opcode::ping, Opcode::pong};

/// What the input's next byte has happen.
void happen(OpenPeer& peer, fuzz::Choices& choices) {
    const unsigned what = choices.byte();
    switch (what % 12) {
        case 0: peer.send(kinds[what / 12 % 4], choices.bytes(choices.byte())); break;
        case 1: peer.close(static_cast<CloseCode>(999 + what / 12), choices.bytes(choices.byte() % 8)); break;
        case 2: peer.session.close_read(); break;
        case 3: peer.session.close_write(); break;
        case 4: peer.session.receive_end(); break;
        case 5: peer.wait(Seconds(static_cast<double>(what / 12))); break;
        case 6: peer.session.set_reading((what / 12) % 2 == 0, peer.now); break;
        case 7: peer.session.write_blocked(peer.now); break;
        case 8: peer.session.write_progress(peer.now); break;
        case 9: peer.flush(); break;
        case 10: peer.feed_frame(choices.byte(), choices.bytes(choices.byte() % 130)); break;
        default: peer.feed(choices.bytes(choices.byte())); break;
    }
}

void check_told(const OpenPeer& peer) {
    std::size_t closes = 0;
    for (const std::string& event : peer.events) {
        fuzz::require(closes == 0 || event.starts_with("error"), "nothing but an error is told behind a Close");
        closes += event.starts_with("close") ? 1 : 0;
    }
}

void check_sent(const std::vector<std::string>& sent) {
    for (std::size_t i = 0; i < sent.size(); ++i) {
        fuzz::require(sent[i] != "failed" && sent[i] != "incomplete", "what is sent are whole frames");
        fuzz::require(!sent[i].starts_with("close") || i + 1 == sent.size(), "a Close is the last that is sent");
    }
}

}  // namespace

void fuzz::run(std::string_view input) {
    Choices choices(input);
    const unsigned flags = choices.byte();
    Configuration configuration;
    configuration.allow_half_open = (flags & 2u) != 0;
    configuration.max_message_size = 1000;
    configuration.frame_size = 1 + choices.byte();
    OpenPeer peer((flags & 1u) != 0 ? Role::client : Role::server, configuration);
    while (!choices.rest().empty() && !peer.session.is_over()) {
        happen(peer, choices);
        const bool is_closing =
            peer.session.read_half() == Half::closing || (peer.session.write_half() == Half::closing && peer.session.is_readable());
        const bool has_work = peer.session.step(true) != SessionPeer::Step::none;
        require(peer.session.is_over() || !is_closing || has_work || peer.session.next_deadline() != TimePoint::max(),
                "what closes has its deadline");
    }
    check_told(peer);
    check_sent(peer.sent());
}
