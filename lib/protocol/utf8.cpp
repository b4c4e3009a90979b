#include "protocol/utf8.hpp"

#include <cstring>

namespace hawser::protocol {

namespace {

/// Sixteen bytes, less 0x80 each, so that signed comparison, the one SSE2 has, orders them as bytes.
using Block = signed char __attribute__((vector_size(16)));

constexpr std::ptrdiff_t stride = 32;
/// A character's last byte lies at most this far behind its first.
constexpr std::ptrdiff_t look_back = 3;

constexpr signed char biased(int byte) noexcept { return static_cast<signed char>(byte - 0x80); }
constexpr signed char top_two_bits = -0x40;
constexpr signed char all_but_lowest_bit = -2;

bool is_at_least(char byte, unsigned char bound) noexcept { return static_cast<unsigned char>(byte) >= bound; }

Block raw(const char* from) noexcept {
    Block block;
    std::memcpy(&block, from, sizeof block);
    return block;
}

Block load(const char* from) noexcept { return raw(from) ^ biased(0); }

bool any(Block block) noexcept {
    std::uint64_t halves[2];
    std::memcpy(halves, &block, sizeof block);
    return (halves[0] | halves[1]) != 0;
}

template <std::size_t size>
bool is_ascii(const char* from) noexcept {
    std::uint64_t words[size / 8];
    std::memcpy(words, from, size);
    std::uint64_t all = 0;
    for (const std::uint64_t word : words) all |= word;
    return (all & 0x8080808080808080) == 0;
}

/// The same for less than a stride: its first and its last words may overlap. Less than a word is not looked at.
bool is_short_ascii(const char* from, std::size_t size) noexcept {
    constexpr std::size_t word = sizeof(std::uint64_t);
    if (size >= 2 * word) return is_ascii<2 * word>(from) && is_ascii<2 * word>(from + size - 2 * word);
    if (size >= word) return is_ascii<word>(from) && is_ascii<word>(from + size - word);
    return false;
}

/// Marks the bytes that cannot stand behind the three before them. Reads [at - look_back, at + 16).
Block errors(const char* at) noexcept {
    const Block byte = load(at);
    const Block before = load(at - 1);
    const Block continues = (byte & top_two_bits) == 0;
    const Block due = (before >= biased(0xC0)) | (load(at - 2) >= biased(0xE0)) | (load(at - 3) >= biased(0xF0));
    const Block never = ((byte & all_but_lowest_bit) == biased(0xC0)) | (byte > biased(0xF4));
    const Block overlong = ((before == biased(0xE0)) & (byte < biased(0xA0))) | ((before == biased(0xF0)) & (byte < biased(0x90)));
    const Block surrogate = (before == biased(0xED)) & (byte > biased(0x9F));
    const Block too_large = (before == biased(0xF4)) & (byte > biased(0x8F));
    return (continues ^ due) | never | overlong | surrogate | too_large;
}

/// Behind the ASCII that begins at `at`, or behind the part of it that is found quickly. The last bytes are looked at together with
/// some that have been.
const char* skip_ascii(const char* at, const char* end) noexcept {
    if (end - at < stride) return is_short_ascii(at, static_cast<std::size_t>(end - at)) ? end : at;
    constexpr std::ptrdiff_t size = sizeof(Block);
    constexpr Block high_bits = Block{} + biased(0);
    while (end - at >= 2 * stride && !any((raw(at) | raw(at + size) | raw(at + 2 * size) | raw(at + 3 * size)) & high_bits))
        at += 2 * stride;
    while (end - at >= stride && is_ascii<stride>(at)) at += stride;
    return end - at < stride && is_ascii<stride>(end - stride) ? end : at;
}

/// How many bytes before `at` belong to a character that is not complete there.
std::ptrdiff_t unfinished(const char* at) noexcept {
    if (is_at_least(at[-1], 0xC0)) return 1;
    if (is_at_least(at[-2], 0xE0)) return 2;
    return is_at_least(at[-3], 0xF0) ? 3 : 0;
}

/// Checks all whole strides. `at` is between two characters, and `look_back` bytes before it are there. Returns the
/// beginning of the first character that was not checked to its end, or null for an error.
const char* check_strides(const char* at, const char* end) noexcept {
    while (end - at >= stride) {
        if (is_ascii<stride>(at)) {
            if (unfinished(at) != 0) return nullptr;
            at = skip_ascii(at + stride, end);
        } else {
            if (any(errors(at) | errors(at + stride / 2))) return nullptr;
            at += stride;
        }
    }
    return at - unfinished(at);
}

}  // namespace

bool is_quickly_ascii(std::string_view text) noexcept {
    const char* const end = text.data() + text.size();
    return skip_ascii(text.data(), end) == end;
}

bool Utf8Validator::feed_byte(unsigned char byte) noexcept {
    if (needed_ != 0) {
        failed_ = byte < low_ || byte > high_;
        --needed_;
        low_ = 0x80;
        high_ = 0xBF;
    } else if (byte >= 0x80) {
        failed_ = byte < 0xC2 || byte > 0xF4;
        needed_ = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
        if (byte == 0xE0) low_ = 0xA0;   // overlong below
        if (byte == 0xED) high_ = 0x9F;  // surrogates above
        if (byte == 0xF0) low_ = 0x90;   // overlong below
        if (byte == 0xF4) high_ = 0x8F;  // over U+10FFFF above
    }
    return !failed_;
}

bool Utf8Validator::feed_any(std::string_view piece) noexcept {
    if (failed_) return false;
    const char* at = piece.data();
    const char* const end = at + piece.size();
    if (end - at >= stride + look_back) {
        const char* const first = at + look_back;
        while (at < first || (needed_ != 0 && at < end))
            if (!feed_byte(static_cast<unsigned char>(*at++))) return false;
        at = check_strides(at, end);
        if (at == nullptr) {
            failed_ = true;
            return false;
        }
    }
    constexpr std::ptrdiff_t word = 8;
    while (at < end) {
        if (needed_ == 0 && end - at >= word && is_ascii<word>(at)) {
            at += word;
            continue;
        }
        // The last bytes are less than a word: looked at together with some that have been.
        if (needed_ == 0 && end - at < word && end - piece.data() >= word && is_ascii<word>(end - word)) return true;
        if (!feed_byte(static_cast<unsigned char>(*at++))) return false;
    }
    return true;
}

bool is_utf8(std::string_view text) noexcept {
    Utf8Validator validator;
    return validator.feed(text) && validator.complete();
}

}  // namespace hawser::protocol
