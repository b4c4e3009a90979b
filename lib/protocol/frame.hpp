#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <hawser/message.hpp>

#include "protocol/mask.hpp"

namespace hawser::protocol {

/// Which end of a connection: only a client masks (RFC 6455, section 5.1).
enum class Role : std::uint8_t { client, server };

/// Why the peer's bytes were refused: the status for the Close frame, and a sentence. The text is static.
struct Failure {
    CloseCode code = CloseCode::none;
    const char* reason = "";
};

/// Opcodes as they stand on the wire, continuation among them.
namespace wire {
constexpr unsigned continuation = 0x0;
constexpr unsigned text = 0x1;
constexpr unsigned binary = 0x2;
constexpr unsigned fin = 0x80;
constexpr unsigned rsv1 = 0x40;
constexpr unsigned rsv = 0x70;
constexpr unsigned opcode = 0x0F;
constexpr unsigned masked = 0x80;
}  // namespace wire

/// The longest payload whose length stands in a header's second byte; a control frame's may not be longer.
constexpr std::size_t max_short_payload = 125;
constexpr std::size_t max_control_payload = max_short_payload;
constexpr std::size_t max_close_reason = max_control_payload - 2;
/// Two bytes, eight of length, four of masking key.
constexpr std::size_t max_header_size = 14;

/// The header of a frame (RFC 6455, section 5.2).
struct FrameHeader {
    std::uint64_t length = 0;
    MaskingKey key{};
    std::uint8_t size = 0;  ///< bytes of the header itself
    std::uint8_t opcode = 0;
    bool fin = false;
    bool compressed = false;  ///< RSV1
};

enum class HeaderStatus : std::uint8_t { incomplete, complete, failed };

/// Parses the header at the start of `bytes`, as `receiver` has to see it; fails at the first byte that cannot be.
/// `may_compress`: permessage-deflate was agreed on, so that RSV1 may be set where a message begins (RFC 7692, section 6).
HeaderStatus parse_header(std::span<const char> bytes, Role receiver, FrameHeader& header, Failure& failure,
                          bool may_compress = false) noexcept;

/// Bytes of the header of a frame with this payload.
constexpr std::size_t header_size(std::uint64_t payload, bool masked) noexcept {
    return (payload < 126 ? 2u : payload < 65536 ? 4u : 10u) + (masked ? 4u : 0u);
}

/// Writes an unmasked header; returns behind its end. `opcode` is 0 for a continuation.
char* write_header(char* to, bool fin, unsigned opcode, std::uint64_t length) noexcept;
/// The same for a masked frame.
char* write_header(char* to, bool fin, unsigned opcode, std::uint64_t length, const MaskingKey& key) noexcept;

/// A message cut into frames of at most `frame_size` (RFC 6455, section 5.4); a control message is never cut.
/// `rsv` is set in the first frame: `wire::rsv1` for a compressed message (RFC 7692, section 6.1).
class Fragments {
public:
    Fragments(Opcode opcode, std::string_view content, std::size_t frame_size, unsigned rsv = 0) noexcept
        : rest_(content),
          frame_size_(is_control(opcode) ? max_control_payload : frame_size),
          opcode_(static_cast<unsigned>(opcode) | rsv) {}

    /// The next frame's payload; `opcode`, which `rsv` is part of, is 0 behind the first, `fin` set on the last. False when there is none
    /// left.
    bool next(std::string_view& payload, unsigned& opcode, bool& fin) noexcept {
        if (done_) return false;
        payload = {rest_.data(), std::min(rest_.size(), frame_size_)};
        rest_.remove_prefix(payload.size());
        opcode = opcode_;
        opcode_ = wire::continuation;
        fin = done_ = rest_.empty();
        return true;
    }

private:
    std::string_view rest_;
    std::size_t frame_size_;
    unsigned opcode_;
    bool done_ = false;
};

/// Bytes that the frames of a message take, headers included: of short frames more than a size can say where it has 32 bits.
std::uint64_t framed_size(std::uint64_t length, std::size_t frame_size, bool masked) noexcept;

/// The payload of a Close frame; empty for `CloseCode::none` and `no_status` (RFC 6455, section 5.5.1).
std::string_view write_close_payload(std::span<char, max_control_payload> to, CloseCode code, std::string_view reason) noexcept;

/// All frames of a message, unmasked, as a server sends them. `rsv` as in Fragments.
std::string encode_unmasked(const MessageView& message, std::size_t frame_size, unsigned rsv = 0);

}  // namespace hawser::protocol
