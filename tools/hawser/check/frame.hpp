#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace hawser::check {

// RFC 6455, section 5.2.
namespace op {
constexpr unsigned continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10;
}

enum class LengthForm { minimal, bits16, bits64 };

/// A frame to be sent, as wrong as it is wanted. The checker has an encoding of its own: the library's cannot break the
/// rules, and would judge itself.
struct Frame {
    unsigned opcode = op::text;
    std::string payload{};
    bool fin = true;
    /// 4 is RSV1, 1 is RSV3.
    unsigned rsv = 0;
    LengthForm form = LengthForm::minimal;
    /// Said in the place of the payload's own.
    std::optional<std::uint64_t> length{};
    /// Masks where the role forbids it, or does not where it demands it.
    bool wrong_masking = false;
    std::optional<std::array<char, 4>> masking_key{};
};

using Frames = std::vector<Frame>;

Frame data(unsigned opcode, std::string payload);
/// FIN is not set: more follows.
Frame part(unsigned opcode, std::string payload);
/// Cuts a message into frames of that size, the last one excepted.
Frames fragments(unsigned opcode, const std::string& content, std::size_t size);
Frame close_frame(unsigned code, std::string_view reason = {});

std::string encode(const Frame& frame, bool masked, std::mt19937& random);

/// A frame as it was received.
struct ReceivedFrame {
    unsigned opcode = 0;
    bool fin = false;
    unsigned rsv = 0;
    bool masked = false;
    bool minimal = true;
    std::array<char, 4> masking_key{};
    std::string payload{};
};

/// Cuts a stream of bytes into frames, whatever they hold.
class FrameReader {
public:
    void feed(std::string_view bytes);
    /// The next whole frame, if it has arrived.
    std::optional<ReceivedFrame> next();
    /// Bytes of a frame that is not whole.
    std::size_t rest() const noexcept { return buffer_.size() - begin_; }

private:
    unsigned char byte(std::size_t index) const { return static_cast<unsigned char>(buffer_[begin_ + index]); }

    std::string buffer_{};
    std::size_t begin_ = 0;
};

/// Whether this is UTF-8 (RFC 3629).
bool is_utf8(std::string_view bytes);

}  // namespace hawser::check
