#include "types/text.hpp"

#include <algorithm>

namespace hawser {
namespace {

constexpr std::size_t longest_citation = 200;

// A cut within a UTF-8 sequence would make the whole text invalid.
std::string_view cut(std::string_view text) noexcept {
    std::size_t size = longest_citation;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0u) == 0x80u) --size;
    return text.substr(0, size);
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

void append_escaped(std::string& out, std::string_view text, std::string_view marked) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (const char c : text) {
        if (is_control_character(c)) {
            const auto byte = static_cast<unsigned char>(c);
            out += {'\\', 'x', digits[byte >> 4], digits[byte & 0xFu]};
            continue;
        }
        if (marked.find(c) != std::string_view::npos) out += '\\';
        out += c;
    }
}

std::string cited(std::string_view text) {
    const bool is_long = text.size() > longest_citation;
    std::string result = "\"";
    append_escaped(result, is_long ? cut(text) : text, "\"\\");
    return result += is_long ? "…\"" : "\"";
}

}  // namespace hawser
