#pragma once

#include <array>
#include <cstddef>

namespace hawser::protocol {

/// The four bytes a client's payload is masked with, in the order of the wire (RFC 6455, section 5.3).
using MaskingKey = std::array<unsigned char, 4>;

/// Masks or unmasks `size` bytes in place. `offset` is the position of data[0] in its frame's payload.
/// Touches no byte outside [data, data + size).
void mask(char* data, std::size_t size, const MaskingKey& key, std::size_t offset = 0) noexcept;

/// The same from one place to another; the two must not overlap.
void mask_copy(char* to, const char* from, std::size_t size, const MaskingKey& key, std::size_t offset = 0) noexcept;

}  // namespace hawser::protocol
