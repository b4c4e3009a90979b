#include "protocol/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

using hawser::protocol::is_utf8;
using hawser::protocol::Utf8Validator;

namespace {

/// The grammar of RFC 3629, section 4: what each byte of a character may be.
struct Range {
    unsigned char low;
    unsigned char high;
};
const std::vector<std::vector<Range>> grammar = {
    {{0x00, 0x7F}},
    {{0xC2, 0xDF}, {0x80, 0xBF}},
    {{0xE0, 0xE0}, {0xA0, 0xBF}, {0x80, 0xBF}},
    {{0xE1, 0xEC}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xED, 0xED}, {0x80, 0x9F}, {0x80, 0xBF}},
    {{0xEE, 0xEF}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xF0, 0xF0}, {0x90, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xF1, 0xF3}, {0x80, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xF4, 0xF4}, {0x80, 0x8F}, {0x80, 0xBF}, {0x80, 0xBF}},
};

/// Bytes on both sides of every border in the grammar.
constexpr std::array<unsigned char, 27> borders = {0x00, 0x41, 0x7F, 0x80, 0x81, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF,
                                                   0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFF};

constexpr std::size_t npos = std::string_view::npos;

/// What the grammar says of a text: the first byte that nothing valid has there, and whether it ends with a character.
struct Verdict {
    std::size_t failed_at = npos;
    bool complete = true;
};

Verdict by_grammar(std::string_view text) {
    for (std::size_t start = 0; start < text.size();) {
        std::vector<std::vector<Range>> candidates = grammar;
        std::size_t length = 0;
        while (candidates.front().size() != length) {
            if (start + length == text.size()) return {npos, false};
            const auto byte = static_cast<unsigned char>(text[start + length]);
            std::erase_if(candidates, [&](const auto& ranges) { return byte < ranges[length].low || byte > ranges[length].high; });
            if (candidates.empty()) return {start + length, false};
            ++length;
        }
        start += length;
    }
    return {};
}

