#include "transport/proxy_talk.hpp"

#include <string>

#include "support/catch.hpp"

using hawser::parse_proxy;
using hawser::transport::ProxyTalk;
using Status = ProxyTalk::Status;
using namespace std::string_literals;

namespace {

std::unique_ptr<ProxyTalk> begin(const std::string& proxy, const std::string& host = "target.example", std::uint16_t port = 443) {
    return ProxyTalk::begin(parse_proxy(proxy).value(), host, port);
}

/// What comes of these bytes, given one by one: "" for consent, "?" for nothing yet, or the failure.
std::string outcome(ProxyTalk& talk, const std::string& bytes) {
    Status status = Status::incomplete;
    for (const char& byte : bytes) {
        REQUIRE(status == Status::incomplete);
        status = talk.receive({&byte, 1});
    }
    return status == Status::complete ? "" : status == Status::failed ? talk.failure() : "?";
}

std::string http(const std::string& answer) { return outcome(*begin("http://a:1"), answer); }

std::string socks(const std::string& answers, const std::string& proxy = "socks5://a:1") { return outcome(*begin(proxy), answers); }

const std::string consent = "\5\0\0\1\x7f\0\0\1\x1f\x90"s;

}  // namespace

TEST_CASE("proxy talk: CONNECT names host and port, and the credentials if there are any") {
    const auto plain = begin("http://a:1");
    CHECK(plain->take_output() == "CONNECT target.example:443 HTTP/1.1\r\nHost: target.example:443\r\n\r\n");
    CHECK(plain->take_output().empty());
    CHECK(begin("http://me:secret@a:1", "10.0.0.1", 80)->take_output() ==
          "CONNECT 10.0.0.1:80 HTTP/1.1\r\nHost: 10.0.0.1:80\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n");
    CHECK(begin("http://a:1", "fe80::1%eth0", 80)->take_output() == "CONNECT [fe80::1]:80 HTTP/1.1\r\nHost: [fe80::1]:80\r\n\r\n");
}

TEST_CASE("proxy talk: any 2xx is consent, whatever fields it has") {
    CHECK(http("HTTP/1.1 200 Connection established\r\n\r\n").empty());
    CHECK(http("HTTP/1.0 200 OK\r\nContent-Length: 7\r\nVia: x\r\n\r\n").empty());
    CHECK(http("HTTP/1.1 204\r\n\r\n").empty());
    CHECK(http("HTTP/1.1 200 OK\r\n\r") == "?");
}

