#include "types/text.hpp"

#include <algorithm>
#include <array>

namespace hawser {
namespace {

constexpr std::size_t longest_citation = 200;

/// A cut does not part the bytes of one character.
std::string_view cut(std::string_view text) noexcept {
    std::size_t size = longest_citation;
    const auto continues = [&] { return (static_cast<unsigned char>(text[size]) & 0xC0u) == 0x80u; };
    for (int i = 0; i < 3 && continues(); ++i) --size;
    return text.substr(0, size);
}

struct Character {
    char32_t code = 0;
    std::size_t size = 1;
    bool is_valid = false;
};

/// The first character of a text, or its first byte if that begins none (RFC 3629, section 4).
Character first_character(std::string_view text) noexcept {
    constexpr std::array<char32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
    const auto lead = static_cast<unsigned char>(text[0]);
    if (lead < 0x80) return {lead, 1, true};
    const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (lead < 0xC2 || lead > 0xF4 || size > text.size()) return {};
    char32_t code = lead & (0x7Fu >> size);
    for (const char c : text.substr(1, size - 1)) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte & 0xC0u) != 0x80u) return {};
        code = code << 6 | (byte & 0x3Fu);
    }
    const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (code < least[size] || code > 0x10FFFF || is_surrogate) return {};
    return {code, size, true};
}

/// Control characters (C0, DEL, C1), line separators, and what turns the direction of the text around it.
bool is_steering(char32_t code) noexcept {
    const auto is_in = [code](char32_t first, char32_t last) { return code >= first && code <= last; };
    return code < 0x20 || is_in(0x7F, 0x9F) || code == 0x061C || is_in(0x200E, 0x200F) || is_in(0x2028, 0x202E) || is_in(0x2066, 0x2069);
}

}  // namespace

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) c = lower(c);
    return result;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) noexcept {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_token(std::string_view text) noexcept { return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character); }

std::string_view field_value_fault(std::string_view text) noexcept {
    if (std::any_of(text.begin(), text.end(), [](char c) { return is_control_character(c) && c != '\t'; }))
        return "has a control character";
    return trim(text).size() == text.size() ? "" : "begins or ends with white space";
}

void append_escaped(std::string& out, std::string_view text, std::string_view marked, std::string_view kept) {
    constexpr std::string_view digits = "0123456789abcdef";
    while (!text.empty()) {
        const Character character = first_character(text);
        const std::string_view bytes = text.substr(0, character.size);
        text.remove_prefix(character.size);
        if (character.is_valid && (!is_steering(character.code) || kept.find(bytes[0]) != std::string_view::npos)) {
            if (marked.find(bytes[0]) != std::string_view::npos) out += '\\';
            out += bytes;
            continue;
        }
        for (const char c : bytes) {
            const auto byte = static_cast<unsigned char>(c);
            out += {'\\', 'x', digits[byte >> 4], digits[byte & 0xFu]};
        }
    }
}

std::string escaped(std::string_view text, std::string_view kept) {
    std::string result;
    append_escaped(result, text, {}, kept);
    return result;
}

std::string cited(std::string_view text) {
    const bool is_long = text.size() > longest_citation;
    std::string result = "\"";
    append_escaped(result, is_long ? cut(text) : text, "\"\\");
    return result += is_long ? "…\"" : "\"";
}

}  // namespace hawser