/// A plain decoder: takes any length the first byte asks for, then looks at the number that comes out.
bool decodes(std::string_view text) {
    constexpr std::array<std::uint32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
    for (std::size_t at = 0; at < text.size();) {
        const auto lead = static_cast<unsigned char>(text[at]);
        const std::size_t length = lead < 0x80 ? 1 : lead < 0xC0 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF8 ? 4 : 0;
        if (length == 0 || text.size() - at < length) return false;
        std::uint32_t value = length == 1 ? lead : lead & (0x7Fu >> length);
        for (std::size_t i = 1; i < length; ++i) {
            const auto byte = static_cast<unsigned char>(text[at + i]);
            if ((byte & 0xC0) != 0x80) return false;
            value = value << 6 | (byte & 0x3F);
        }
        if (value < smallest[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return false;
        at += length;
    }
    return true;
}

/// The index of the byte at which a validator fails that is fed one byte at a time.
Verdict bytewise(std::string_view text) {
    Utf8Validator validator;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (!validator.feed(text.substr(i, 1))) return {i, validator.complete()};
    return {npos, validator.complete()};
}

/// A copy that ends where its block ends, so that a sanitizer sees every access outside.
class Exact {
public:
    explicit Exact(std::string_view text) : block_(std::make_unique<char[]>(text.size())), size_(text.size()) {
        text.copy(block_.get(), size_);
    }
    std::string_view view() const { return {block_.get(), size_}; }

private:
    std::unique_ptr<char[]> block_;
    std::size_t size_;
};

template <class Check>
void for_border_sequences(std::size_t length, Check check) {
    std::string text(length, '\0');
    std::vector<std::size_t> digits(length, 0);
    for (;;) {
        for (std::size_t i = 0; i < length; ++i) text[i] = static_cast<char>(borders[digits[i]]);
        check(text);
        std::size_t i = 0;
        while (i < length && ++digits[i] == borders.size()) digits[i++] = 0;
        if (i == length) return;
    }
}

std::string random_character(std::mt19937& random) {
    const auto& ranges = grammar[random() % 4 == 0 ? random() % grammar.size() : 0];
    std::string text;
    for (const Range& range : ranges) text += static_cast<char>(range.low + random() % (range.high - range.low + 1u));
    return text;
}

/// Feeds a text in pieces: the first piece whose feed fails must be the one that holds the failing byte.
bool fails_in_the_right_piece(std::string_view text, const std::vector<std::size_t>& sizes, const Verdict& expected) {
    Utf8Validator validator;
    std::size_t at = 0;
    for (const std::size_t size : sizes) {
        const Exact piece(text.substr(at, size));
        at += piece.view().size();
        const bool fed = validator.feed(piece.view());
        if (fed != (at <= expected.failed_at)) return false;
        if (!fed) return !validator.complete() && !validator.feed("");
    }
    return validator.complete() == expected.complete;
}

std::vector<std::size_t> random_sizes(std::mt19937& random, std::size_t total) {
    std::vector<std::size_t> sizes;
    for (std::size_t sum = 0; sum < total; sum += sizes.back()) sizes.push_back(random() % (random() % 8 == 0 ? 120 : 6));
    return sizes;
}

}  // namespace

TEST_CASE("utf8: every sequence of one, two and three bytes gets the verdict of a plain decoder") {
    std::size_t wrong = 0;
    std::string text;
    for (std::uint32_t value = 0; value < 1u << 24; ++value) {
        text.resize(3);
        for (std::size_t i = 0; i < 3; ++i) text[i] = static_cast<char>(value >> 8 * i & 0xFF);
        for (std::size_t length = value < 1u << 8 ? 1 : value < 1u << 16 ? 2 : 3; length <= 3; ++length)
            if (is_utf8({text.data(), length}) != decodes({text.data(), length})) ++wrong;
    }
    CHECK(wrong == 0);
}

TEST_CASE("utf8: sequences of four bytes from all borders of the grammar get the verdict of a plain decoder") {
    std::size_t wrong = 0;
    for_border_sequences(4, [&](const std::string& text) { wrong += is_utf8(text) != decodes(text) ? 1 : 0; });
    CHECK(wrong == 0);
}

TEST_CASE("utf8: fed byte by byte, a text fails at the first byte that the grammar does not have there") {
    std::size_t wrong = 0;
    for (std::size_t length = 1; length <= 4; ++length) {
        for_border_sequences(length, [&](const std::string& text) {
            const Verdict expected = by_grammar(text);
            const Verdict verdict = bytewise(text);
            if (verdict.failed_at != expected.failed_at || verdict.complete != expected.complete) ++wrong;
        });
    }
    CHECK(wrong == 0);
}

TEST_CASE("utf8: splitting a short text never changes the verdict") {
    std::size_t wrong = 0;
    for_border_sequences(4, [&](const std::string& text) {
        const Verdict expected = by_grammar(text);
        for (std::size_t first = 0; first <= 4; ++first)
            if (!fails_in_the_right_piece(text, {first, 4 - first}, expected)) ++wrong;
    });
    CHECK(wrong == 0);
}

TEST_CASE("utf8: a sequence within a long text gets the same verdict wherever it lies") {
    const std::vector<std::string> fillers = {"a", "\xC3\xA4", "\xE6\x97\xA5", "\xF0\x9F\x98\x80"};
    std::size_t wrong = 0;
    for_border_sequences(3, [&](const std::string& sequence) {
        const bool valid = decodes(sequence);
        const std::string& filler = fillers[static_cast<unsigned char>(sequence[0] ^ sequence[1] ^ sequence[2]) % fillers.size()];
        for (std::size_t before = 0; before < 70; before += filler.size()) {
            std::string text;
            while (text.size() < before) text += filler;
            text += sequence;
            while (text.size() < 75) text += filler;
            if (is_utf8(text) != valid) ++wrong;
        }
    });
    CHECK(wrong == 0);
}

TEST_CASE("utf8: four bytes across the borders of the wide check get the verdict of the grammar") {
    std::size_t wrong = 0;
    for_border_sequences(4, [&](const std::string& sequence) {
        const std::size_t before = 32 + static_cast<unsigned char>(sequence[2] ^ sequence[3]) % 8;
        const std::string text = std::string(before, 'x') + sequence + std::string(64, 'y');
        if (is_utf8(text) != decodes(sequence)) ++wrong;
    });
    CHECK(wrong == 0);
}

TEST_CASE("utf8: a long text with one changed byte fails in the piece with the impossible byte, however it is split") {
    constexpr std::uint32_t seed = 6;
    INFO("seed " << seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 3000; ++round) {
        std::string text;
        const std::size_t size = random() % 300;
        while (text.size() < size) text += random_character(random);
        if (!text.empty() && round % 4 != 0) text[random() % text.size()] = static_cast<char>(borders[random() % borders.size()]);
        if (round % 5 == 0) text.resize(random() % (text.size() + 1));
        const Verdict expected = by_grammar(text);
        INFO("round " << round);
        REQUIRE(is_utf8(Exact(text).view()) == expected.complete);
        REQUIRE(fails_in_the_right_piece(text, {text.size()}, expected));
        REQUIRE(bytewise(text).failed_at == expected.failed_at);
        for (int split = 0; split < 4; ++split) REQUIRE(fails_in_the_right_piece(text, random_sizes(random, text.size()), expected));
    }
}

TEST_CASE("utf8: every length of plain text, and of text that ends inside a character, is told apart") {
    for (std::size_t size = 0; size < 140; ++size) {
        const std::string text(size, 'a');
        INFO("size " << size);
        CHECK(is_utf8(Exact(text).view()));
        for (const std::string_view begun : {"\xC3", "\xE6", "\xE6\x97", "\xF0", "\xF0\x9F", "\xF0\x9F\x98"}) {
            Utf8Validator validator;
            CHECK(validator.feed(Exact(text + std::string(begun)).view()));
            CHECK_FALSE(validator.complete());
        }
    }
}

TEST_CASE("utf8: a validator that has failed stays failed") {
    Utf8Validator validator;
    CHECK_FALSE(validator.feed("a\xFF"));
    CHECK_FALSE(validator.feed("plain"));
    CHECK_FALSE(validator.complete());
}

TEST_CASE("utf8: nothing is valid, and changes nothing") {
    CHECK(is_utf8({}));
    Utf8Validator validator;
    CHECK(validator.feed("\xF4"));
    CHECK(validator.feed({}));
    CHECK_FALSE(validator.feed("\x90"));
}
