#include "types/host.hpp"

#include <string>

#include "support/catch.hpp"

using hawser::is_host_and_port;
using hawser::is_host_field;

TEST_CASE("host: a name, an address, and behind it a port or none") {
    const std::string host =
        GENERATE(as<std::string>(), "a", "a.example", "A.EXAMPLE.", "my_backend", "127.0.0.1", "1.2.3.999", "xn--bcher-kva.example",
                 "a~b!$&'()*+,;=c", "b%C3%BCcher.example", "%00", "[::1]", "[::]", "[2001:DB8::7]", "[::ffff:1.2.3.4]", "[fe80::1%25eth0]",
                 "[fe80::1%25a%20b]", "[v1.a:b]", "[VF0.~!:]");
    CAPTURE(host);
    CHECK(is_host_and_port(host));
    CHECK(is_host_field(host));
    for (const char* port : {":", ":1", ":80", ":00080", ":65535"}) CHECK(is_host_and_port(host + port));
    for (const char* port :
         {":0", ":65536", ":99999999999", ":80:81", ":80x", ":x", ":-1", ":+1", ": 1", ":1 ", ":0x50", "::", ":[", "]", "[", "/"})
        CHECK_FALSE(is_host_and_port(host + port));
}

TEST_CASE("host: what its characters alone do not tell") {
    const std::string text =
        GENERATE(as<std::string>(), ":80", ":", "::1", "::1:80", "[", "]", "[]", "[]:80", "[::1", "::1]", "[::1]x", "[::1]80", "[[::1]]",
                 "a[::1]", "[a", "a]", "[a]", "[g]", "[1.2.3.4]", "[:::1]", "[::1::]", "[1:2:3:4:5:6:7]", "[1:2:3:4:5:6:7:8:9]",
                 "[::12345]", "[fe80::1%eth0]", "[fe80::1%25]", "[fe80::1%2]", "[fe80::1%25a%]", "[%25eth0]", "[v.a]", "[v1.]", "[v1]",
                 "[vg.a]", "[v1.a/]", "[.]", "%", "%2", "%zz", "a%2", "a%2g", "%%41", "a@b", "user:word@a", "a b", "a/b", "a?b", "a#b",
                 "a\\b", "a\"b", "<a>", "{a}", "a|b", "a^b", "a`b", "b\xC3\xBC", "a\tb");
    CAPTURE(text);
    CHECK_FALSE(is_host_and_port(text));
    CHECK_FALSE(is_host_field(text));
}

TEST_CASE("host: a Host field may be empty, an authority may not") {
    CHECK(is_host_field(""));
    CHECK_FALSE(is_host_and_port(""));
}
