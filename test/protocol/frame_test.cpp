#include "protocol/frame.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/frames.hpp"

using namespace hawser::protocol;
using hawser::CloseCode;
using hawser::MessageView;
using hawser::Opcode;
using support::close_payload;
using support::ExactBytes;
using support::raw_frame;
using support::raw_header;
using support::shortest_form;

namespace {

constexpr std::uint64_t highest_length = 0x7FFF'FFFF'FFFF'FFFF;
constexpr std::array<std::uint64_t, 15> lengths = {
    0, 1, 2, 124, 125, 126, 127, 128, 65534, 65535, 65536, 0xFFFF'FFFF, 0x1'0000'0000, highest_length - 1, highest_length};
constexpr MaskingKey key = {0x37, 0xFA, 0x21, 0x3D};

struct Parsed {
    HeaderStatus status = HeaderStatus::incomplete;
    FrameHeader header{};
    Failure failure{};
};

Parsed parse(std::string_view bytes, Role receiver, bool may_compress = false) {
    const ExactBytes copy(bytes);
    Parsed parsed;
    parsed.status = parse_header(copy.span(), receiver, parsed.header, parsed.failure, may_compress);
    return parsed;
}

/// How many bytes the parser wants to see before it refuses the header; more than there are if it does not.
std::size_t refused_at(std::string_view bytes, Role receiver) {
    for (std::size_t size = 0; size <= bytes.size(); ++size)
        if (parse(bytes.substr(0, size), receiver).status == HeaderStatus::failed) return size;
    return bytes.size() + 1;
}

/// A header is refused with 1002 as soon as this many of its bytes are there, and not before.
void check_refused(std::string_view bytes, Role receiver, std::size_t at) {
    CHECK(refused_at(bytes, receiver) == at);
    for (std::size_t size = at; size <= bytes.size(); ++size) {
        const Parsed parsed = parse(bytes.substr(0, size), receiver);
        CHECK(parsed.status == HeaderStatus::failed);
        CHECK(parsed.failure.code == CloseCode::protocol_error);
        CHECK_FALSE(std::string_view(parsed.failure.reason).empty());
    }
}

/// What Fragments makes of a message: the frames' payloads, behind the opcode and, on the last, a full stop.
std::vector<std::string> cut(Opcode opcode, std::string_view content, std::size_t frame_size, unsigned rsv = 0) {
    std::vector<std::string> frames;
    std::string_view payload;
    unsigned wire_opcode = 0;
    bool fin = false;
    for (Fragments fragments(opcode, content, frame_size, rsv); fragments.next(payload, wire_opcode, fin);)
        frames.push_back(std::to_string(wire_opcode) + ":" + std::string(payload) + (fin ? "." : ""));
    return frames;
}

}  // namespace

TEST_CASE("frame: a header reads as it was written, at every border of its length") {
    const bool masked = GENERATE(false, true);
    const Role receiver = masked ? Role::server : Role::client;
    for (const std::uint64_t length : lengths) {
        for (const bool fin : {false, true}) {
            for (const unsigned opcode : {0x0u, 0x1u, 0x2u}) {
                CAPTURE(masked, length, fin, opcode);
                std::array<char, max_header_size> room{};
                const char* end =
                    masked ? write_header(room.data(), fin, opcode, length, key) : write_header(room.data(), fin, opcode, length);
                const std::string bytes(room.data(), static_cast<std::size_t>(end - room.data()));
                CHECK(bytes == raw_header((fin ? 0x80u : 0u) | opcode, length, shortest_form(length), masked));
                CHECK(bytes.size() == header_size(length, masked));

                const Parsed parsed = parse(bytes, receiver);
                REQUIRE(parsed.status == HeaderStatus::complete);
                CHECK(parsed.header.length == length);
                CHECK(parsed.header.size == bytes.size());
                CHECK(parsed.header.opcode == opcode);
                CHECK(parsed.header.fin == fin);
                CHECK(parsed.header.key == (masked ? key : MaskingKey{}));
                for (std::size_t size = 0; size < bytes.size(); ++size)
                    CHECK(parse(std::string_view(bytes).substr(0, size), receiver).status == HeaderStatus::incomplete);
            }
        }
    }
}

TEST_CASE("frame: what follows a header is none of the parser's business") {
    const Parsed parsed = parse(raw_frame(support::first::text, "Hello", true) + "\xFF\xFF", Role::server);
    CHECK(parsed.status == HeaderStatus::complete);
    CHECK(parsed.header.size == 6);
    CHECK(parsed.header.length == 5);
}

TEST_CASE("frame: a length that is not in its shortest form is refused with 1002, at the byte that shows it") {
    const bool masked = GENERATE(false, true);
    const Role receiver = masked ? Role::server : Role::client;
    for (const std::uint64_t length : {0u, 1u, 125u}) {
        CAPTURE(length, masked);
        check_refused(raw_header(support::first::binary, length, 2, masked), receiver, 4);
    }
    for (const std::uint64_t length : {0u, 125u, 126u, 65535u}) {
        CAPTURE(length, masked);
        check_refused(raw_header(support::first::binary, length, 8, masked), receiver, 8);
    }
}

TEST_CASE("frame: a 64-bit length with its highest bit set is refused with 1002 at its first byte") {
    const bool masked = GENERATE(false, true);
    for (const std::uint64_t length : {std::uint64_t{1} << 63, ~std::uint64_t{0}, (std::uint64_t{1} << 63) + 1, ~std::uint64_t{0} - 1})
        check_refused(raw_header(support::first::binary, length, 8, masked), masked ? Role::server : Role::client, 3);
}

TEST_CASE("frame: the first byte decides about reserved bits, opcodes and fragmented control frames") {
    for (unsigned byte = 0; byte < 256; ++byte) {
        const unsigned opcode = byte & 0x0F;
        const bool known = opcode <= 2 || (opcode >= 8 && opcode <= 10);
        const bool valid = (byte & 0x70) == 0 && known && (opcode < 8 || (byte & 0x80) != 0);
        for (const Role receiver : {Role::server, Role::client}) {
            CAPTURE(byte, receiver == Role::server);
            const std::string header = raw_header(byte, 5, 0, receiver == Role::server);
            if (valid)
                CHECK(parse(header, receiver).status == HeaderStatus::complete);
            else
                check_refused(header, receiver, 1);
        }
    }
}

TEST_CASE("frame: where compression was agreed on, RSV1 may be set where a message begins, and no other reserved bit") {
    for (unsigned first = 0; first < 256; ++first) {
        CAPTURE(first);
        const std::string bytes = raw_header(first, 0, 0, false);
        const Parsed plain = parse(bytes, Role::client);
        const Parsed parsed = parse(bytes, Role::client, true);
        const unsigned opcode = first & 0xF;
        if ((first & 0x70) == 0x40 && (opcode == 1 || opcode == 2)) {
            CHECK(parsed.status == HeaderStatus::complete);
            CHECK(parsed.header.compressed);
            CHECK(plain.status == HeaderStatus::failed);
        } else {
            CHECK(parsed.status == plain.status);
            CHECK_FALSE(parsed.header.compressed);
        }
    }
}

TEST_CASE("frame: a control frame has at most 125 bytes") {
    const unsigned byte = GENERATE(support::first::close, support::first::ping, support::first::pong);
    const bool masked = GENERATE(false, true);
    const Role receiver = masked ? Role::server : Role::client;
    CHECK(parse(raw_header(byte, 124, 0, masked), receiver).status == HeaderStatus::complete);
    CHECK(parse(raw_header(byte, 125, 0, masked), receiver).status == HeaderStatus::complete);
    check_refused(raw_header(byte, 126, 2, masked), receiver, 2);
    check_refused(raw_header(byte, 65536, 8, masked), receiver, 2);
}

TEST_CASE("frame: a server takes masked frames alone, a client unmasked ones alone") {
    for (const std::uint64_t length : {0u, 125u, 126u, 65536u}) {
        CAPTURE(length);
        check_refused(raw_header(support::first::text, length, shortest_form(length), false), Role::server, 2);
        check_refused(raw_header(support::first::text, length, shortest_form(length), true), Role::client, 2);
    }
}

TEST_CASE("frame: the payload of a Close frame is its status in network order, and the reason") {
    std::array<char, max_control_payload> room;
    CHECK(write_close_payload(room, CloseCode::none, "").empty());
    CHECK(write_close_payload(room, CloseCode::no_status, "").empty());
    CHECK(write_close_payload(room, CloseCode::normal, "") == close_payload(1000));
    CHECK(write_close_payload(room, static_cast<CloseCode>(4999), "bye") == close_payload(4999, "bye"));
    CHECK(write_close_payload(room, CloseCode::normal, std::string(122, 'x')) == close_payload(1000, std::string(122, 'x')));
    CHECK(write_close_payload(room, CloseCode::normal, std::string(123, 'x')) == close_payload(1000, std::string(123, 'x')));
    CHECK(write_close_payload(room, CloseCode::normal, std::string(124, 'x')) == close_payload(1000, std::string(123, 'x')));
}

TEST_CASE("frame: a message is cut into frames of frame_size") {
    CHECK(cut(Opcode::text, "", 4) == std::vector<std::string>{"1:."});
    CHECK(cut(Opcode::text, "abc", 4) == std::vector<std::string>{"1:abc."});
    CHECK(cut(Opcode::text, "abcd", 4) == std::vector<std::string>{"1:abcd."});
    CHECK(cut(Opcode::text, "abcde", 4) == std::vector<std::string>{"1:abcd", "0:e."});
    CHECK(cut(Opcode::binary, "abcdefg", 4) == std::vector<std::string>{"2:abcd", "0:efg."});
    CHECK(cut(Opcode::binary, "abcdefgh", 4) == std::vector<std::string>{"2:abcd", "0:efgh."});
    CHECK(cut(Opcode::binary, "abcdefghi", 4) == std::vector<std::string>{"2:abcd", "0:efgh", "0:i."});
    CHECK(cut(Opcode::text, "abc", 1) == std::vector<std::string>{"1:a", "0:b", "0:c."});
}

TEST_CASE("frame: reserved bits are set in the first frame of a message") {
    CHECK(cut(Opcode::text, "abc", 2, wire::rsv1) == std::vector<std::string>{"65:ab", "0:c."});
    CHECK(encode_unmasked({Opcode::binary, "abc"}, 2, wire::rsv1) == raw_frame(0x42, "ab", false) + raw_frame(0x80, "c", false));
}

TEST_CASE("frame: a control message is never cut") {
    const std::string longest(125, 'p');
    CHECK(cut(Opcode::ping, longest, 1) == std::vector<std::string>{"9:" + longest + "."});
    CHECK(cut(Opcode::pong, "", 1) == std::vector<std::string>{"10:."});
    CHECK(cut(Opcode::close, longest, 4) == std::vector<std::string>{"8:" + longest + "."});
}

TEST_CASE("frame: framed_size is what the frames of a message take") {
    for (const std::size_t frame_size : {1u, 2u, 125u, 126u, 127u, 4096u, 65535u, 65536u, 70000u}) {
        for (const std::size_t multiple : {0u, 1u, 2u, 3u}) {
            const std::size_t around = multiple * frame_size;
            for (const std::size_t length : {around == 0 ? 0 : around - 1, around, around + 1}) {
                CAPTURE(frame_size, length);
                const std::string content(length, 'x');
                CHECK(encode_unmasked({Opcode::binary, content}, frame_size).size() == framed_size(length, frame_size, false));
                std::size_t masked = 0;
                for (std::size_t at = 0; at == 0 || at < length; at += frame_size)
                    masked += raw_frame(0, std::string_view(content).substr(at, frame_size), true).size();
                CHECK(framed_size(length, frame_size, true) == masked);
            }
        }
    }
}

TEST_CASE("frame: framed_size does not wrap where a size has 32 bits") {
    CHECK(framed_size(0x7FFF'FFFF, 1, true) == 7 * std::uint64_t{0x7FFF'FFFF});
    CHECK(framed_size(0xFFFF'FFFF, 4096, false) == 0xFFFF'FFFF + (std::uint64_t{1} << 20) * 4);
}

TEST_CASE("frame: encode_unmasked writes the frames that a server sends") {
    CHECK(encode_unmasked({Opcode::text, "Hello"}, 4096) == raw_frame(0x81, "Hello", false));
    CHECK(encode_unmasked({Opcode::text, "Hello"}, 3) == raw_frame(0x01, "Hel", false) + raw_frame(0x80, "lo", false));
    CHECK(encode_unmasked({Opcode::ping, "Hello"}, 3) == raw_frame(0x89, "Hello", false));
    CHECK(encode_unmasked({Opcode::close, "bye", CloseCode::normal}, 3) == raw_frame(0x88, close_payload(1000, "bye"), false));
    CHECK(encode_unmasked({Opcode::close, "", CloseCode::no_status}, 3) == raw_frame(0x88, "", false));
}
