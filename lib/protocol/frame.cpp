#include "protocol/frame.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace hawser::protocol {

namespace {

unsigned byte_at(std::span<const char> bytes, std::size_t index) noexcept { return static_cast<unsigned char>(bytes[index]); }

std::uint64_t big_endian(std::span<const char> bytes) noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) value = value << 8 | byte_at(bytes, i);
    return value;
}

/// What is wrong with a header's reserved bits, one of which is set, or null.
const char* check_reserved(unsigned first, bool may_compress) noexcept {
    const unsigned opcode = first & wire::opcode;
    if (!may_compress) return "a reserved bit is set, but no extension was agreed on";
    if ((first & wire::rsv) != wire::rsv1) return "a reserved bit is set that no extension uses";
    if (opcode >= 0x8) return "a control frame says that it is compressed";
    if (opcode == wire::continuation) return "a continuation says that it is compressed";
    return nullptr;
}

/// What is wrong with a header's first byte, or null.
const char* check_first_byte(unsigned first, bool may_compress) noexcept {
    const unsigned opcode = first & wire::opcode;
    if ((first & wire::rsv) != 0)
        if (const char* problem = check_reserved(first, may_compress)) return problem;
    if (opcode > 0xA || (opcode > 0x2 && opcode < 0x8)) return "reserved opcode";
    if (opcode >= 0x8 && (first & wire::fin) == 0) return "a control frame is fragmented";
    return nullptr;
}

const char* check_second_byte(unsigned first, unsigned second, Role receiver) noexcept {
    const bool masked = (second & wire::masked) != 0;
    if (receiver == Role::server && !masked) return "a client's frame is not masked";
    if (receiver == Role::client && masked) return "a server's frame is masked";
    if ((first & wire::opcode) >= 0x8 && (second & 0x7F) > max_control_payload) return "a control frame is longer than 125 bytes";
    return nullptr;
}

HeaderStatus fail(Failure& failure, const char* reason) noexcept {
    failure = {CloseCode::protocol_error, reason};
    return HeaderStatus::failed;
}

}  // namespace

HeaderStatus parse_header(std::span<const char> bytes, Role receiver, FrameHeader& header, Failure& failure, bool may_compress) noexcept {
    if (bytes.empty()) return HeaderStatus::incomplete;
    const unsigned first = byte_at(bytes, 0);
    if (const char* problem = check_first_byte(first, may_compress)) return fail(failure, problem);
    if (bytes.size() < 2) return HeaderStatus::incomplete;
    const unsigned second = byte_at(bytes, 1);
    if (const char* problem = check_second_byte(first, second, receiver)) return fail(failure, problem);

    const unsigned short_length = second & 0x7F;
    const std::size_t extended = short_length < 126 ? 0u : short_length == 126 ? 2u : 8u;
    const std::size_t key_at = 2 + extended;
    const std::size_t size = key_at + (receiver == Role::server ? 4u : 0u);
    header.length = short_length;
    if (extended != 0) {
        if (extended == 8 && bytes.size() > 2 && (byte_at(bytes, 2) & 0x80) != 0) return fail(failure, "a length has its highest bit set");
        // Whether a 64-bit length had to be one shows before its last two bytes.
        const std::size_t telling = extended == 8 ? 6 : 2;
        if (bytes.size() < 2 + telling) return HeaderStatus::incomplete;
        if (big_endian(bytes.subspan(2, telling)) < (extended == 8 ? 1u : 126u))
            return fail(failure, "a length is not in its shortest form");
        if (bytes.size() < key_at) return HeaderStatus::incomplete;
        header.length = big_endian(bytes.subspan(2, extended));
    }
    if (bytes.size() < size) return HeaderStatus::incomplete;
    if (receiver == Role::server) std::memcpy(header.key.data(), bytes.data() + key_at, header.key.size());
    header.size = static_cast<std::uint8_t>(size);
    header.opcode = static_cast<std::uint8_t>(first & wire::opcode);
    header.fin = (first & wire::fin) != 0;
    header.compressed = (first & wire::rsv1) != 0;
    return HeaderStatus::complete;
}

namespace {

char* write_lengths(char* to, bool fin, unsigned opcode, std::uint64_t length, unsigned mask_bit) noexcept {
    *to++ = static_cast<char>((fin ? wire::fin : 0u) | opcode);
    const unsigned extended = length < 126 ? 0u : length < 65536 ? 2u : 8u;
    const unsigned short_length = extended == 0 ? static_cast<unsigned>(length) : extended == 2 ? 126u : 127u;
    *to++ = static_cast<char>(mask_bit | short_length);
    for (unsigned i = extended; i > 0; --i) *to++ = static_cast<char>(length >> (8 * (i - 1)));
    return to;
}

}  // namespace

char* write_header(char* to, bool fin, unsigned opcode, std::uint64_t length) noexcept { return write_lengths(to, fin, opcode, length, 0); }

char* write_header(char* to, bool fin, unsigned opcode, std::uint64_t length, const MaskingKey& key) noexcept {
    to = write_lengths(to, fin, opcode, length, wire::masked);
    std::memcpy(to, key.data(), key.size());
    return to + key.size();
}

std::uint64_t framed_size(std::uint64_t length, std::size_t frame_size, bool masked) noexcept {
    if (length <= frame_size) return length + header_size(length, masked);
    const std::uint64_t last = length % frame_size;
    const std::uint64_t full = length / frame_size;
    return length + full * header_size(frame_size, masked) + (last != 0 ? header_size(last, masked) : 0);
}

std::string_view write_close_payload(std::span<char, max_control_payload> to, CloseCode code, std::string_view reason) noexcept {
    if (code == CloseCode::none || code == CloseCode::no_status) return {};
    const auto value = static_cast<unsigned>(code);
    to[0] = static_cast<char>(value >> 8);
    to[1] = static_cast<char>(value);
    const std::size_t length = reason.copy(to.data() + 2, max_close_reason);
    return {to.data(), 2 + length};
}

std::string encode_unmasked(const MessageView& message, std::size_t frame_size, unsigned rsv) {
    std::array<char, max_control_payload> close{};
    const std::string_view content =
        message.opcode == Opcode::close ? write_close_payload(close, message.close_status, message.content) : message.content;
    std::string frames;
    frames.reserve(static_cast<std::size_t>(framed_size(content.size(), frame_size, false)));
    std::array<char, max_header_size> header{};
    std::string_view payload;
    unsigned opcode = 0;
    bool fin = false;
    for (Fragments fragments(message.opcode, content, frame_size, rsv); fragments.next(payload, opcode, fin);) {
        frames.append(header.data(), write_header(header.data(), fin, opcode, payload.size()));
        frames.append(payload);
    }
    return frames;
}

}  // namespace hawser::protocol
