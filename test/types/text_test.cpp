#include "types/text.hpp"

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
    CHECK(cited(std::string(300, '\x80')) == "\"…\"");
}
