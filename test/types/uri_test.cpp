#include <hawser/uri.hpp>

#include <random>

#include <hawser/error.hpp>

#include "support/catch.hpp"

using namespace hawser;
using namespace std::string_literals;

namespace {

template <typename Function>
std::string refusal_of(Function&& function) {
    try {
        return "accepted as " + function().str();
    } catch (const Error& error) {
        CHECK(error.errc() == Errc::bad_uri);
        return error.what();
    }
}

std::string refusal(std::string_view text) {
    return refusal_of([&] { return Uri(text); });
}

bool is_refused(std::string_view text) { return refusal(text).starts_with("bad URI "); }

}  // namespace

TEST_CASE("uri: all parts are taken apart") {
    const Uri uri("WSS://Us%65r:p%40ss:w%20rd@Example.ORG:8443/a%20b/c?d=e?f/g");
    CHECK(uri.scheme() == "wss");
    CHECK(uri.is_secure());
    CHECK(uri.user() == "User");
    CHECK(uri.password() == "p@ss:w rd");
    CHECK(uri.has_credentials());
    CHECK(uri.host() == "example.org");
    CHECK(uri.port() == 8443);
    CHECK(uri.target() == "/a%20b/c?d=e?f/g");
    CHECK(uri.authority() == "example.org:8443");
    CHECK(uri.str() == "wss://example.org:8443/a%20b/c?d=e?f/g");
}

TEST_CASE("uri: what is left out has its default") {
    const Uri uri("ws://a");
    CHECK(uri.scheme() == "ws");
    CHECK_FALSE(uri.is_secure());
    CHECK_FALSE(uri.has_credentials());
    CHECK(uri.port() == 80);
    CHECK(uri.target() == "/");
    CHECK(uri.authority() == "a");
    CHECK(uri.str() == "ws://a/");
    CHECK(Uri("wss://a").port() == 443);
    CHECK(Uri("ws://a?q").target() == "/?q");
    CHECK(Uri("ws://a?").target() == "/?");
    CHECK(Uri("ws://@a").str() == "ws://a/");
    CHECK(Uri("ws://:@a").str() == "ws://a/");
    CHECK(Uri("ws://user@a").password().empty());
    CHECK(Uri("ws://:secret@a").has_credentials());
}

