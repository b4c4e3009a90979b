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
    CHECK(http->port == 3128);
    CHECK_FALSE(http->uri.has_credentials());
    const auto socks = parse_proxy("socks5://me:s%40crets@[::1]:1080/");
    REQUIRE(socks);
    CHECK(socks->protocol == Proxy::Protocol::socks5);
    CHECK(socks->uri.host() == "::1");
    CHECK(socks->port == 1080);
    CHECK(socks->uri.user() == "me");
    CHECK(socks->uri.password() == "s@crets");
    CHECK(parse_proxy("http://127.0.0.1:80")->port == 80);
}

TEST_CASE("proxy: without a port it is the protocol's, and socks5h is socks5") {
    for (const char* text : {"http://a", "http://a/", "http://a:", "http://me:443@a", "http://[::443]", "http://a:080"}) {
        CAPTURE(text);
        REQUIRE(parse_proxy(text));
        CHECK(parse_proxy(text)->port == 80);
    }
    for (const char* text : {"socks5://a", "socks5h://a", "socks5h://user:pw@a/", "socks5h://[::80]"}) {
        CAPTURE(text);
        REQUIRE(parse_proxy(text));
        CHECK(parse_proxy(text)->port == 1080);
        CHECK(parse_proxy(text)->protocol == Proxy::Protocol::socks5);
    }
    for (const int port : {80, 443, 1080, 1, 65535}) CHECK(parse_proxy("socks5h://a:" + std::to_string(port))->port == port);
    CHECK(parse_proxy("http://a:443")->port == 443);
}

TEST_CASE("proxy: its scheme may have either case") {
    for (const char* text : {"HTTP://a:1", "Http://a:1"}) {
        REQUIRE(parse_proxy(text));
        CHECK(parse_proxy(text)->protocol == Proxy::Protocol::http);
        CHECK(parse_proxy(text)->port == 1);
    }
    for (const char* text : {"SOCKS5://a", "Socks5H://a"}) {
        REQUIRE(parse_proxy(text));
        CHECK(parse_proxy(text)->protocol == Proxy::Protocol::socks5);
        CHECK(parse_proxy(text)->port == 1080);
    }
}

TEST_CASE("proxy: anything else is none") {
    for (const char* text : {"",
                             "http",
                             "http:",
                             "http://",
                             "proxy.example:3128",
                             "https://a:1",
                             "socks4://a:1",
                             "HTTPS://a:1",
                             "ws://a:1",
                             "socks5hh://a",
                             "socks://a",
                             "http://a:0",
                             "http://a:65536",
                             "http://a:1/path",
                             "http://a:1//",
                             "http://a:1?b:1",
                             "http://a:1#b",
                             "http:a:1",
                             "http://:1",
                             "http://a b:1",
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
