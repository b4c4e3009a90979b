#include "types/ssl_options.hpp"

#include <hawser/error.hpp>

#include "support/catch.hpp"
#include "support/error_of.hpp"

using namespace hawser;
using namespace std::string_literals;

namespace {

using Map = std::map<std::string, std::string>;

std::string refusal(std::string_view name, const OptionValue& value) {
    Context context;
    try {
        context.set_option("ssl", name, value);
    } catch (const Error& error) {
        CHECK(error.errc() == Errc::invalid_option);
        return error.what();
    }
    return {};
}

}  // namespace

TEST_CASE("ssl options: compression stays off") {
    CHECK(refusal("disable_compression", true).empty());
    CHECK(refusal("disable_compression", false) ==
          R"(ssl option "disable_compression" is false, which is refused: compression inside of TLS gives secrets away (CRIME))");
}

TEST_CASE("ssl options: renegotiation is always off") {
    CHECK(refusal("reneg_limit", 0).empty());
    CHECK(refusal("reneg_limit", 1) == R"(ssl option "reneg_limit" is refused but for 0: renegotiation is always off)");
    CHECK(refusal("reneg_window", 300) == R"(ssl option "reneg_window" is refused: renegotiation is always off)");
}

TEST_CASE("ssl options: ALPN names have 1 to 255 bytes") {
    CHECK(refusal("alpn_protocols", "http/1.1").empty());
    CHECK(refusal("alpn_protocols", "h2, http/1.1").empty());
    CHECK(refusal("alpn_protocols", std::string(254, 'a')).empty());
    CHECK(refusal("alpn_protocols", std::string(255, 'a')).empty());
    CHECK_FALSE(refusal("alpn_protocols", std::string(256, 'a')).empty());
    for (const std::string& list : {""s, ","s, "a,"s, ",a"s, "a,,b"s, "a\0b"s}) {
        CAPTURE(list);
        CHECK_FALSE(refusal("alpn_protocols", list).empty());
    }
}

TEST_CASE("ssl options: a fingerprint is hex of a length that tells the hash") {
    const std::string sha1(40, 'a'), sha256(64, 'F');
    CHECK(refusal("peer_fingerprint", sha1).empty());
    CHECK(refusal("peer_fingerprint", sha256).empty());
    CHECK(refusal("peer_fingerprint", "00:" + std::string(62, '9')).empty());
    CHECK(refusal("peer_fingerprint", Map{{"sha1", sha1}, {"sha256", sha256}}).empty());
    for (const std::string& wrong : {""s, "x"s, std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'g'), std::string(32, 'a')}) {
        CAPTURE(wrong);
        CHECK_FALSE(refusal("peer_fingerprint", wrong).empty());
    }
    CHECK_FALSE(refusal("peer_fingerprint", Map{}).empty());
    CHECK_FALSE(refusal("peer_fingerprint", Map{{"md5", std::string(32, 'a')}}).empty());
    CHECK_FALSE(refusal("peer_fingerprint", Map{{"sha256", sha1}}).empty());
    CHECK_FALSE(refusal("peer_fingerprint", Map{{"sha1", sha256}}).empty());
}

TEST_CASE("ssl options: SNI_server_certs names a file, or two, for each host") {
    CHECK(refusal("SNI_server_certs", Map{{"a.example", "a.pem"}, {"*.b.example", "b.pem, b.key"}}).empty());
    CHECK_FALSE(refusal("SNI_server_certs", Map{{"", "a.pem"}}).empty());
    CHECK_FALSE(refusal("SNI_server_certs", Map{{"a", ""}}).empty());
    CHECK_FALSE(refusal("SNI_server_certs", Map{{"a", "a,"}}).empty());
    CHECK_FALSE(refusal("SNI_server_certs", Map{{"a", "a,b,c"}}).empty());
}

TEST_CASE("ssl options: paths and names are plain text") {
    for (const char* name : {"cafile", "capath", "local_cert", "local_pk"}) {
        CHECK(refusal(name, "a b").empty());
        CHECK_FALSE(refusal(name, "").empty());
        CHECK_FALSE(refusal(name, "a\0b"s).empty());
    }
    CHECK(refusal("peer_name", "a.example").empty());
    CHECK(refusal("peer_name", "").empty());
    CHECK_FALSE(refusal("peer_name", "a\nb").empty());
    CHECK_FALSE(refusal("peer_name", "a\0b"s).empty());
    CHECK_FALSE(refusal("peer_name", std::string(256, 'a')).empty());
}

TEST_CASE("ssl options: hex and lists") {
    CHECK(bytes_of_hex("00:fF10") == "\x00\xff\x10"s);
    CHECK(bytes_of_hex("0").empty());
    CHECK(bytes_of_hex("0g").empty());
    CHECK(split_list("a, b ,", ',') == std::vector<std::string>{"a", "b", ""});
    CHECK(split_list("", ',') == std::vector<std::string>{""});
}
