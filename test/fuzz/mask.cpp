#include "protocol/mask.hpp"
#include "fuzz/fuzz.hpp"

// Masking against RFC 6455, section 5.3, byte by byte, at any place, offset and size.

using namespace hawser::protocol;

void fuzz::run(std::string_view input) {
    Choices choices(input);
    MaskingKey key{};
    for (unsigned char& byte : key) byte = static_cast<unsigned char>(choices.byte());
    const std::size_t offset = choices.byte();
    const std::size_t lead = choices.byte() % 32;
    const std::string_view payload = choices.rest();

    std::string expected(payload);
    for (std::size_t i = 0; i < expected.size(); ++i)
        expected[i] = static_cast<char>(static_cast<unsigned char>(expected[i]) ^ key[(offset + i) % 4]);

    // At any distance from an aligned address, with nothing behind.
    const support::ExactBytes block(std::string(lead, '-') + std::string(payload));
    const std::span<char> data = block.span().subspan(lead);
    mask_copy(data.data(), payload.data(), payload.size(), key, offset);
    require(std::string_view(data.data(), data.size()) == expected, "a copy is masked");
    mask(data.data(), data.size(), key, offset);
    require(std::string_view(data.data(), data.size()) == payload, "masked twice is as it was");
}
