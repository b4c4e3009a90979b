#include "payload.hpp"

#include <algorithm>
#include <random>

#include "../format.hpp"

namespace hawser::bench {

namespace {

/// Places at which a content may begin. Few, so that what is sent stays in the cache.
constexpr std::size_t places = 4096;

std::string random_bytes(std::size_t size) {
    std::mt19937 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same bytes each time
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() & 0xFF);
    return bytes;
}

std::string random_json(std::size_t size) {
    constexpr const char* names[] = {"temperature", "pressure", "humidity", "speed", "voltage"};
    std::mt19937 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same bytes each time
    std::string text;
    while (text.size() < size) {
        text += command::formatted(R"({"id":%u,"name":"%s","value":%u.%u},)", static_cast<unsigned>(random() % 100'000),
                                   names[random() % std::size(names)], static_cast<unsigned>(random() % 1'000),
                                   static_cast<unsigned>(random() % 100));
    }
    text.resize(size);
    return text;
}

std::size_t place_of(std::size_t connection, std::uint64_t number) noexcept {
    // Multiplication by an odd number near 2^64 / golden ratio spreads what lies close together.
    const std::uint64_t mixed = (connection * 0x9E3779B97F4A7C15u) ^ (number * 0xC2B2AE3D27D4EB4Fu);
    return static_cast<std::size_t>(mixed >> 52);
}
static_assert(places == std::size_t{1} << (64 - 52));

std::string hex(char byte) { return command::formatted("0x%02x", static_cast<unsigned>(static_cast<unsigned char>(byte))); }

}  // namespace

Payload::Payload(Opcode opcode, std::size_t size)
    : opcode_(opcode), size_(size), supply_(opcode == Opcode::text ? random_json(size + places) : random_bytes(size + places)) {}

MessageView Payload::message(std::size_t connection, std::uint64_t number) const noexcept {
    return {opcode_, std::string_view(supply_).substr(place_of(connection, number), size_)};
}

std::string Payload::objection(const MessageView& echo, std::size_t connection, std::uint64_t number) const {
    if (echo.opcode != opcode_) return "is " + std::string(echo.opcode_name()) + " instead of " + std::string(opcode_name(opcode_));
    if (echo.length() != size_) return "has a length of " + std::to_string(echo.length()) + " instead of " + std::to_string(size_);
    const std::string_view sent = message(connection, number).content;
    const auto [expected, actual] = std::mismatch(sent.begin(), sent.end(), echo.content.begin());
    return "differs at byte " + std::to_string(expected - sent.begin()) + ": " + hex(*actual) + " instead of " + hex(*expected);
}

}  // namespace hawser::bench
