#include "protocol/http_parser.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/error.hpp>

#include "support/catch.hpp"

using hawser::Configuration;
using hawser::Errc;
using hawser::Error;
using hawser::Header;
using hawser::Headers;
using hawser::Request;
using hawser::Response;
using hawser::protocol::format_request;
using hawser::protocol::format_response;
using hawser::protocol::HttpParser;

namespace {

using Kind = HttpParser::Kind;
using Status = HttpParser::Status;

const std::string request_line = "GET / HTTP/1.1\r\n";
const std::string handshake =
    "GET /chat?room=1 HTTP/1.1\r\nHost: example.com:8080\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// Everything that a parser says of a head.
struct Outcome {
    Status status = Status::incomplete;
    std::size_t consumed = 0;
    int failure = 0;
    std::string text;  ///< why it failed, or the parsed head in one line

    bool operator==(const Outcome&) const = default;
};

std::string shown(const Headers& headers) {
    std::string text;
    for (const Header& field : headers) text += "|" + field.name + "=" + field.value;
    return text;
}

Outcome outcome(HttpParser& parser, Kind kind, Status status, std::size_t consumed) {
    if (status == Status::failed) return {status, consumed, parser.failure().status, parser.failure().reason};
    if (status == Status::incomplete) return {status, consumed, 0, {}};
    const Request& request = parser.request();
    const Response& response = parser.response();
    const std::string head = kind == Kind::request ? request.method + " " + request.target + shown(request.headers)
                                                   : std::to_string(response.status) + " " + response.reason + shown(response.headers);
    return {status, consumed, 0, head};
}

/// Feeds pieces whose sizes `next_size` tells, each in a block of its very size.
template <class NextSize>
Outcome parse_in_pieces(Kind kind, std::string_view bytes, const Configuration& limits, NextSize next_size) {
    HttpParser parser(kind, limits);
    Status status = Status::incomplete;
    std::size_t total = 0;
    while (status == Status::incomplete && total < bytes.size()) {
        const std::size_t size = std::min<std::size_t>(next_size(), bytes.size() - total);
        const auto block = std::make_unique<char[]>(size);
        bytes.copy(block.get(), size, total);
        std::size_t consumed = 0;
        status = parser.feed({block.get(), size}, consumed);
        CHECK(consumed <= size);
        if (status == Status::incomplete) CHECK(consumed == size);
        total += consumed;
    }
    return outcome(parser, kind, status, total);
}

/// The outcome, once it has been seen to be the same whole, byte by byte and in random pieces.
Outcome parse(std::string_view bytes, Kind kind = Kind::request, const Configuration& limits = {}) {
    constexpr std::uint32_t seed = 7;
    INFO("seed " << seed);
    std::mt19937 random(seed);
    const Outcome whole = parse_in_pieces(kind, bytes, limits, [&] { return bytes.size(); });
    CHECK(whole == parse_in_pieces(kind, bytes, limits, [] { return 1; }));
    for (int i = 0; i < 10; ++i) CHECK(whole == parse_in_pieces(kind, bytes, limits, [&] { return random() % 40; }));
    return whole;
}

Outcome parse_response(std::string_view bytes) { return parse(bytes, Kind::response); }

/// The head fails at its last byte, for a reason that holds `why`.
void fails_at_end(std::string_view bytes, int status, const std::string& why, Kind kind = Kind::request, const Configuration& limits = {}) {
    INFO("head: " << bytes.substr(0, 200));
    const Outcome failed = parse(std::string(bytes) + "more", kind, limits);
    CHECK(failed.status == Status::failed);
    CHECK(failed.consumed == bytes.size());
    CHECK(failed.failure == status);
    INFO("reason: " << failed.text);
    CHECK(contains(failed.text, why));
}

Configuration limited(std::size_t head_size, std::size_t header_count) {
    Configuration limits;
    limits.max_head_size = head_size;
    limits.max_header_count = header_count;
    return limits;
}

template <class Format>
void refuses_to_format(Format format, const std::string& why) {
    try {
        format();
        FAIL("formatted: " << why);
    } catch (const Error& error) {
        INFO("error: " << error.what());
        CHECK(error.errc() == Errc::invalid_option);
        CHECK(contains(error.what(), why));
        CHECK_FALSE(contains(error.what(), "\n"));
    }
}

}  // namespace