TEST_CASE("uri: the scheme is ws or wss") {
    CHECK(refusal("htp://x") == R"(bad URI "htp://x": the scheme is "htp", expected ws or wss)");
    CHECK(refusal("http://x") == R"(bad URI "http://x": the scheme is "http", expected ws or wss)");
    CHECK(refusal("example.org") == R"(bad URI "example.org": it has no scheme, expected ws:// or wss://)");
    CHECK(refusal("") == R"(bad URI "": it has no scheme, expected ws:// or wss://)");
    CHECK(refusal("ws:a") == R"(bad URI "ws:a": there is no "//" behind the scheme)");
    CHECK(refusal("ws:/a") == R"(bad URI "ws:/a": there is no "//" behind the scheme)");
    for (const char* text : {"//a", "/a", "://a", "w", "ws", "wsss://a", "w%73://a", "example.org:80/"}) {
        CAPTURE(text);
        CHECK(is_refused(text));
    }
}

TEST_CASE("uri: the port is a number from 1 to 65535, or empty") {
    CHECK(Uri("ws://a:").port() == 80);
    CHECK(Uri("wss://a:/").port() == 443);
    CHECK(Uri("ws://a:1").port() == 1);
    CHECK(Uri("ws://a:65535").port() == 65535);
    CHECK(Uri("ws://a:00080").str() == "ws://a/");
    CHECK(refusal("ws://a:0") == R"(bad URI "ws://a:0": the port at offset 7 is not a number from 1 to 65535)");
    for (const char* port : {"65536", "65616", "18446744073709551617", "-1", "+1", "8a", "a", "%38", "0x50", "80@"}) {
        CAPTURE(port);
        CHECK(is_refused("ws://a:"s + port));
    }
}

TEST_CASE("uri: the default port is left out of the normal form, another scheme's is not") {
    CHECK(Uri("ws://a:80/").authority() == "a");
    CHECK(Uri("wss://a:443/").str() == "wss://a/");
    CHECK(Uri("ws://a:443/").authority() == "a:443");
    CHECK(Uri("wss://a:80/").str() == "wss://a:80/");
}

TEST_CASE("uri: a host name has labels of letters, digits, hyphens and underscores") {
    CHECK(Uri("ws://a-B_1.Xn--Bcher-KVA.").host() == "a-b_1.xn--bcher-kva.");
    CHECK(Uri("ws://" + std::string(63, 'a')).host().size() == 63);
    CHECK(is_refused("ws://" + std::string(64, 'a')));
    const std::string half = std::string(62, 'a') + '.';
    const std::string longest = half + half + half + half + 'b';
    REQUIRE(longest.size() == 253);
    CHECK(Uri("ws://" + longest).host() == longest);
    CHECK(Uri("ws://" + longest + '.').host().size() == 254);
    CHECK(is_refused("ws://" + longest + 'b'));
    CHECK(refusal("ws://") == R"(bad URI "ws://": it has no host)");
    CHECK(refusal("ws://:80/") == R"(bad URI "ws://:80/": it has no host)");
    for (const char* host : {".", "a..b", ".a", "a..", "a~b", "a!b", "a%62", "a%00b", "a,b", "a[b", "[", "]"}) {
        CAPTURE(host);
        CHECK(is_refused("ws://"s + host));
    }
}

TEST_CASE("uri: what the system would take for an IPv4 address is one, in its usual form") {
    CHECK(Uri("ws://127.0.0.1:9").host() == "127.0.0.1");
    CHECK(Uri("ws://255.255.255.255").host() == "255.255.255.255");
    CHECK(Uri("ws://1.2.3.example").host() == "1.2.3.example");
    CHECK(Uri("ws://0xyz").host() == "0xyz");
    for (const char* host :
         {"256.0.0.1", "1.2.3", "1.2.3.4.5", "1.2.3.4.", "127.1", "2130706433", "0x7f000001", "127.0.0.0x1", "0177.0.0.1", "a.1", "0x"}) {
        CAPTURE(host);
        CHECK(is_refused("ws://"s + host));
    }
    CHECK(refusal("ws://1.2.3") ==
          R"(bad URI "ws://1.2.3": the host at offset 5 is not an IPv4 address of four decimal numbers from 0 to 255)");
}

TEST_CASE("uri: an IPv6 address stands in brackets and is brought to its usual form") {
    const Uri uri("ws://[2001:DB8:0:0::1]:81/x");
    CHECK(uri.host() == "2001:db8::1");
    CHECK(uri.port() == 81);
    CHECK(uri.authority() == "[2001:db8::1]:81");
    CHECK(uri.str() == "ws://[2001:db8::1]:81/x");
    CHECK(Uri("wss://[::1]").str() == "wss://[::1]/");
    CHECK(Uri("ws://[::ffff:1.2.3.4]").host() == "::ffff:1.2.3.4");
    CHECK(refusal("ws://::1/") == R"(bad URI "ws://::1/": the host has colons, an IPv6 address stands in brackets)");
    CHECK(refusal("ws://[::1/") == R"(bad URI "ws://[::1/": the "[" at offset 5 is not closed)");
    CHECK(refusal("ws://[::1]x/") == R"(bad URI "ws://[::1]x/": expected a port or a path at offset 10)");
    for (const char* host : {"[]", "[:]", "[::g]", "[1::2::3]", "[1.2.3.4]", "[v1.a]", "[[::1]]", "[::1]:80:90", "[12345::]"}) {
        CAPTURE(host);
        CHECK(is_refused("ws://"s + host));
    }
}

TEST_CASE("uri: a zone belongs to the host but not to the Host header") {
    const Uri uri("ws://[fe80::1%25eth0.1]:81/");
    CHECK(uri.host() == "fe80::1%eth0.1");
    CHECK(uri.authority() == "[fe80::1]:81");
    CHECK(uri.str() == "ws://[fe80::1%25eth0.1]:81/");
    CHECK(Uri(uri.str()).host() == uri.host());
    for (const char* host : {"[fe80::1%25]", "[fe80::1%20eth0]", "[fe80::1%25a%20b]", "[fe80::1%25%00]", "[%25eth0]", "[fe80::1%eth0]"}) {
        CAPTURE(host);
        CHECK(is_refused("ws://"s + host));
    }
}

TEST_CASE("uri: a fragment is refused") {
    CHECK(refusal("ws://a/b#c") == R"(bad URI "ws://a/b#c": it has a fragment at offset 8, which a WebSocket URI cannot have)");
    CHECK(is_refused("ws://a#"));
    CHECK(is_refused("ws://a?#"));
    CHECK(Uri("ws://a/%23").target() == "/%23");
}

TEST_CASE("uri: no character is taken that RFC 3986 does not have") {
    const std::string forbidden = " \"<>\\^`{|}";
    for (const char* place :
         {"ws://u@a/b*c", "ws://u@a/b?c*d", "ws://u*v@a/", "ws://a*b/", "w*s://a/", "*ws://a", "ws://a/*", "ws://a:8*0/"}) {
        const std::string text = place;
        const std::size_t at = text.find('*');
        for (int byte = 0; byte < 256; ++byte) {
            const char c = static_cast<char>(byte);
            if (byte > 0x20 && byte < 0x7F && forbidden.find(c) == std::string::npos) continue;
            std::string changed = text;
            changed[at] = c;
            CAPTURE(text, byte);
            const bool is_of_host = text == "ws://a*b/" && byte >= 0x80;
            const std::string where = "character at offset " + std::to_string(at);
            CHECK(refusal(changed).find(where + (is_of_host ? " that is not ASCII" : " is not allowed in a URI, percent-encode it")) !=
                  std::string::npos);
        }
    }
    CHECK(Uri("ws://a/-._~!$&'()*+,;=:@/?-._~!$&'()*+,;=:@/?").target() == "/-._~!$&'()*+,;=:@/?-._~!$&'()*+,;=:@/?");
    CHECK(is_refused("ws://a/["));
    CHECK(is_refused("ws://a/?]"));
}

TEST_CASE("uri: a percent sign is followed by two hexadecimal digits") {
    CHECK(Uri("ws://a/%aF%00").target() == "/%aF%00");
    CHECK(refusal("ws://a/%g0") == R"(bad URI "ws://a/%g0": the "%" at offset 7 is not followed by two hexadecimal digits)");
    for (const char* end : {"%", "%4", "%4g", "%%41", "%-1", "% 1"}) {
        CAPTURE(end);
        CHECK(is_refused("ws://a/"s + end));
    }
}

TEST_CASE("uri: user information holds no control character, encoded or not") {
    CHECK(Uri("ws://a%20%c3%a4:%3A%2F@h").user() == "a \xC3\xA4");
    CHECK(Uri("ws://a:%3A%2F%40@h").password() == ":/@");
    for (const char* user : {"a%0D", "a%0a:b", "a:%00", "a:b%7f", "a@b", "a:b@c", "a[b", "a:]"}) {
        CAPTURE(user);
        CHECK(is_refused("ws://"s + user + "@h"));
    }
}

TEST_CASE("uri: no error text shows the password, wherever the mistake is") {
    for (const char* text :
         {"ws://u:secret@a:0",  "ws://u:secret@",      "htp://u:secret@a",    "u:secret@a",        "ws:u:secret@a",    "ws:/u:secret@a",
          "ws://u:secret@a/ b", "ws://u:sec/secret@a", "ws://u:1/secret@a b", "ws://u:secret?@a#", "ws://u:secret#@a", "ws://u:secret%@a",
          "ws://u:a@secret@b",  "ws://u:secret%00@b",  "ws://secret@b@c:0",   "secret@b",          "secret@b:80",      "u:secret://b@c",
          "ws://u:secret [@b",  "//u:secret@b",        "u:x://secret@b"}) {
        CAPTURE(text);
        const std::string what = refusal(text);
        CHECK(what.starts_with("bad URI "));
        CHECK(what.find("secret") == std::string::npos);
    }
    CHECK(refusal("ws://u:secret@a:0/") == R"(bad URI "ws://***@a:0/": the port at offset 16 is not a number from 1 to 65535)");
    CHECK(Uri("ws://u:secret@a/").str().find("secret") == std::string::npos);
}

TEST_CASE("uri: the length is bounded") {
    const std::string start = "ws://a/";
    const std::string longest = start + std::string(8192 - start.size(), 'x');
    CHECK(Uri(longest.substr(0, 8191)).str().size() == 8191);
    CHECK(Uri(longest).str() == longest);
    CHECK(refusal(longest + 'x').ends_with("…\": it is longer than 8192 bytes"));
    CHECK(refusal(longest + 'x').size() < 300);
    CHECK(refusal_of([&] { return Uri("ws://a/").resolve("?" + longest); }).ends_with("it is longer than 8192 bytes"));
    CHECK(refusal_of([&] { return Uri("ws://a/").resolve(longest + 'x'); }).ends_with("it is longer than 8192 bytes"));
}

// RFC 3986, sections 5.4.1 and 5.4.2.
TEST_CASE("uri: references are resolved as RFC 3986 shows") {
    const Uri base("ws://a/b/c/d;p?q");
    const std::pair<const char*, const char*> examples[] = {
        {"g", "ws://a/b/c/g"},
        {"./g", "ws://a/b/c/g"},
        {"g/", "ws://a/b/c/g/"},
        {"/g", "ws://a/g"},
        {"//g", "ws://g/"},
        {"?y", "ws://a/b/c/d;p?y"},
        {"g?y", "ws://a/b/c/g?y"},
        {";x", "ws://a/b/c/;x"},
        {"g;x", "ws://a/b/c/g;x"},
        {"", "ws://a/b/c/d;p?q"},
        {".", "ws://a/b/c/"},
        {"./", "ws://a/b/c/"},
        {"..", "ws://a/b/"},
        {"../", "ws://a/b/"},
        {"../g", "ws://a/b/g"},
        {"../..", "ws://a/"},
        {"../../", "ws://a/"},
        {"../../g", "ws://a/g"},
        {"../../../g", "ws://a/g"},
        {"../../../../g", "ws://a/g"},
        {"/./g", "ws://a/g"},
        {"/../g", "ws://a/g"},
        {"g.", "ws://a/b/c/g."},
        {".g", "ws://a/b/c/.g"},
        {"g..", "ws://a/b/c/g.."},
        {"..g", "ws://a/b/c/..g"},
        {"./../g", "ws://a/b/g"},
        {"./g/.", "ws://a/b/c/g/"},
        {"g/./h", "ws://a/b/c/g/h"},
        {"g/../h", "ws://a/b/c/h"},
        {"g;x=1/./y", "ws://a/b/c/g;x=1/y"},
        {"g;x=1/../y", "ws://a/b/c/y"},
        {"g?y/./x", "ws://a/b/c/g?y/./x"},
        {"g?y/../x", "ws://a/b/c/g?y/../x"},
        {"?", "ws://a/b/c/d;p?"},
        {"g//../h", "ws://a/b/c/g/h"},
        {"ws://x/a/../b?c", "ws://x/b?c"},
        {"//x:81/a/../b?c", "ws://x:81/b?c"},
    };
    for (const auto& [reference, expected] : examples) {
        CAPTURE(reference);
        CHECK(base.resolve(reference).str() == expected);
    }
}

TEST_CASE("uri: http and https in a reference stand for ws and wss") {
    const Uri base("wss://a/b");
    CHECK(base.resolve("HTTP://x/y").str() == "ws://x/y");
    CHECK(base.resolve("https://x").str() == "wss://x/");
    CHECK(base.resolve("https://x:443/").port() == 443);
    CHECK(base.resolve("//x").str() == "wss://x/");
    CHECK(base.resolve("c").str() == "wss://a/c");
}

TEST_CASE("uri: credentials and zone stay with their authority") {
    const Uri base("ws://u:p%40@[fe80::1%25lo]:81/b");
    const Uri same = base.resolve("/c");
    CHECK(same.user() == "u");
    CHECK(same.password() == "p@");
    CHECK(same.str() == "ws://[fe80::1%25lo]:81/c");
    CHECK(base.resolve("//v:w@x/").user() == "v");
    for (const char* same_origin :
         {"?q", "//[fe80::1%25lo]:81/c", "ws://[FE80::1%25lo]:81/c", "HTTP://[fe80:0::1]:81/", "//[fe80::1]:81"}) {
        CAPTURE(same_origin);
        const Uri uri = base.resolve(same_origin);
        CHECK(uri.password() == "p@");
        CHECK(uri.host() == "fe80::1%lo");
    }
    for (const char* other : {"//x/c", "//[fe80::2]:81", "//[fe80::1%25eth0]:81", "//[fe80::1%25lo]/", "wss://[fe80::1%25lo]:81/"}) {
        CAPTURE(other);
        CHECK_FALSE(base.resolve(other).has_credentials());
    }
    CHECK(Uri("ws://u:p@a").resolve("http://a:80/").user() == "u");
    CHECK(Uri("wss://u:p@a").resolve("https://A:443").user() == "u");
    CHECK_FALSE(Uri("ws://u:p@a").resolve("https://a").has_credentials());
    CHECK(Uri("ws://u:p@a").resolve("//v@a").password().empty());
}

TEST_CASE("uri: a reference that leads nowhere is refused") {
    const Uri base("ws://a/b?q");
    for (const char* reference : {"ftp://x/", "mailto:x", "ws:x",       "ws:x/host/", "http:x/evil.example/",
                                  "wss:",     "http:/x",  "http:///x/", "///x/",      "//",
                                  "ws://",    "ws://#f",  "\\\\x",      "/\\x",       "\\/x",
                                  "//x\\y/",  "//x%/",    "http:\\\\x", "c\n",        "c\x7f"}) {
        CAPTURE(reference);
        CHECK(refusal_of([&] { return base.resolve(reference); }).starts_with("bad URI "));
    }
}

TEST_CASE("uri: the fragment of a reference is dropped") {
    const Uri base("ws://a/b?q");
    CHECK(base.resolve("#f").str() == "ws://a/b?q");
    CHECK(base.resolve("c#f").str() == "ws://a/c");
    CHECK(base.resolve("?r#f#g").str() == "ws://a/b?r");
    CHECK(base.resolve("//x#f/../?:@").str() == "ws://x/");
    CHECK(base.resolve("https://x/c#//y").str() == "wss://x/c");
}

TEST_CASE("uri: what browsers encode in a reference's path and query is percent-encoded") {
    const Uri base("ws://a/b/c?q");
    CHECK(base.resolve("?x[]=1").str() == "ws://a/b/c?x%5B%5D=1");
    CHECK(base.resolve("/n?name=\xC3\xA9").target() == "/n?name=%C3%A9");
    CHECK(base.resolve("d/\xE9[").target() == "/b/d/%E9%5B");
    CHECK(base.resolve("//x/\xF0\x9F\x98\x80?\xC3\xA9").str() == "ws://x/%F0%9F%98%80?%C3%A9");
    CHECK(base.resolve("c d?\"<>^`{|}").target() == "/b/c%20d?%22%3C%3E%5E%60%7B%7C%7D");
    CHECK(base.resolve("?a=%5b&b=%C3%A9").target() == "/b/c?a=%5b&b=%C3%A9");
    const std::string longest = "?" + std::string((8192 - base.resolve("?").str().size()) / 3, '[');
    CHECK(base.resolve(longest).str().size() > 8189);
    CHECK(refusal_of([&] { return base.resolve(longest + '['); }).ends_with("it is longer than 8192 bytes"));
}

TEST_CASE("uri: a percent sign that encodes nothing, and a backslash, are percent-encoded in a reference's path and query") {
    const Uri base("ws://a/b/c?q");
    CHECK(base.resolve("100%").target() == "/b/100%25");
    CHECK(base.resolve("/%").target() == "/%25");
    CHECK(base.resolve("?a=5%&b=%4").target() == "/b/c?a=5%25&b=%254");
    CHECK(base.resolve("//x/%g0%%41%-1?%").str() == "ws://x/%25g0%25%41%25-1?%25");
    CHECK(base.resolve("http://x/%a%AF").str() == "ws://x/%25a%AF");
    CHECK(base.resolve("d\\e?f\\g").target() == "/b/d%5Ce?f%5Cg");
    CHECK(base.resolve("\\x").target() == "/b/%5Cx");
    CHECK(base.resolve("/d/..\\e").target() == "/d/..%5Ce");
    CHECK(base.resolve("https://x/\\y").str() == "wss://x/%5Cy");
    CHECK(refusal_of([&] { return base.resolve("/\\x/y"); }) ==
          R"(bad URI "/\\x/y": it begins with a backslash where a host may be meant: that is written "//")");
    CHECK(base.resolve("100%").resolve("").target() == "/b/100%25");
}

TEST_CASE("uri: a host of another script is told how it is to be written") {
    const char* advice = " that is not ASCII: write it as DNS has it, with A-labels (xn--…, RFC 5890)";
    CHECK(refusal("ws://b\xC3\xBC"
                  "cher.example/") ==
          "bad URI \"ws://b\xC3\xBC"
          "cher.example/\": the host name has a character at offset 6"s +
              advice);
    CHECK(refusal("wss://u:p@a.\xE4\xB8\xAD:80").ends_with("at offset 12"s + advice));
    CHECK(refusal_of([&] { return Uri("ws://a").resolve("//\xC3\xBC.example/"); }).ends_with(advice));
    CHECK(refusal("ws://b%C3%BCcher.example/").find("xn--") != std::string::npos);
    CHECK(Uri("ws://xn--bcher-kva.example").host() == "xn--bcher-kva.example");
    CHECK(refusal("ws://a/\xC3\xBC").ends_with("percent-encode it"));
}

TEST_CASE("uri: whatever is accepted is accepted again in its normal form") {
    constexpr unsigned seed = 20;
    CAPTURE(seed);
    std::mt19937 random(seed);
    const std::string alphabet = "awsWS:/?@[]%25.-_0xf1#&";
    std::size_t accepted = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string text = "ws://a/";
        for (int change = 0; change < 4; ++change) text.insert(random() % (text.size() + 1), 1, alphabet[random() % alphabet.size()]);
        try {
            const Uri uri(text);
            ++accepted;
            const Uri again(uri.str());
            if (again.str() != uri.str() || again.host() != uri.host() || again.port() != uri.port()) FAIL("changed: " << text);
            if (uri.resolve("").str() != uri.str()) FAIL("resolved to something else: " << text);
        } catch (const Error& error) {
            if (error.errc() != Errc::bad_uri) FAIL("wrong error for " << text);
        }
    }
    CHECK(accepted > 100);
}
