#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace support {

/// A copy on the heap that is exactly as large as its content: a sanitizer sees each access beyond it.
class ExactBytes {
public:
    explicit ExactBytes(std::string_view content) : bytes_(new char[content.size()]), size_(content.size()) {
        content.copy(bytes_.get(), size_);
    }
    std::span<char> span() const noexcept { return {bytes_.get(), size_}; }

private:
    std::unique_ptr<char[]> bytes_;
    std::size_t size_;
};

/// The header of a frame, written apart from the library's encoder: `first` is the first byte on the wire,
/// `length_bytes` how many bytes follow the short length (0, 2 or 8), whether that is the shortest form or not.
inline std::string raw_header(unsigned first, std::uint64_t length, unsigned length_bytes, bool masked) {
    std::string header;
    header += static_cast<char>(first);
    const std::uint64_t short_length = length_bytes == 0 ? length : length_bytes == 2 ? 126 : 127;
    header += static_cast<char>(short_length | (masked ? 0x80 : 0));
    for (unsigned shift = 8 * length_bytes; shift > 0; shift -= 8) header += static_cast<char>(length >> (shift - 8));
    if (masked) header += "\x37\xFA\x21\x3D";
    return header;
}

inline unsigned shortest_form(std::uint64_t length) { return length < 126 ? 0 : length < 65536 ? 2 : 8; }

/// A whole frame. A masked one has the key of the examples in RFC 6455, section 5.7.
inline std::string raw_frame(unsigned first, std::string_view payload, bool masked) {
    std::string frame = raw_header(first, payload.size(), shortest_form(payload.size()), masked);
    const std::array<unsigned, 4> key = {0x37, 0xFA, 0x21, 0x3D};
    for (std::size_t i = 0; i < payload.size(); ++i) {
        const unsigned byte = static_cast<unsigned char>(payload[i]) ^ (masked ? key[i % 4] : 0u);
        frame += static_cast<char>(byte);
    }
    return frame;
}

/// The payload of a Close frame.
inline std::string close_payload(unsigned code, std::string_view reason = {}) {
    std::string payload = {static_cast<char>(code >> 8), static_cast<char>(code)};
    return payload.append(reason);
}

/// The first bytes of frames.
namespace first {
constexpr unsigned text = 0x81;
constexpr unsigned binary = 0x82;
constexpr unsigned close = 0x88;
constexpr unsigned ping = 0x89;
constexpr unsigned pong = 0x8A;
constexpr unsigned text_begins = 0x01;
constexpr unsigned binary_begins = 0x02;
constexpr unsigned continues = 0x00;
constexpr unsigned ends = 0x80;
}  // namespace first

}  // namespace support