TEST_CASE("http_parser: a handshake's request is taken apart") {
    const Outcome parsed = parse(handshake);
    CHECK(parsed.status == Status::complete);
    CHECK(parsed.consumed == handshake.size());
    CHECK(parsed.text ==
          "GET /chat?room=1|Host=example.com:8080|Upgrade=websocket|Connection=keep-alive, Upgrade|"
          "Sec-WebSocket-Key=dGhlIHNhbXBsZSBub25jZQ==|Sec-WebSocket-Version=13");
}

TEST_CASE("http_parser: a response is taken apart") {
    const std::string head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
    const Outcome parsed = parse_response(head);
    CHECK(parsed.status == Status::complete);
    CHECK(parsed.consumed == head.size());
    CHECK(parsed.text == "101 Switching Protocols|Upgrade=websocket");
}

TEST_CASE("http_parser: a reason phrase may be empty, missing or of any language") {
    CHECK(parse_response("HTTP/1.1 204 \r\n\r\n").text == "204 ");
    CHECK(parse_response("HTTP/1.1 204\r\n\r\n").text == "204 ");
    CHECK(parse_response("HTTP/1.1 999 Gr\xC3\xBC\xC3\x9F\x65\r\n\r\n").text == "999 Gr\xC3\xBC\xC3\x9F\x65");
    CHECK(parse_response("HTTP/1.1 100 a\tb\r\n\r\n").text == "100 a\tb");
}

TEST_CASE("http_parser: bytes behind the head are left alone") {
    for (const std::string_view behind : {"\r\n", "\x81\x05Hello", "GET / HTTP/1.1\r\n\r\n"}) {
        const Outcome parsed = parse(handshake + std::string(behind));
        CHECK(parsed.status == Status::complete);
        CHECK(parsed.consumed == handshake.size());
    }
    const std::string head = "HTTP/1.1 101 x\r\n\r\n";
    CHECK(parse_response(head + "\x81\x01!").consumed == head.size());
}

TEST_CASE("http_parser: a parser that has ended takes nothing more") {
    std::size_t consumed = 0;
    HttpParser complete(Kind::request, {});
    REQUIRE(complete.feed(handshake, consumed) == Status::complete);
    CHECK(complete.feed("x", consumed) == Status::complete);
    CHECK(consumed == 0);
    HttpParser failed(Kind::request, {});
    REQUIRE(failed.feed("\n", consumed) == Status::failed);
    CHECK(failed.feed(handshake, consumed) == Status::failed);
    CHECK(consumed == 0);
}

TEST_CASE("http_parser: every beginning of a head is incomplete, also with nothing fed") {
    const std::string response = "HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n";
    for (std::size_t size = 0; size < handshake.size(); ++size)
        CHECK(parse(handshake.substr(0, size)) == Outcome{Status::incomplete, size, 0, {}});
    for (std::size_t size = 0; size < response.size(); ++size)
        CHECK(parse_response(response.substr(0, size)) == Outcome{Status::incomplete, size, 0, {}});
    HttpParser parser(Kind::request, {});
    std::size_t consumed = 1;
    CHECK(parser.feed({}, consumed) == Status::incomplete);
    CHECK(consumed == 0);
}

