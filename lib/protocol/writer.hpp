#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <hawser/error.hpp>
#include <hawser/message.hpp>

#include "protocol/frame.hpp"
#include "protocol/utf8.hpp"
#include "types/entropy.hpp"

namespace hawser::protocol {

/// Takes the bytes that a session sends, in order.
class Output {
public:
    /// Room for `size` bytes, at most `max_reserve`, which the caller fills before any other call.
    virtual char* reserve(std::size_t size) = 0;
    /// Takes bytes that lie elsewhere; they are borrowed until the call returns.
    virtual void write(std::span<const iovec> slices) = 0;
    /// Takes bytes that are shared with other connections.
    virtual void write_shared(const std::shared_ptr<const std::string>& bytes) = 0;

    /// So much stays in the cache between its masking and its sending. With a header, so that a long message of a round size leaves
    /// no few bytes over.
    static constexpr std::size_t max_reserve = 256 * 1024 + max_header_size;

protected:
    ~Output() = default;
};

/// Why a message cannot be sent as it is.
struct Objection {
    Errc code;
    std::string what;
};
/// Nothing can be wrong with most messages.
inline bool is_sound_data(const MessageView& message) noexcept {
    return message.opcode == Opcode::binary || (message.opcode == Opcode::text && is_utf8(message.content));
}
std::optional<Objection> object_to(const MessageView& message);

/// One frame with a header of two bytes: what most messages are.
void write_short(Output& output, unsigned opcode, std::string_view payload);
/// Any frames.
void write_long(Output& output, Opcode opcode, std::string_view payload, std::size_t frame_size, unsigned rsv);
/// Writes the frames of a payload as a server does: unmasked, large ones from where they lie. `rsv` as in Fragments.
inline void write_unmasked(Output& output, Opcode opcode, std::string_view payload, std::size_t frame_size, unsigned rsv = 0) {
    if (payload.size() <= std::min(max_short_payload, frame_size))
        write_short(output, static_cast<unsigned>(opcode) | rsv, payload);
    else
        write_long(output, opcode, payload, frame_size, rsv);
}
/// The same as a client sends them.
void write_short_masked(Output& output, Entropy& entropy, unsigned opcode, std::string_view payload);
void write_long_masked(Output& output, Entropy& entropy, Opcode opcode, std::string_view payload, std::size_t frame_size, unsigned rsv);
/// As a client does: each frame masked with a new key (RFC 6455, section 5.3).
inline void write_masked(Output& output, Entropy& entropy, Opcode opcode, std::string_view payload, std::size_t frame_size,
                         unsigned rsv = 0) {
    if (payload.size() <= std::min(max_short_payload, frame_size))
        write_short_masked(output, entropy, static_cast<unsigned>(opcode) | rsv, payload);
    else
        write_long_masked(output, entropy, opcode, payload, frame_size, rsv);
}

/// Up to this many bytes, frames are copied behind each other; above, they are sent from the caller's memory.
inline constexpr std::size_t copy_limit = 32 * 1024;

}  // namespace hawser::protocol
