#include "protocol/utf8.hpp"
#include "fuzz/fuzz.hpp"

// UTF-8 against a plain reading of RFC 3629, section 4, in any pieces.

using hawser::protocol::Utf8Validator;

namespace {

enum class Verdict { valid, incomplete, invalid };

/// Reads character by character.
Verdict reference(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(text[at + i])); };
        const unsigned lead = byte(0);
        const std::size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
        if (length == 0) return Verdict::invalid;
        for (std::size_t i = 1; i < length; ++i) {
            if (at + i == text.size()) return Verdict::incomplete;
            unsigned least = 0x80, most = 0xBF;
            if (i == 1 && lead == 0xE0) least = 0xA0;
            if (i == 1 && lead == 0xED) most = 0x9F;
            if (i == 1 && lead == 0xF0) least = 0x90;
            if (i == 1 && lead == 0xF4) most = 0x8F;
            if (byte(i) < least || byte(i) > most) return Verdict::invalid;
        }
        at += length;
    }
    return Verdict::valid;
}

Verdict verdict(const Utf8Validator& validator, bool holds) {
    return !holds ? Verdict::invalid : validator.complete() ? Verdict::valid : Verdict::incomplete;
}

}  // namespace

void fuzz::run(std::string_view input) {
    Choices choices(input);
    const unsigned seed = choices.byte();
    // Repeated, so that the strides that are checked at once are reached with few bytes.
    std::string text;
    for (int i = choices.between(1, 4); i > 0; --i) text += choices.rest();
    const Verdict expected = reference(text);

    const support::ExactBytes copy(text);
    Utf8Validator validator;
    const bool whole = validator.feed({copy.span().data(), copy.span().size()});
    require(verdict(validator, whole) == expected, "the whole is judged as by the reference");
    Utf8Validator cut;
    bool holds = true;
    std::size_t size = 0;
    in_pieces(text, seed, [&](std::string_view piece) {
        size += piece.size();
        holds = cut.feed(piece);
        require(verdict(cut, holds) == reference(std::string_view(text).substr(0, size)), "each beginning is judged as by the reference");
    });
    require(verdict(cut, holds) == expected, "how a text is cut changes nothing");
}
