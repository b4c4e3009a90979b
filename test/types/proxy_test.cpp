#include "types/proxy.hpp"

#include <string>

#include "support/catch.hpp"

using hawser::parse_proxy;
using hawser::Proxy;

TEST_CASE("proxy: a URI of HTTP or SOCKS 5 has a host and a port") {
    const auto http = parse_proxy("http://proxy.example:3128");
    REQUIRE(http);
    CHECK(http->protocol == Proxy::Protocol::http);
    CHECK(http->uri.host() == "proxy.example");
    CHECK(http->uri.port() == 3128);
    CHECK_FALSE(http->uri.has_credentials());
    const auto socks = parse_proxy("socks5://me:s%40crets@[::1]:1080/");
    REQUIRE(socks);
    CHECK(socks->protocol == Proxy::Protocol::socks5);
    CHECK(socks->uri.host() == "::1");
    CHECK(socks->uri.port() == 1080);
    CHECK(socks->uri.user() == "me");
    CHECK(socks->uri.password() == "s@crets");
    CHECK(parse_proxy("http://127.0.0.1:80")->uri.port() == 80);
}

TEST_CASE("proxy: anything else is none") {
    for (const char* text : {"",
                             "http",
                             "http:",
                             "http://",
                             "proxy.example:3128",
                             "https://a:1",
                             "socks4://a:1",
                             "HTTP://a:1",
                             "ws://a:1",
                             "http://a",
                             "http://a:",
                             "socks5://a",
                             "http://a:0",
                             "http://a:65536",
                             "http://a:080",
                             "http://a:1/path",
                             "http://a:1//",
                             "http://a:1?b:1",
                             "http://a:1#b",
                             "http:a:1",
                             "http://:1",
                             "http://a b:1",
                             "http://me:80@a",
                             "http://[::80]",
                             "http://a%0d%0a:1",
                             "http://a\r\nb:1",
                             "http://u%0a@a:1"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_proxy(text));
    }
}

TEST_CASE("proxy: credentials that its protocol cannot carry make it none") {
    CHECK(parse_proxy("socks5://u%3Av:p@a:1"));
    CHECK_FALSE(parse_proxy("http://u%3Av:p@a:1"));
    const std::string longest(255, 'x');
    CHECK(parse_proxy("socks5://" + longest + ":" + longest + "@a:1"));
    CHECK_FALSE(parse_proxy("socks5://" + longest + "x:p@a:1"));
    CHECK_FALSE(parse_proxy("socks5://u:" + longest + "x@a:1"));
    CHECK(parse_proxy("http://" + longest + "x:p@a:1"));
}
