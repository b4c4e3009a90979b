#include "protocol/mask.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>

#include "support/catch.hpp"

using hawser::protocol::mask;
using hawser::protocol::mask_copy;
using hawser::protocol::MaskingKey;

namespace {

constexpr MaskingKey key = {0x37, 0xFA, 0x21, 0x3D};
constexpr std::size_t longest = 300;

/// RFC 6455, section 5.3, one byte at a time.
std::string reference(std::string text, const MaskingKey& with, std::size_t offset) {
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(static_cast<unsigned char>(text[i]) ^ with[(offset + i) % 4]);
    return text;
}

std::string random_bytes(std::size_t size, std::uint32_t seed) {
    std::mt19937 random(seed);
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() & 0xFF);
    return bytes;
}

/// Some bytes, `skew` behind the start of a block that ends `margin` behind them. Without a margin a sanitizer sees
/// every access outside; with one, every write does show.
class Region {
public:
    Region(std::size_t size, std::size_t skew, std::size_t margin)
        : block_(std::make_unique<char[]>(skew + size + margin)), size_(size), skew_(skew), margin_(margin) {
        std::memset(block_.get(), guard, skew + size + margin);
    }

    char* data() { return block_.get() + skew_; }
    void assign(const std::string& bytes) { bytes.copy(data(), size_); }
    bool holds(const std::string& bytes) const {
        const std::string whole(block_.get(), skew_ + size_ + margin_);
        return whole == std::string(skew_, guard) + bytes + std::string(margin_, guard);
    }

private:
    static constexpr char guard = 0x5A;
    std::unique_ptr<char[]> block_;
    std::size_t size_;
    std::size_t skew_;
    std::size_t margin_;
};

template <class Check>
void for_all_layouts(Check check) {
    for (std::size_t size = 0; size <= longest; ++size)
        for (std::size_t offset = 0; offset < 8; ++offset)
            for (std::size_t skew = 0; skew < 16; ++skew) check(size, offset, skew, (size + skew) % 2 == 0 ? 0 : 16);
}

}  // namespace

TEST_CASE("mask: the example of RFC 6455, section 5.7, is masked and unmasked") {
    std::string text = "Hello";
    mask(text.data(), text.size(), key);
    CHECK(text == "\x7f\x9f\x4d\x51\x58");
    mask(text.data(), text.size(), key);
    CHECK(text == "Hello");
}

TEST_CASE("mask: equals the plain loop for every size, offset and alignment, and touches nothing else") {
    const std::string source = random_bytes(longest, 1);
    std::size_t wrong = 0;
    for_all_layouts([&](std::size_t size, std::size_t offset, std::size_t skew, std::size_t margin) {
        Region region(size, skew, margin);
        const std::string bytes = source.substr(0, size);
        region.assign(bytes);
        mask(region.data(), size, key, offset);
        if (!region.holds(reference(bytes, key, offset))) ++wrong;
    });
    CHECK(wrong == 0);
}

TEST_CASE("mask: a copy equals the plain loop for every size, offset and alignment, and leaves its source alone") {
    const std::string source = random_bytes(longest, 2);
    std::size_t wrong = 0;
    for_all_layouts([&](std::size_t size, std::size_t offset, std::size_t skew, std::size_t margin) {
        Region from(size, 15 - skew, margin);
        Region to(size, skew, margin);
        const std::string bytes = source.substr(0, size);
        from.assign(bytes);
        mask_copy(to.data(), from.data(), size, key, offset);
        if (!to.holds(reference(bytes, key, offset)) || !from.holds(bytes)) ++wrong;
    });
    CHECK(wrong == 0);
}

TEST_CASE("mask: a payload in pieces gets the same mask as in one") {
    constexpr std::uint32_t seed = 3;
    INFO("seed " << seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 200; ++round) {
        const std::string bytes = random_bytes(2000, static_cast<std::uint32_t>(random()));
        std::string pieces = bytes;
        for (std::size_t at = 0; at < pieces.size();) {
            const std::size_t size = std::min<std::size_t>(pieces.size() - at, random() % 150);
            mask(pieces.data() + at, size, key, at);
            at += size;
        }
        REQUIRE(pieces == reference(bytes, key, 0));
    }
}

TEST_CASE("mask: offsets up to the largest rotate the key") {
    const std::string bytes = random_bytes(100, 4);
    constexpr std::size_t largest = std::numeric_limits<std::size_t>::max();
    for (const std::size_t base : {std::size_t{1} << 31, largest / 2 + 1, largest - 7}) {
        for (std::size_t more = 0; more < 8; ++more) {
            std::string masked = bytes;
            mask(masked.data(), masked.size(), key, base + more);
            CHECK(masked == reference(bytes, key, more));
        }
    }
}

TEST_CASE("mask: nothing is masked where there is nothing") {
    mask(nullptr, 0, key);
    mask_copy(nullptr, nullptr, 0, key, 3);
    SUCCEED();
}
