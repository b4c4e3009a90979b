#include "fuzz/fuzz.hpp"
#include "support/assembler_feed.hpp"

// Frames and the messages put together from them, in both roles, compressed or not: pieces, and parts that are received directly,
// give what the whole gives.

using namespace hawser;
using protocol::Role;
using support::AssemblerFeed;

namespace {

constexpr std::size_t max_message = 50'000;

AssemblerFeed make_feed(Role receiver, bool compresses) {
    Configuration limits;
    limits.max_message_size = max_message;
    limits.max_fragment_count = 50;
    AssemblerFeed feed(receiver, limits);
    if (compresses) feed.assembler.set_inflater(std::make_unique<protocol::Inflater>(15, true, std::make_shared<protocol::DeflatePool>()));
    return feed;
}

}  // namespace

void fuzz::run(std::string_view input) {
    Choices choices(input);
    const unsigned flags = choices.byte();
    const Role receiver = (flags & 1u) != 0 ? Role::client : Role::server;
    const bool compresses = (flags & 2u) != 0;
    const bool is_direct = (flags & 4u) != 0;
    const unsigned seed = choices.byte();
    AssemblerFeed whole = make_feed(receiver, compresses);
    whole.feed(choices.rest());
    AssemblerFeed cut = make_feed(receiver, compresses);
    // While another long message is under way, blocks go from one message to the next.
    std::weak_ptr<Buffer> spare;
    AssemblerFeed neighbour = make_feed(receiver, false);
    AssemblerFeed earlier = make_feed(receiver, false);
    cut.spare = neighbour.spare = earlier.spare = &spare;
    const std::string header = neighbour.header(protocol::wire::fin | protocol::wire::binary, max_message);
    neighbour.feed(header);
    neighbour.direct_target();
    earlier.feed(header);
    require(earlier.feed_direct(std::string(max_message, 'x'), max_message) == max_message, "a long message is received directly");
    in_pieces(choices.rest(), seed, [&](std::string_view piece) {
        while (!piece.empty() && !cut.has_failed()) {
            const std::size_t direct = is_direct ? cut.feed_direct(piece, piece.size()) : 0;
            piece.remove_prefix(direct);
            if (direct != 0) continue;
            cut.feed(piece);
            piece = {};
        }
    });
    require(cut.messages == whole.messages, "how frames are cut changes nothing");
    for (const std::string& message : cut.messages)
        require(message.size() <= max_message + 20, "no message is larger than max_message_size");
}