TEST_CASE("proxy talk: another answer to CONNECT is told") {
    CHECK(http("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n") ==
          R"(answered "407 Proxy Authentication Required")");
    CHECK(http("HTTP/1.1 101 Switching Protocols\r\n\r\n") == R"(answered "101 Switching Protocols")");
    CHECK(http("HTTP/1.1 302 \x1b[31m\r\n\r\n") == R"(answered "302 \x1b[31m")");
    for (const char* line : {"HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1 2x0 OK", "HTTP/1.1  200 OK"}) {
        CAPTURE(line);
        CHECK(http(line + "\r\n\r\n"s).find("which is no HTTP") != std::string::npos);
    }
    CHECK(http("S") == "does not answer by HTTP");
    CHECK(http("HTTP/2") == "does not answer by HTTP");
    CHECK(http("\x15") == "does not answer by HTTP");
}

TEST_CASE("proxy talk: interim responses are skipped, and there are no more than 8") {
    const std::string interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    const std::string consent_to = "HTTP/1.1 200 OK\r\n\r\n";
    CHECK(http(interim) == "?");
    CHECK(http(interim + consent_to).empty());
    CHECK(http(interim + "HTTP/1.1 403 No\r\n\r\n") == R"(answered "403 No")");
    CHECK(http("HTTP/1.1 100\r\n\r\nX") == "does not answer by HTTP");
    const auto at_once = begin("http://a:1");
    CHECK(at_once->receive(interim + consent_to) == Status::complete);
    for (const int count : {7, 8, 9}) {
        std::string many;
        for (int i = 0; i < count; ++i) many += "HTTP/1.1 102 Processing\r\n\r\n";
        CHECK(http(count > 8 ? many : many + consent_to) == (count > 8 ? "sends interim responses without end" : ""));
        const auto whole = begin("http://a:1");
        CHECK(whole->receive(many + consent_to) == (count > 8 ? Status::failed : Status::complete));
    }
}

TEST_CASE("proxy talk: what asking again will not change is told apart") {
    const auto is_refused = [](const std::string& proxy, const std::string& answers) {
        const auto talk = begin(proxy);
        CHECK_FALSE(outcome(*talk, answers).empty());
        return talk->is_refused();
    };
    for (const int status : {400, 401, 403, 404, 407, 451}) {
        CAPTURE(status);
        CHECK(is_refused("http://a:1", "HTTP/1.1 " + std::to_string(status) + " No\r\n\r\n"));
    }
    for (const int status : {100, 302, 408, 425, 429, 500, 502, 503, 504, 999}) {
        CAPTURE(status);
        CHECK_FALSE(is_refused("http://a:1", "HTTP/1.1 " + std::to_string(status) + " No\r\n\r\n"));
    }
    CHECK_FALSE(is_refused("http://a:1", "HTTP/1.1 40x\r\n\r\n"));
    const std::string with_password = "socks5://me:secret@a:1";
    CHECK(is_refused("socks5://a:1", "\5\xff"));
    CHECK(is_refused(with_password, "\5\xff"));
    CHECK(is_refused(with_password, "\5\2\1\1"s));
    for (const char reply : {'\2', '\7', '\x8'}) CHECK(is_refused("socks5://a:1", "\5\0\5"s + reply));
    for (const char reply : {'\1', '\3', '\4', '\5', '\6', '\x9'}) CHECK_FALSE(is_refused("socks5://a:1", "\5\0\5"s + reply));
    CHECK_FALSE(is_refused("socks5://a:1", "H"));
}

TEST_CASE("proxy talk: the head of an answer to CONNECT has a bound") {
    const std::string begins = "HTTP/1.1 200 OK\r\nX: ";
    const auto head = [&](std::size_t size) { return begins + std::string(size - begins.size(), 'x'); };
    CHECK(http(head(8188) + "\r\n\r\n").empty());
    CHECK(http(head(8189) + "\r\n\r\n") == "answered with a head of more than 8192 bytes");
    CHECK(begin("http://a:1")->receive(head(8189) + "\r\n\r\n") == Status::failed);
    CHECK(http(head(8192)) == "?");
    CHECK(http(head(8193)) == "answered with a head of more than 8192 bytes");
}

TEST_CASE("proxy talk: nothing may come behind the consent") {
    const auto talk = begin("http://a:1");
    CHECK(talk->receive("HTTP/1.1 200 OK\r\n\r\nx") == Status::failed);
    CHECK(talk->failure() == "sent something behind its consent");
    const auto socks = begin("socks5://a:1");
    CHECK(socks->receive("\5\0"s + consent + "x") == Status::failed);
}

TEST_CASE("proxy talk: SOCKS 5 without a password") {
    const auto talk = begin("socks5://a:1", "target.example", 0x1234);
    CHECK(talk->take_output() == "\5\1\0"s);
    CHECK(outcome(*talk, "\5\0"s) == "?");
    CHECK(talk->take_output() == "\5\1\0\3\x0etarget.example\x12\x34"s);
    CHECK(outcome(*talk, consent).empty());
    for (const auto& [host, address] : {std::pair{"127.0.0.1", "\1\x7f\0\0\1"s}, std::pair{"::1", "\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"s}}) {
        const auto other = begin("socks5://a:1", host, 80);
        other->take_output();
        CHECK(outcome(*other, "\5\0"s) == "?");
        CHECK(other->take_output() == "\5\1\0"s + address + "\0\x50"s);
    }
    CHECK(socks("\5\0\5\0\0\3\4name\1\2"s).empty());
    CHECK(socks("\5\0\5\0\0\4"s + std::string(18, '\7')).empty());
    CHECK(socks("\5\0\5\0\0\1\1\2\3\4\5"s) == "?");
}

TEST_CASE("proxy talk: SOCKS 5 with a password") {
    const auto talk = begin("socks5://me:secret@a:1");
    CHECK(talk->take_output() == "\5\2\0\2"s);
    CHECK(outcome(*talk, "\5\2"s) == "?");
    CHECK(talk->take_output() == "\1\2me\6secret"s);
    CHECK(outcome(*talk, "\1\0"s) == "?");
    CHECK(talk->take_output().starts_with("\5\1\0\3"s));
    CHECK(outcome(*talk, consent).empty());
    CHECK(socks("\5\0"s + consent, "socks5://me:secret@a:1").empty());
    CHECK(socks("\5\2\1\1"s, "socks5://me:secret@a:1") == "refuses the user name or the password");
}

TEST_CASE("proxy talk: what SOCKS 5 refuses is told") {
    CHECK(socks("\5\xff") == "wants another way of authentication than none");
    CHECK(socks("\5\2") == "wants another way of authentication than none");
    CHECK(socks("\5\1", "socks5://me:secret@a:1") == "wants another way of authentication than a password");
    CHECK(socks("H") == "does not answer by SOCKS 5");
    CHECK(socks("\5\0\4"s) == "does not answer by SOCKS 5");
    CHECK(socks("\5\2\5", "socks5://me:secret@a:1") == "does not answer by SOCKS 5");
    CHECK(socks("\5\0\5\1"s) == R"(answered "general failure")");
    CHECK(socks("\5\0\5\5"s) == R"(answered "connection refused")");
    CHECK(socks("\5\0\5\x8"s) == R"(answered "address type not supported")");
    CHECK(socks("\5\0\5\x9"s) == R"(answered "reply 9")");
    CHECK(socks("\5\0\5\0\0\2"s + std::string(3, '\0')) == "answered with an address of type 2, which is unknown");
}