TEST_CASE("http_parser: white space around a value is not part of it, white space within is") {
    CHECK(parse(request_line + "A: b\r\nC:d\r\nE: \t f  g\th \t\r\n\r\n").text == "GET /|A=b|C=d|E=f  g\th");
    CHECK(parse(request_line + "A:\r\nB: \t \r\n\r\n").text == "GET /|A=|B=");
    CHECK(parse(request_line + "A: b:c\r\nA: \xFF\x80\r\n\r\n").text == "GET /|A=b:c|A=\xFF\x80");
    const std::string run(10'000, ' ');
    CHECK(parse(request_line + "A:" + run + "b" + run.substr(5'000) + "\r\n\r\n").text == "GET /|A=b");
}

TEST_CASE("http_parser: one empty line before a request is ignored, a second one is not, nor any before a response") {
    const Outcome parsed = parse("\r\n" + handshake);
    CHECK(parsed.status == Status::complete);
    CHECK(parsed.consumed == handshake.size() + 2);
    fails_at_end("\r\n\r", 400, "0x0D, in the request's method");
    fails_at_end("\rG", 400, "a CR is followed by 0x47");
    fails_at_end("\n", 400, "LF alone");
    fails_at_end("\r", 400, "0x0D, in the HTTP version", Kind::response);
}

TEST_CASE("http_parser: the method is a token and ends with one space") {
    CHECK(parse("m!#$%&'*+-.^_`|~9 / HTTP/1.1\r\n\r\n").text == "m!#$%&'*+-.^_`|~9 /");
    fails_at_end(" ", 400, "the request's method");
    fails_at_end("GE(", 400, "0x28, in the request's method");
    fails_at_end("GET\t", 400, "0x09, in the request's method");
    fails_at_end("GET\r", 400, "0x0D, in the request's method");
    fails_at_end("GET\n", 400, "LF alone in the request's method");
    fails_at_end({"G\0", 2}, 400, "0x00, in the request's method");
    fails_at_end("G\xC3", 400, "0xC3, in the request's method");
}

TEST_CASE("http_parser: a target is visible ASCII and begins with a slash") {
    CHECK(parse("GET /a%20b?c={|}\"<>\\^`&d=/? HTTP/1.1\r\n\r\n").text == "GET /a%20b?c={|}\"<>\\^`&d=/?");
    fails_at_end("GET  ", 400, "the beginning of the request target");
    fails_at_end("GET *", 400, "the beginning of the request target");
    fails_at_end("GET ?", 400, "the beginning of the request target");
    fails_at_end("GET /a\t", 400, "0x09, in the request target");
    fails_at_end("GET /a#", 400, "0x23, in the request target");
    fails_at_end("GET /\x7F", 400, "0x7F, in the request target");
    fails_at_end("GET /\xC3", 400, "0xC3, in the request target");
    fails_at_end("GET /\r", 400, "0x0D, in the request target");
    fails_at_end("GET /\n", 400, "LF alone in the request target");
    fails_at_end({"GET /\0", 6}, 400, "0x00, in the request target");
    fails_at_end("CONNECT example.com:443 ", 400, "neither a path nor");
}

TEST_CASE("http_parser: the target of OPTIONS may be an asterisk") {
    CHECK(parse("OPTIONS * HTTP/1.1\r\n\r\n").text == "OPTIONS *");
    CHECK(parse("OPTIONS / HTTP/1.0\r\n\r\n").text == "OPTIONS /");
    fails_at_end("OPTIONS *a ", 400, "neither a path nor");
    fails_at_end("options *", 400, "the beginning of the request target");
}

TEST_CASE("http_parser: a target in absolute form becomes a path, and its host replaces the Host field") {
    const std::string rest = " HTTP/1.1\r\nHost: other\r\n\r\n";
    CHECK(parse("GET http://example.com/a?b" + rest).text == "GET /a?b|Host=example.com");
    CHECK(parse("GET HTTPS://example.com:1" + rest).text == "GET /|Host=example.com:1");
    CHECK(parse("GET ws://[::1]:80?b=/" + rest).text == "GET /?b=/|Host=[::1]:80");
    CHECK(parse("GET wss://h/" + rest).text == "GET /|Host=h");
    CHECK(parse("GET ws://h/ HTTP/1.1\r\n\r\n").text == "GET /");
    CHECK(parse("GET ws://h/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").text == "GET /|Host=a|Host=b");
    for (const std::string_view target : {"ftp://host/", "http:/host", "w"})
        fails_at_end("GET " + std::string(target) + " ", 400, "neither a path nor");
}

TEST_CASE("http_parser: a target in absolute form has a host and port for an authority, and nothing else") {
    for (const std::string_view authority : {"", ":80", "user@host", "user:word@host:80", "a:80x", "a:80:81", "a:-1", "a:65536", "[::1",
                                             "::1", "[]", "[g]", "[::1]x", "a]", "%zz"}) {
        for (const std::string_view rest : {"", "/", "/path", "?query"})
            fails_at_end("GET ws://" + std::string(authority) + std::string(rest) + " ", 400, "is no host and port");
    }
}

TEST_CASE("http_parser: HTTP/1.0 may do without the Host that an absolute form replaces, and one that is wrong stays") {
    CHECK(parse("GET ws://h:1/a HTTP/1.0\r\n\r\n").text == "GET /a|Host=h:1");
    CHECK(parse("GET ws://h/ HTTP/1.0\r\nHost: other\r\n\r\n").text == "GET /|Host=h");
    CHECK(parse("GET ws://h/ HTTP/1.1\r\nHost: a:80x\r\n\r\n").text == "GET /|Host=a:80x");
    CHECK(parse("GET ws://h/ HTTP/1.1\r\nHost:\r\n\r\n").text == "GET /|Host=h");
}

TEST_CASE("http_parser: any minor version of HTTP/1 is taken, and told") {
    for (const int minor : {0, 1, 2, 9}) {
        const std::string version = "HTTP/1." + std::to_string(minor);
        std::size_t consumed = 0;
        HttpParser request(Kind::request, {});
        CHECK(request.feed("GET / " + version + "\r\nHost: a\r\n\r\n", consumed) == Status::complete);
        CHECK(request.minor_version() == minor);
        HttpParser response(Kind::response, {});
        CHECK(response.feed(version + " 403 No\r\n\r\n", consumed) == Status::complete);
        CHECK(response.minor_version() == minor);
    }
}

TEST_CASE("http_parser: another major version is refused") {
    for (const std::string_view version : {"HTTP/0.9", "HTTP/2.0", "HTTP/9.9"}) {
        fails_at_end("GET / " + std::string(version), 505, std::string(version) + " is not spoken here");
        fails_at_end(version, 505, std::string(version) + " is not spoken here", Kind::response);
    }
    for (const std::string_view version : {"h", "HTTP ", "HTTP/x", "HTTP/1,", "HTTP/1.x", "HTTP/11", "HTTP/1.10", "HTTP/1.1\n", " ", "\r"})
        fails_at_end("GET / " + std::string(version), 400, "the HTTP version");
    for (const std::string_view version : {"\n", "\t", "\x80", "HTTP/x", "HTTP/1,", "HTTP/1.1\r", "HTTP/1.1\n", "HTTP/1.1\t"})
        fails_at_end(version, 400, "the HTTP version", Kind::response);
}

TEST_CASE("http_parser: a response that is text and no HTTP is told by its beginning") {
    const auto begins = [](const std::string& bytes, const std::string& told) {
        fails_at_end(bytes, 400, "it begins with \"" + told + "\", so another service answers there", Kind::response);
    };
    begins("SSH-2.0-OpenSSH_9.2\r", "SSH-2.0-OpenSSH_9.2");
    begins("220 ftp.example ready\n", "220 ftp.example ready");
    begins("<html>\n", "<html>");
    begins("HTTP 200 OK\r", "HTTP 200 OK");
    begins("HTT\n", "HTT");
    begins(" HTTP/1.1\r", " HTTP/1.1");
    begins("a \"b\"\t", R"(a \"b\")");
    begins("a\xC3", "a");
    const std::string longest(64, 'h');
    begins(longest.substr(1) + "\r", longest.substr(1));
    begins(longest, longest);
    for (const std::string_view beginning : {"h", "HTTPx", "SSH-2.0"}) {
        std::size_t consumed = 0;
        HttpParser parser(Kind::response, {});
        CHECK(parser.feed(beginning, consumed) == Status::incomplete);
        CHECK(parser.end() == Status::failed);
        CHECK(contains(parser.failure().reason, '"' + std::string(beginning) + '"'));
    }
    for (const std::string_view beginning : {"", "HTTP", "HTTP/", "HTTP/1.1 200 OK\r\n"}) {
        std::size_t consumed = 0;
        HttpParser parser(Kind::response, {}), request(Kind::request, {});
        parser.feed(beginning, consumed);
        CHECK(parser.end() == Status::incomplete);
        request.feed("h", consumed);
        CHECK(request.end() == Status::incomplete);
    }
}

TEST_CASE("http_parser: a status code has three digits") {
    for (const std::string_view code : {"0", "a", " ", "1a", "12 ", "20\r", "2000", "200a", "200\n", "-", "+"})
        fails_at_end("HTTP/1.1 " + std::string(code), 400, "the status code", Kind::response);
    fails_at_end("HTTP/1.1 200 \n", 400, "LF alone in the reason phrase", Kind::response);
    fails_at_end("HTTP/1.1 200 O\x01", 400, "0x01, in the reason phrase", Kind::response);
    fails_at_end("HTTP/1.1 200\rx", 400, "a CR is followed by", Kind::response);
}

TEST_CASE("http_parser: lines end with CR LF and nothing else") {
    fails_at_end("GET / HTTP/1.1\rH", 400, "a CR is followed by 0x48");
    fails_at_end(request_line + "A: b\n", 400, "LF alone in the header field A");
    fails_at_end(request_line + "A: b\rc", 400, "a CR is followed by 0x63");
    fails_at_end(request_line + "A: b\r\r", 400, "a CR is followed by 0x0D");
    fails_at_end(request_line + "\n", 400, "LF alone");
    fails_at_end(request_line + "A: b\r\n\n", 400, "LF alone");
    fails_at_end(request_line + "\rx", 400, "a CR is followed by");
}

TEST_CASE("http_parser: a header field has a token for a name, with the colon right behind it") {
    fails_at_end(request_line + "A ", 400, "0x20, in the name of a header field");
    fails_at_end(request_line + "A\t", 400, "0x09, in the name of a header field");
    fails_at_end(request_line + ":", 400, "0x3A, in the name of a header field");
    fails_at_end(request_line + "A\r", 400, "0x0D, in the name of a header field");
    fails_at_end(request_line + "A\n", 400, "LF alone in the name of a header field");
    fails_at_end(request_line + "A\"", 400, "0x22, in the name of a header field");
    fails_at_end(request_line + "\xC3", 400, "0xC3, in the name of a header field");
    fails_at_end(request_line + std::string("A\0", 2), 400, "0x00, in the name of a header field");
}

TEST_CASE("http_parser: a value has no control character but the tab") {
    for (int byte = 0; byte < 256; ++byte) {
        const bool legal = byte == '\t' || (byte >= 0x20 && byte != 0x7F);
        const std::string head = request_line + "A: b" + static_cast<char>(byte);
        if (legal) CHECK(parse(head + "c\r\n\r\n").text == std::string("GET /|A=b") + static_cast<char>(byte) + "c");
        if (!legal && byte != '\r') fails_at_end(head, 400, "the header field A");
    }
}

TEST_CASE("http_parser: folded lines are refused") {
    fails_at_end(request_line + " ", 400, "obsolete");
    fails_at_end(request_line + "A: b\r\n ", 400, "obsolete");
    fails_at_end(request_line + "A: b\r\n\t", 400, "obsolete");
}

TEST_CASE("http_parser: TLS on a plain port is told at its first byte") {
    fails_at_end("\x16", 400, "looks like TLS");
    fails_at_end("\x15", 400, "looks like TLS", Kind::response);
    fails_at_end({"\0", 1}, 400, "0x00, in the request's method");
    fails_at_end("\x80", 400, "0x80, in the request's method");
}

TEST_CASE("http_parser: a head may be as long as max_head_size, and no longer") {
    const std::size_t size = handshake.size();
    CHECK(parse(handshake, Kind::request, limited(size + 1, 100)).status == Status::complete);
    CHECK(parse(handshake, Kind::request, limited(size, 100)).status == Status::complete);
    fails_at_end(handshake.substr(0, size - 1), 431, "max_head_size", Kind::request, limited(size - 1, 100));
    CHECK(parse("\r\n" + handshake, Kind::request, limited(size + 2, 100)).status == Status::complete);
    fails_at_end(("\r\n" + handshake).substr(0, size + 1), 431, "max_head_size", Kind::request, limited(size + 1, 100));
}

TEST_CASE("http_parser: an element without end fails at max_head_size") {
    const Configuration limits = limited(200, 100);
    for (const std::string& begun : {std::string(), std::string("GET /"), request_line, request_line + "A:", request_line + "A: b"}) {
        std::string head = begun;
        head.resize(200, 'x');
        fails_at_end(head, 431, "max_head_size", Kind::request, limits);
        head.back() = '\n';
        fails_at_end(head, 400, "LF alone", Kind::request, limits);
    }
    std::string response = "HTTP/1.1 200 ";
    response.resize(200, ' ');
    fails_at_end(response, 431, "max_head_size", Kind::response, limits);
}

TEST_CASE("http_parser: there may be max_header_count fields, and no more") {
    std::string two_thousand = request_line;
    for (int i = 0; i < 2000; ++i) two_thousand += "A:b\r\n";
    const std::size_t field = 5;
    for (const std::size_t count : {0u, 1u, 100u}) {
        const Configuration limits = limited(16 * 1024, count);
        const std::string full = two_thousand.substr(0, request_line.size() + count * field);
        CHECK(parse(full + "\r\n", Kind::request, limits).status == Status::complete);
        if (count != 0) CHECK(parse(full.substr(0, full.size() - field) + "\r\n", Kind::request, limits).status == Status::complete);
        fails_at_end(full + "A", 431, "max_header_count", Kind::request, limits);
        CHECK(parse(two_thousand, Kind::request, limits).consumed == full.size() + 1);
        fails_at_end(full + "\n", 400, "LF alone", Kind::request, limits);
    }
}

TEST_CASE("http_parser: a head with one changed byte parses the same however it is split") {
    constexpr std::uint32_t seed = 8;
    INFO("seed " << seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 300; ++round) {
        std::string head = handshake;
        head[random() % head.size()] = random() % 4 == 0 ? "\r\n: \t"[random() % 5] : static_cast<char>(random() & 0xFF);
        INFO("round " << round << ": " << head);
        parse(head);
    }
}

TEST_CASE("http_parser: what is formatted is parsed back") {
    const Request request{"GET", "/a?b=c", {{"Host", "h"}, {"X-Empty", ""}, {"X", "a\tb \xC3\xA4"}, {"X", "second"}}};
    CHECK(format_request(request) == "GET /a?b=c HTTP/1.1\r\nHost: h\r\nX-Empty: \r\nX: a\tb \xC3\xA4\r\nX: second\r\n\r\n");
    CHECK(parse(format_request(request)).text == "GET /a?b=c|Host=h|X-Empty=|X=a\tb \xC3\xA4|X=second");
    const Response response{101, {}, {{"Upgrade", "websocket"}}, {}};
    CHECK(parse_response(format_response(response)).text == "101 Switching Protocols|Upgrade=websocket");
}

TEST_CASE("http_parser: a response gets the standard reason phrase and its Content-Length") {
    CHECK(format_response({404, {}, {}, "gone\n"}) == "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\ngone\n");
    CHECK(format_response({403, "Go away", {}, {}}) == "HTTP/1.1 403 Go away\r\nContent-Length: 0\r\n\r\n");
    CHECK(format_response({200, {}, {{"content-length", "7"}}, {}}, true) == "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n");
    CHECK(format_response({304, {}, {{"Content-Length", "7"}}, {}}) == "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n");
    CHECK(format_response({200, {}, {{"Content-Length", "01"}}, "y"}) == "HTTP/1.1 200 OK\r\nContent-Length: 01\r\n\r\ny");
    CHECK(format_response({200, {}, {{"Content-Length", "00"}}, {}}) == "HTTP/1.1 200 OK\r\nContent-Length: 00\r\n\r\n");
    for (const int status : {100, 101, 199, 204, 304}) CHECK_FALSE(contains(format_response({status, "x", {}, {}}), "Content-Length"));
    for (const int status : {200, 205, 303, 426, 599}) CHECK(contains(format_response({status, "x", {}, {}}), "Content-Length: 0\r\n"));
}

TEST_CASE("http_parser: a body is refused where the status forbids one") {
    for (const int status : {100, 101, 204, 205, 304})
        refuses_to_format([&] { format_response({status, {}, {}, "x"}); }, std::to_string(status) + " cannot be sent: it has a body");
}

TEST_CASE("http_parser: a response that says of its body what is not sent is refused") {
    for (const char* value : {"4", "6", "", "x", "5x", "-5", "+5", "5, 5", "99999999999999999999999"}) {
        CAPTURE(value);
        refuses_to_format([&] { format_response({200, {}, {{"Content-Length", value}}, "hello"}); }, "its Content-Length is");
        refuses_to_format([&] { format_response({200, {}, {{"Content-Length", value}}, "hello"}, true); }, "its Content-Length is");
    }
    for (const char* value : {"", "x", "5, 5"})
        refuses_to_format([&] { format_response({200, {}, {{"Content-Length", value}}, {}}, true); }, "its Content-Length is");
    refuses_to_format([] { format_response({200, {}, {{"Content-Length", "5"}, {"content-length", "5"}}, "hello"}); }, "more than one");
    for (const int status : {101, 103, 204}) {
        refuses_to_format([&] { format_response({status, {}, {{"Content-Length", "0"}}, {}}); }, "which this status forbids");
        refuses_to_format([&] { format_response({status, {}, {{"Transfer-Encoding", "chunked"}}, {}}); }, "has a Transfer-Encoding");
    }
    for (const char* coding : {"chunked", "gzip, chunked", ""})
        refuses_to_format([&] { format_response({200, {}, {{"transfer-encoding", coding}}, "hello"}); }, "has a Transfer-Encoding");
}

TEST_CASE("http_parser: nothing in a request or response can add a line") {
    for (const std::string& bad :
         {std::string("\r\nX: y"), std::string("a\rb"), std::string("a\nb"), std::string("a\0b", 3), std::string("\x7F")}) {
        const Headers value{{"Name", bad}};
        const Headers name{{bad, "value"}};
        refuses_to_format([&] { format_request({"GET", "/", value}); }, "the header field Name cannot be sent");
        refuses_to_format([&] { format_request({"GET", "/", name}); }, "its name is not a token");
        refuses_to_format([&] { format_request({"GET", "/" + bad, {}}); }, "its target");
        refuses_to_format([&] { format_request({bad, "/", {}}); }, "its method");
        refuses_to_format([&] { format_response({200, {}, value, {}}); }, "the header field Name cannot be sent");
        refuses_to_format([&] { format_response({200, {}, name, {}}); }, "its name is not a token");
        refuses_to_format([&] { format_response({200, bad, {}, {}}); }, "its reason phrase");
    }
    for (const std::string_view value : {" ", "a ", " a", "a\t"}) {
        const Headers fields{{"Name", std::string(value)}};
        const std::string why = "Name cannot be sent: its value begins or ends with white space";
        refuses_to_format([&] { format_request({"GET", "/", fields}); }, why);
        refuses_to_format([&] { format_response({200, {}, fields, {}}); }, why);
        refuses_to_format([&] { format_response({200, std::string(value), {}, {}}); }, "its reason phrase begins or ends with white space");
    }
    refuses_to_format([] { format_response({200, "a\n", {}, {}}); }, "its reason phrase has a control character");
    refuses_to_format([] { format_request({"GET", "/", {{"Name", "a\n"}}}); }, "its value has a control character");
    for (const std::string_view name : {"", "A:", "A B", "A ", "\xC3\xA4"})
        refuses_to_format([&] { format_request({"GET", "/", {{std::string(name), "x"}}}); }, "its name is not a token");
    for (const std::string_view target : {"", "a", "*", "http://h/", "/a b", "/a#b", "/\xC3\xA4"})
        refuses_to_format([&] { format_request({"GET", std::string(target), {}}); }, "its target");
    for (const std::string_view method : {"", "GET /", "G:"})
        refuses_to_format([&] { format_request({std::string(method), "/", {}}); }, "its method");
    for (const int status : {-1, 0, 99, 1000}) refuses_to_format([&] { format_response({status, "x", {}, {}}); }, "does not have 3 digits");
}
