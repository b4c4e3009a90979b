#include "types/base64.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"

using hawser::base64_decode;
using hawser::base64_encode;

TEST_CASE("base64: the examples of RFC 4648, section 10, are encoded and decoded") {
    const std::vector<std::pair<std::string, std::string>> examples = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    for (const auto& [bytes, text] : examples) {
        CHECK(base64_encode(bytes) == text);
        std::string decoded = "old";
        CHECK(base64_decode(text, decoded));
        CHECK(decoded == bytes);
    }
}

TEST_CASE("base64: any bytes survive it, at every length") {
    constexpr std::uint32_t seed = 5;
    INFO("seed " << seed);
    std::mt19937 random(seed);
    for (std::size_t size = 0; size < 300; ++size) {
        std::string bytes(size, '\0');
        for (char& byte : bytes) byte = static_cast<char>(random() & 0xFF);
        const std::string text = base64_encode(bytes);
        CHECK(text.size() == (size + 2) / 3 * 4);
        CHECK(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") == std::string::npos);
        std::string decoded;
        REQUIRE(base64_decode(text, decoded));
        REQUIRE(decoded == bytes);
    }
}

TEST_CASE("base64: text that is not canonical is refused, and the result left alone") {
    const std::vector<std::string> wrong = {
        "Z",          "Zg",       "Zg=",        "Zm9",        "Zm8",     "=",     "==",        "====",  // length
        "Zm9vY",      "Zm9v====", "Zg==Zg==",   "Z===",       "Zm=v",    "=m9v",                        // padding
        "Zh==",       "Zm9=",     "Zm9vYh==",                                                           // trailing bits
        "Zm9-",       "Zm9_",     "Zm9.",       "Zm\xC3\xB6", "Zm9\xFF",                                // alphabet
        "Zm9v\n",     "Zm9v\r\n", "Zm\n9v",     "Zm9v ",      " Zm9v",   "Zm 9v", "Zm9v Zm8=",          // white space
        {"Zm9\0", 4}, {"\0", 1},  {"Zm9v\0", 5}};
    for (const std::string& text : wrong) {
        INFO("text \"" << text << '"');
        std::string decoded = "old";
        CHECK_FALSE(base64_decode(text, decoded));
        CHECK(decoded == "old");
    }
}
