#pragma once

#include <string>
#include <string_view>

#include <hawser/logger.hpp>

namespace hawser {

// The alphabet of the protocols is ASCII whatever the locale is: <cctype> is no help here.
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_hex_digit(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
constexpr bool is_control_character(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }
constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// RFC 3986, section 2.3.
constexpr bool is_unreserved(char c) noexcept { return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~'; }

/// RFC 9110, section 5.6.2.
constexpr bool is_token_character(char c) noexcept {
    return is_alpha(c) || is_digit(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// `text` in lower case.
std::string lower(std::string_view text);
/// Whether two texts differ in nothing but the case of ASCII letters.
bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;
/// Without the spaces and tabs at both ends.
std::string_view trim(std::string_view text) noexcept;

/// Whether `text` may be the name of a header field (RFC 9110, section 5.6.2).
bool is_token(std::string_view text) noexcept;
/// Why `text` cannot be the value of a header field, as said of it: "has a control character", but for the tab, or "begins or ends with
/// white space" (RFC 9110, section 5.5). Empty when it can.
std::string_view field_value_fault(std::string_view text) noexcept;

/// Appends `text` as escaped() has it, with a backslash before each character that is in `marked`.
void append_escaped(std::string& out, std::string_view text, std::string_view marked = {}, std::string_view kept = {});
/// `text` as an error's sentence cites it: in quotes, escaped, and cut when it is long.
std::string cited(std::string_view text);

}  // namespace hawser
