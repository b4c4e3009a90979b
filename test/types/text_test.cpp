#include "types/text.hpp"

#include <array>
#include <string>
#include <string_view>

#include "support/catch.hpp"

using namespace hawser;

TEST_CASE("text: case is that of ASCII, whatever the locale") {
    CHECK(lower("AZaz09-_\xC4") == "azaz09-_\xC4");
    CHECK(equals_ignoring_case("Upgrade", "uPGRADE"));
    CHECK(equals_ignoring_case("", ""));
    CHECK_FALSE(equals_ignoring_case("Upgrade", "Upgrad"));
    CHECK_FALSE(equals_ignoring_case("@[`{", "`{@["));
}

TEST_CASE("text: trim takes spaces and tabs from the ends alone") {
    CHECK(trim(" \ta b\t ") == "a b");
    CHECK(trim(" \t ").empty());
    CHECK(trim("").empty());
    CHECK(trim("\r\na") == "\r\na");
}

TEST_CASE("text: a token has the characters of RFC 9110") {
    const std::string allowed = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (int byte = 0; byte < 256; ++byte) {
        const char c = static_cast<char>(byte);
        CAPTURE(byte);
        CHECK(is_token(std::string(1, c)) == (allowed.find(c) != std::string::npos));
    }
    CHECK(is_token("Sec-WebSocket-Key"));
    CHECK_FALSE(is_token(""));
    CHECK_FALSE(is_token("a b"));
}

TEST_CASE("text: a field value has no control character but the tab, and no white space at its ends") {
    for (int byte = 0; byte < 256; ++byte) {
        const std::string value = {'a', static_cast<char>(byte), 'b'};
        CAPTURE(byte);
        CHECK(field_value_fault(value) == (byte == '\t' || (byte >= 0x20 && byte != 0x7F) ? "" : "has a control character"));
    }
    CHECK(field_value_fault("").empty());
    for (const char* value : {" ", " a", "a ", "\ta", "a\t", "a b "}) CHECK(field_value_fault(value) == "begins or ends with white space");
    CHECK(field_value_fault(" a\n") == "has a control character");
}

TEST_CASE("text: a citation is escaped") {
    CHECK(cited("plain") == "\"plain\"");
    CHECK(cited("a\"b\\c") == R"("a\"b\\c")");
    CHECK(cited(std::string("\0\r\n\x1f\x7f", 5)) == R"("\x00\x0d\x0a\x1f\x7f")");
    CHECK(cited("\xC3\xA4") == "\"\xC3\xA4\"");
}

TEST_CASE("text: a long citation is cut between characters") {
    const std::string full(200, 'x');
    CHECK(cited(full) == '"' + full + '"');
    CHECK(cited(full + 'x') == '"' + full + "…\"");
    CHECK(cited(std::string(199, 'x') + "\xC3\xA4") == '"' + std::string(199, 'x') + "…\"");
    CHECK(cited(std::string(198, 'x') + "\xC3\xA4y") == '"' + std::string(198, 'x') + "\xC3\xA4…\"");
    std::string bytes = "\"";
    for (int i = 0; i < 197; ++i) bytes += "\\x80";
    CHECK(cited(std::string(300, '\x80')) == bytes + "…\"");
}

TEST_CASE("text: what steers a terminal is escaped, by its code point, and so are bytes that are no UTF-8") {
    const auto in_hex = [](std::string_view text) {
        std::string result;
        for (const char c : text) append_escaped(result, std::string{c});
        return result;
    };
    struct Range {
        std::string_view first, last, before, behind;
    };
    const std::array ranges = {Range{"\xC2\x80", "\xC2\x9F", "~", "\xC2\xA0"},  // C1
                               Range{"\xE2\x80\x8E", "\xE2\x80\x8F", "\xE2\x80\x8D", "\xE2\x80\x90"},
                               Range{"\xE2\x80\xA8", "\xE2\x80\xAE", "\xE2\x80\xA7", "\xE2\x80\xAF"},  // lines, U+202A to U+202E
                               Range{"\xE2\x81\xA6", "\xE2\x81\xA9", "\xE2\x81\xA5", "\xE2\x81\xAA"},  // U+2066 to U+2069
                               Range{"\xD8\x9C", "\xD8\x9C", "\xD8\x9B", "\xD8\x9D"}};
    for (const Range& range : ranges) {
        CAPTURE(range.first);
        CHECK(escaped(range.first) == in_hex(range.first));
        CHECK(escaped(range.last) == in_hex(range.last));
        CHECK(escaped(range.before) == range.before);
        CHECK(escaped(range.behind) == range.behind);
    }
    for (const std::string_view bad : {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                                       "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3", "\xE2\x82", "\xF0\x9F\x98"}) {
        CAPTURE(bad);
        CHECK(escaped(bad) == in_hex(bad));
        CHECK(escaped("a" + std::string(bad) + "b") == "a" + in_hex(bad) + "b");
    }
    CHECK(escaped("\xC3(") == "\\xc3(");
    CHECK(escaped("\xF0\x9F\x98\x80 \xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF") == "\xF0\x9F\x98\x80 \xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF");
    CHECK(escaped("a\tb\nc") == "a\\x09b\\x0ac");
    CHECK(escaped("a\tb\nc\r", "\t\n") == "a\tb\nc\\x0d");
}
