#include "protocol/writer.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/session_peer.hpp"

using namespace hawser::protocol;
using hawser::CloseCode;
using hawser::Errc;
using hawser::MessageView;
using hawser::Opcode;
using support::CapturedOutput;
using support::SeededEntropy;

namespace {

std::string random_bytes(std::size_t size) {
    std::mt19937 random(20);
    std::string bytes(size, '\0');
    std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(random()); });
    return bytes;
}

/// The frames of a payload as they have to be, unmasked.
std::string expected_frames(unsigned opcode, std::string_view payload, std::size_t frame_size) {
    std::string frames;
    for (std::size_t at = 0; at == 0 || at < payload.size(); at += frame_size) {
        const bool last = payload.size() - at <= frame_size;
        frames += support::raw_frame((last ? 0x80u : 0u) | (at == 0 ? opcode : 0u), payload.substr(at, frame_size), false);
    }
    return frames;
}

/// The same frames without their masks, which a test checks by decoding alone: what a client sent, as a server would.
std::string unmasked(std::string_view frames) {
    std::string plain;
    while (!frames.empty()) {
        FrameHeader header;
        Failure failure;
        REQUIRE(parse_header(frames, Role::server, header, failure) == HeaderStatus::complete);
        const auto length = static_cast<std::size_t>(header.length);
        std::string payload(frames.substr(header.size, length));
        REQUIRE(payload.size() == length);
        for (std::size_t i = 0; i < length; ++i) payload[i] = static_cast<char>(static_cast<unsigned char>(payload[i]) ^ header.key[i % 4]);
        plain += support::raw_frame((header.fin ? 0x80u : 0u) | header.opcode, payload, false);
        frames.remove_prefix(header.size + length);
    }
    return plain;
}

/// A payload of each size leaves as it has to, by both writers.
void check_writers(std::size_t size, std::size_t frame_size) {
    CAPTURE(size, frame_size);
    const std::string payload = random_bytes(size);
    const std::string expected = expected_frames(0x2, payload, frame_size);
    CapturedOutput server;
    write_unmasked(server, Opcode::binary, payload, frame_size);
    CHECK((server.take() == expected));
    CHECK(server.largest_reserve <= Output::max_reserve);

    CapturedOutput client;
    SeededEntropy entropy;
    write_masked(client, entropy, Opcode::binary, payload, frame_size);
    const std::string sent = client.take();
    CHECK(sent.size() == framed_size(size, frame_size, true));
    CHECK((unmasked(sent) == expected));
    CHECK(client.largest_reserve <= Output::max_reserve);
    const std::size_t frames = size == 0 ? 1 : (size + frame_size - 1) / frame_size;
    CHECK(entropy.draws == frames);
    CHECK(entropy.keys.size() == frames);

    const std::string content = "binary" + (size == 0 ? "" : " " + payload);
    CHECK((support::decoded(expected, Role::client) == std::vector<std::string>{content}));
    CHECK((support::decoded(sent, Role::server) == std::vector<std::string>{content}));
}

Errc objection_code(const MessageView& message) {
    const auto objection = object_to(message);
    REQUIRE(objection);
    CHECK_FALSE(objection->what.empty());
    return objection->code;
}

}  // namespace

TEST_CASE("writer: payloads around copy_limit and max_reserve leave whole") {
    for (const std::size_t border : {std::size_t{125}, copy_limit - 10, copy_limit - 4, copy_limit, Output::max_reserve - 14,
                                     Output::max_reserve, 2 * Output::max_reserve - 14, std::size_t{65536}})
        for (const std::size_t frame_size : {std::size_t{4096}, std::size_t{1'000'000}})
            for (const std::size_t size : {border - 1, border, border + 1}) check_writers(size, frame_size);
    check_writers(0, 4096);
    check_writers(1, 4096);
}

TEST_CASE("writer: payloads are cut at every frame size") {
    for (const std::size_t frame_size : {1u, 2u, 3u, 7u, 124u, 125u, 126u, 127u, 128u, 1000u, 4095u, 4096u, 4097u, 5000u})
        for (const std::size_t size : {0u, 1u, 126u, 5000u}) check_writers(size, frame_size);
}

TEST_CASE("writer: a message of more frames than are gathered at once leaves whole") {
    for (const std::size_t frames : {255u, 256u, 257u, 300u, 512u, 513u}) check_writers(frames * 100, 100);
    check_writers(300 * 4096 + 1, 4096);
}

