#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hawser::protocol {

/// Whether a text is ASCII, as most is; false also for what takes longer to find out.
bool is_quickly_ascii(std::string_view text) noexcept;

/// Checks a stream of text for UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing over U+10FFFF), in pieces
/// of any size. Fails at the first byte that no valid text can have there.
class Utf8Validator {
public:
    /// False when the text so far cannot be the beginning of valid text; stays so.
    bool feed(std::string_view piece) noexcept { return (complete() && is_quickly_ascii(piece)) || feed_any(piece); }
    /// Valid, and not in the middle of a character.
    bool complete() const noexcept { return needed_ == 0 && !failed_; }

private:
    bool feed_any(std::string_view piece) noexcept;
    bool feed_byte(unsigned char byte) noexcept;

    // The continuation bytes that are still due, and the range of the next one.
    std::uint8_t needed_ = 0;
    std::uint8_t low_ = 0x80;
    std::uint8_t high_ = 0xBF;
    bool failed_ = false;
};

/// Whether a whole text is valid UTF-8.
bool is_utf8(std::string_view text) noexcept;

}  // namespace hawser::protocol
