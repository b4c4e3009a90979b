#include "protocol/mask.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

namespace hawser::protocol {

namespace {

using Block = std::uint32_t __attribute__((vector_size(16)));

template <class Unit>
[[gnu::always_inline]] inline void apply_unit(char* to, const char* from, const Unit& pattern) noexcept {
    Unit unit;
    std::memcpy(&unit, from, sizeof unit);
    unit ^= pattern;
    std::memcpy(to, &unit, sizeof unit);
}

/// The key as it lies in memory, beginning with the byte for `offset`.
std::uint32_t rotated(const MaskingKey& key, std::size_t offset) noexcept {
    std::uint32_t word = 0;
    std::memcpy(&word, key.data(), sizeof word);
    const int bits = static_cast<int>(offset % 4) * 8;
    return std::endian::native == std::endian::little ? std::rotr(word, bits) : std::rotl(word, bits);
}

/// A size from one to two units: the last unit overlaps the first, and is read before that is written.
template <class Unit>
void apply_overlapping(char* to, const char* from, std::size_t size, const Unit& first_pattern, const Unit& last_pattern) noexcept {
    const std::size_t last_at = size - sizeof(Unit);
    Unit first, last;
    std::memcpy(&first, from, sizeof first);
    std::memcpy(&last, from + last_at, sizeof last);
    first ^= first_pattern;
    last ^= last_pattern;
    std::memcpy(to, &first, sizeof first);
    std::memcpy(to + last_at, &last, sizeof last);
}

/// As many whole blocks as there are, four at a time while that goes; returns their size. Compiled into whoever calls it, for the
/// instructions that are allowed there.
template <class Unit>
[[gnu::always_inline]] inline std::size_t apply_blocks(char* to, const char* from, std::size_t size, std::uint32_t word) noexcept {
    const Unit block = Unit{} ^ word;
    std::size_t at = 0;
    for (; size - at >= 4 * sizeof(Unit); at += 4 * sizeof(Unit)) {
        for (std::size_t i = 0; i < 4; ++i) apply_unit(to + at + i * sizeof(Unit), from + at + i * sizeof(Unit), block);
    }
    for (; size - at >= sizeof(Unit); at += sizeof(Unit)) apply_unit(to + at, from + at, block);
    return at;
}

#ifdef __x86_64__
/// From here on it pays to ask the processor for wider registers.
constexpr std::size_t wide_minimum = 256;
using WideBlock = std::uint32_t __attribute__((vector_size(32)));

[[gnu::target("avx2")]] std::size_t apply_wide_blocks(char* to, const char* from, std::size_t size, std::uint32_t word) noexcept {
    return apply_blocks<WideBlock>(to, from, size, word);
}
#endif

std::size_t apply_any_blocks(char* to, const char* from, std::size_t size, std::uint32_t word) noexcept {
#ifdef __x86_64__
    if (size >= wide_minimum && __builtin_cpu_supports("avx2")) return apply_wide_blocks(to, from, size, word);
#endif
    return apply_blocks<Block>(to, from, size, word);
}

/// `to` may be `from`, but must not overlap it otherwise. Compiled into both callers: most payloads are so short that a call counts.
[[gnu::always_inline]] inline void apply_key(char* to, const char* from, std::size_t size, const MaskingKey& key,
                                             std::size_t offset) noexcept {
    const std::uint32_t word = rotated(key, offset);
    if (size >= sizeof(Block) && size <= 2 * sizeof(Block)) {
        const std::uint32_t last = rotated(key, offset + size);
        return apply_overlapping(to, from, size, Block{} ^ word, Block{} ^ last);
    }

    std::size_t at = apply_any_blocks(to, from, size, word);
    for (; size - at >= sizeof word; at += sizeof word) apply_unit(to + at, from + at, word);
    MaskingKey rest;
    std::memcpy(rest.data(), &word, sizeof word);
    for (; at < size; ++at) to[at] = static_cast<char>(static_cast<unsigned char>(from[at]) ^ rest[at % 4]);
}

}  // namespace

void mask(char* data, std::size_t size, const MaskingKey& key, std::size_t offset) noexcept { apply_key(data, data, size, key, offset); }

void mask_copy(char* to, const char* from, std::size_t size, const MaskingKey& key, std::size_t offset) noexcept {
    apply_key(to, from, size, key, offset);
}

}  // namespace hawser::protocol