TEST_CASE("writer: what is large is sent from where it lies, what is small is copied") {
    CapturedOutput output;
    const std::string payload = random_bytes(copy_limit);
    write_unmasked(output, Opcode::binary, std::string_view(payload).substr(4), payload.size());
    CHECK(output.writes == 0);
    CHECK(output.largest_reserve == copy_limit);
    write_unmasked(output, Opcode::binary, std::string_view(payload).substr(3), payload.size());
    CHECK(output.writes == 1);
}

TEST_CASE("writer: control frames are never cut") {
    const std::string payload = random_bytes(max_control_payload);
    CapturedOutput output;
    SeededEntropy entropy;
    write_unmasked(output, Opcode::ping, payload, 1);
    CHECK((output.take() == expected_frames(0x9, payload, max_control_payload)));
    write_masked(output, entropy, Opcode::pong, payload, 1);
    CHECK((unmasked(output.take()) == expected_frames(0xA, payload, max_control_payload)));
}

TEST_CASE("writer: each masked frame has a key of its own, an empty one too") {
    CapturedOutput output;
    SeededEntropy entropy;
    for (int i = 0; i < 200; ++i) write_masked(output, entropy, Opcode::text, "", 4096);
    write_masked(output, entropy, Opcode::text, std::string(200, 'x'), 2);
    CHECK(entropy.draws == 300);
    CHECK(entropy.keys.size() == 300);
    std::set<std::string> used;
    const std::string sent = output.take();
    for (std::size_t at = 0; at < sent.size(); at += 6u + (static_cast<unsigned char>(sent[at + 1]) & 0x7Fu))
        used.insert(sent.substr(at + 2, 4));
    CHECK(used == entropy.keys);
}

TEST_CASE("writer: messages that can be sent are not objected to") {
    CHECK_FALSE(object_to({Opcode::text, ""}));
    CHECK_FALSE(object_to({Opcode::text, "\xC3\xA4"}));
    CHECK_FALSE(object_to({Opcode::binary, "\xFF\xFE"}));
    CHECK_FALSE(object_to({Opcode::ping, std::string(125, '\xFF')}));
    CHECK_FALSE(object_to({Opcode::pong, std::string(125, '\xFF')}));
    CHECK_FALSE(object_to({Opcode::close, "", CloseCode::none}));
    CHECK_FALSE(object_to({Opcode::close, "", CloseCode::no_status}));
    CHECK_FALSE(object_to({Opcode::close, std::string(123, 'x'), CloseCode::normal}));
}

TEST_CASE("writer: messages that cannot be sent are objected to") {
    for (const unsigned opcode : {0u, 3u, 7u, 11u, 15u, 255u}) CHECK(objection_code({static_cast<Opcode>(opcode), ""}) == Errc::bad_opcode);
    CHECK(objection_code({Opcode::text, "\xFF"}) == Errc::message_encoding);
    CHECK(objection_code({Opcode::text, "\xC3"}) == Errc::message_encoding);
    CHECK(objection_code({Opcode::ping, std::string(126, 'x')}) == Errc::message_too_big);
    CHECK(objection_code({Opcode::pong, std::string(126, 'x')}) == Errc::message_too_big);
    CHECK(objection_code({Opcode::close, std::string(124, 'x'), CloseCode::normal}) == Errc::message_too_big);
    CHECK(objection_code({Opcode::close, "\xFF", CloseCode::normal}) == Errc::message_encoding);
    CHECK(objection_code({Opcode::close, "why", CloseCode::none}) == Errc::message_encoding);
    CHECK(objection_code({Opcode::close, "why", CloseCode::no_status}) == Errc::message_encoding);
}

TEST_CASE("writer: a Close carries the statuses that may be sent, and no other") {
    for (unsigned code = 1; code < 5100; ++code) {
        const bool sendable = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
        if (code == 1005) continue;  // stands for none
        CAPTURE(code);
        CHECK(object_to({Opcode::close, "", static_cast<CloseCode>(code)}).has_value() == !sendable);
    }
    CHECK(objection_code({Opcode::close, "", CloseCode::abnormal}) == Errc::message_encoding);
    CHECK(objection_code({Opcode::close, "", static_cast<CloseCode>(65535)}) == Errc::message_encoding);
}
