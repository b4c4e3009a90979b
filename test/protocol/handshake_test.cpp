#include "protocol/handshake.hpp"

#include <functional>
#include <string>
#include <string_view>

#include "protocol/digest.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/session_peer.hpp"
#include "types/base64.hpp"

using namespace hawser::protocol;
using hawser::base64_decode;
using hawser::base64_encode;
using hawser::Errc;
using hawser::Headers;
using hawser::Request;
using hawser::Response;
using hawser::Uri;
using support::error_of;
using support::SeededEntropy;

namespace {

/// RFC 6455, section 1.3.
const std::string sample_key = "dGhlIHNhbXBsZSBub25jZQ==";
const std::string sample_accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

Request good_request() {
    Request request;
    request.headers = {{"Host", "server.example.com"},
                       {"Upgrade", "websocket"},
                       {"Connection", "Upgrade"},
                       {"Sec-WebSocket-Key", sample_key},
                       {"Sec-WebSocket-Version", "13"}};
    return request;
}

Response good_response() {
    Response response;
    response.status = 101;
    response.headers = {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", sample_accept}};
    return response;
}

/// 0 for a WebSocket, 200 for a page, or the status of the refusal.
int examined(const Request& request, int minor_version = 1) {
    HttpFailure failure;
    switch (examine_request(request, minor_version, failure)) {
        case Wish::websocket: return 0;
        case Wish::page: return 200;
        case Wish::refused: break;
    }
    CHECK_FALSE(failure.reason.empty());
    return failure.status;
}
/// Why it is refused.
std::string reason(const Request& request, int minor_version = 1) {
    HttpFailure failure;
    CHECK(examine_request(request, minor_version, failure) == Wish::refused);
    return failure.reason;
}

using Change = std::function<void(Request&)>;
int examined_with(const Change& change) {
    Request request = good_request();
    change(request);
    return examined(request);
}
int examined_without(std::string_view field) {
    return examined_with([&](Request& request) { request.headers.remove(field); });
}
int examined_with(std::string_view field, std::string_view value) {
    return examined_with([&](Request& request) { request.headers.set(field, std::string(value)); });
}
int examined_with_another(std::string_view field, std::string_view value) {
    return examined_with([&](Request& request) { request.headers.add(std::string(field), std::string(value)); });
}

Request page_request(std::string method, Headers headers = {}) {
    Request request{std::move(method), "/", std::move(headers)};
    request.headers.add("Host", "a");
    return request;
}

std::string problem_with(const std::function<void(Request&, Response&)>& change) {
    Request request = good_request();
    Response response = good_response();
    change(request, response);
    return check_response(request, response).value_or("");
}
std::string problem_with(std::string_view field, std::string_view value) {
    return problem_with([&](Request&, Response& response) { response.headers.set(field, std::string(value)); });
}
bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

TEST_CASE("handshake: a request has what RFC 6455 asks for") {
    SeededEntropy entropy;
    const Request request = make_request(Uri("ws://example.com:8080/chat?room=1"), {}, entropy);
    CHECK(request.method == "GET");
    CHECK(request.target == "/chat?room=1");
    CHECK(request.headers.get("Host") == "example.com:8080");
    CHECK(request.headers.get("Upgrade") == "websocket");
    CHECK(request.headers.get("Connection") == "Upgrade");
    CHECK(request.headers.get("Sec-WebSocket-Version") == "13");
    CHECK_FALSE(request.headers.has("Authorization"));
    std::string key;
    REQUIRE(base64_decode(*request.headers.get("Sec-WebSocket-Key"), key));
    CHECK(key.size() == 16);
    CHECK(examined(request) == 0);
}

TEST_CASE("handshake: each request has a key of its own") {
    SeededEntropy entropy;
    const Uri uri("ws://example.com");
    const Request one = make_request(uri, {}, entropy);
    const Request two = make_request(uri, {}, entropy);
    CHECK(one.headers.get("Sec-WebSocket-Key") != two.headers.get("Sec-WebSocket-Key"));
}

TEST_CASE("handshake: credentials of the URI become Basic authorization") {
    SeededEntropy entropy;
    const Request request = make_request(Uri("ws://Aladdin:open%20sesame@example.com"), {}, entropy);
    CHECK(request.headers.get("Authorization") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    CHECK(request.headers.get("Host") == "example.com");
    const Request replaced = make_request(Uri("ws://a:b@example.com"), {{"authorization", "Bearer x"}}, entropy);
    CHECK(replaced.headers.count("Authorization") == 1);
    CHECK(replaced.headers.get("Authorization") == "Bearer x");
}

TEST_CASE("handshake: further fields of a request are added, Host is replaced") {
    SeededEntropy entropy;
    const Headers extra = {
        {"X-One", "1"}, {"host", "other.example.com"}, {"X-One", "2"}, {"Sec-WebSocket-Protocol", "chat"}, {"Origin", "null"}};
    const Request request = make_request(Uri("ws://example.com"), extra, entropy);
    CHECK(request.headers.count("X-One") == 2);
    CHECK(request.headers.count("Host") == 1);
    CHECK(request.headers.get("Host") == "other.example.com");
    CHECK(request.headers.get("Sec-WebSocket-Protocol") == "chat");
    CHECK(request.headers.get("Origin") == "null");
}

TEST_CASE("handshake: subprotocols that are given one by one go in one line") {
    SeededEntropy entropy;
    const Headers extra = {{"Sec-WebSocket-Protocol", "v1.chat"}, {"X-One", "1"}, {"sec-websocket-protocol", "v2.chat, v3.chat"}};
    const Request request = make_request(Uri("ws://example.com"), extra, entropy);
    CHECK(request.headers.count("Sec-WebSocket-Protocol") == 1);
    CHECK(request.headers.get("Sec-WebSocket-Protocol") == "v1.chat, v2.chat, v3.chat");
}

TEST_CASE("handshake: fields that belong to the handshake cannot be set") {
    SeededEntropy entropy;
    const std::string name = GENERATE(as<std::string>(), "Upgrade", "connection", "Sec-WebSocket-Key", "SEC-WEBSOCKET-VERSION",
                                      "Sec-WebSocket-Extensions", "Content-Length", "Transfer-Encoding");
    const std::string what = error_of(Errc::invalid_option, [&] { make_request(Uri("ws://example.com"), {{name, "x"}}, entropy); });
    CHECK(contains(what, name));
}

TEST_CASE("handshake: a request for a WebSocket is recognised") {
    CHECK(examined(good_request()) == 0);
    CHECK(examined_with("Upgrade", "WebSocket") == 0);
    CHECK(examined_with("Upgrade", "h2c, websocket") == 0);
    CHECK(examined_with("Connection", "keep-alive, upgrade") == 0);
    CHECK(examined_with_another("Sec-WebSocket-Protocol", "chat, superchat") == 0);
    CHECK(examined_with_another("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits") == 0);
    CHECK(examined_with_another("Sec-WebSocket-Extensions", "foo; a=\"b\", bar") == 0);
    CHECK(examined_with_another("Content-Length", "0") == 0);
}

TEST_CASE("handshake: a request for a WebSocket that lacks something is refused") {
    CHECK(examined_without("Host") == 400);
    CHECK(examined_without("Upgrade") == 400);
    CHECK(examined_without("Connection") == 400);
    CHECK(examined_without("Sec-WebSocket-Key") == 400);
    CHECK(examined_without("Sec-WebSocket-Version") == 426);
}

TEST_CASE("handshake: a request for a WebSocket with a wrong field is refused") {
    CHECK(examined_with("Upgrade", "h2c") == 400);
    CHECK(examined_with("Connection", "keep-alive") == 400);
    CHECK(examined_with("Connection", "Upgraded") == 400);
    CHECK(examined_with_another("Host", "other.example.com") == 400);
    CHECK(examined_with_another("Sec-WebSocket-Key", sample_key) == 400);
    CHECK(examined_with_another("Sec-WebSocket-Version", "13") == 400);
    CHECK(examined_with_another("Sec-WebSocket-Protocol", "chat room") == 400);
    for (const char* extensions : {"foo bar", "foo;", "ok, foo=1", "foo; a=\"b"})
        CHECK(examined_with_another("Sec-WebSocket-Extensions", extensions) == 400);
    CHECK(examined_with_another("Transfer-Encoding", "chunked") == 400);
    for (const char* version : {"8", "12", "14", "013", "13, 8", "", "x"}) CHECK(examined_with("Sec-WebSocket-Version", version) == 426);
    for (const char* length : {"1", "00", "-0", "0x", "garbage", "0, 1", "", ",", "0, 0"})
        CHECK(examined_with_another("Content-Length", length) == 400);
    for (const char* method : {"POST", "HEAD", "get", "OPTIONS"})
        CHECK(examined_with([&](Request& request) { request.method = method; }) == 405);
}

TEST_CASE("handshake: a key is the canonical base64 form of 16 bytes") {
    CHECK(examined_with("Sec-WebSocket-Key", base64_encode(std::string(16, '\0'))) == 0);
    CHECK(examined_with("Sec-WebSocket-Key", base64_encode(std::string(15, '\0'))) == 400);
    CHECK(examined_with("Sec-WebSocket-Key", base64_encode(std::string(17, '\0'))) == 400);
    CHECK(examined_with("Sec-WebSocket-Key", "") == 400);
    CHECK(examined_with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZR==") == 400);  // trailing bits
    CHECK(examined_with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ") == 400);    // no padding
    CHECK(examined_with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZ-==") == 400);  // another alphabet
    CHECK(examined_with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ== ") == 400);
}

TEST_CASE("handshake: a request that does not speak of a WebSocket asks for a page") {
    CHECK(examined(page_request("GET")) == 200);
    CHECK(examined(page_request("HEAD")) == 200);
    CHECK(examined(page_request("GET", {{"Upgrade", "h2c"}, {"Connection", "Upgrade"}})) == 200);
    CHECK(examined(page_request("GET", {{"Content-Length", "0"}})) == 200);
    CHECK(examined(page_request("OPTIONS")) == 200);
    CHECK(examined(page_request("POST")) == 405);
    CHECK(examined(page_request("CONNECT")) == 405);
    CHECK(examined(page_request("GET", {{"Content-Length", "5"}})) == 400);
    CHECK(examined(page_request("GET", {{"Transfer-Encoding", "chunked"}})) == 400);
    CHECK(examined(Request{}) == 400);
}

TEST_CASE("handshake: a page is for every minor version of HTTP/1, a WebSocket from 1.1 on") {
    for (const int minor : {0, 1, 2, 9}) {
        CHECK(examined(page_request("GET"), minor) == 200);
        CHECK(examined(page_request("POST"), minor) == 405);
        CHECK(examined(page_request("GET", {{"Host", "b"}}), minor) == 400);
        CHECK(examined(good_request(), minor) == (minor == 0 ? 400 : 0));
    }
    CHECK(examined(Request{}, 0) == 200);
    CHECK(contains(reason(good_request(), 0), "a WebSocket needs HTTP/1.1"));
    // What a proxy makes of the request that passes by HTTP/1.0.
    Request proxied = good_request();
    proxied.headers.remove("Upgrade");
    proxied.headers.set("Connection", "close");
    CHECK(contains(reason(proxied, 0), "a proxy in between"));
    CHECK(contains(reason(proxied, 1), "the request has no Upgrade field"));
}

TEST_CASE("handshake: a Host that is no host and port is refused, of a page too") {
    for (const char* host : {"", "localhost", "a.example:80", "a.example:", "[::1]", "[::1]:80", "my_backend", "%41"}) {
        CHECK(examined_with("Host", host) == 0);
        CHECK(examined(Request{"GET", "/", {{"Host", host}}}) == 200);
        CHECK(examined(Request{"GET", "/", {{"Host", host}}}, 0) == 200);
    }
    for (const char* host :
         {"a.example:80:81", "[::1", "a.example:80x", "::1", "[]", "[g]", "a]", "%zz", "a:-1", "[::1]x", "a:65536", ":80", "u@a"}) {
        CAPTURE(host);
        CHECK(examined_with("Host", host) == 400);
        CHECK(examined(Request{"GET", "/", {{"Host", host}}}) == 400);
        CHECK(examined(Request{"GET", "/", {{"Host", host}}}, 0) == 400);
        CHECK(contains(reason(Request{"GET", "/", {{"Host", host}}}), std::string("\"") + host + "\", which is no host and port"));
    }
}

TEST_CASE("handshake: another protocol in Upgrade is named in the refusal, on both ends") {
    Request request = good_request();
    request.headers.set("Upgrade", "websocket/13");
    CHECK(reason(request) == "the request's Upgrade field is \"websocket/13\", which does not name websocket");
    CHECK(examined(page_request("GET", {{"Upgrade", "WebSocket/13"}})) == 400);
    CHECK(problem_with("Upgrade", "websocket/13") == "the response's Upgrade field is \"websocket/13\", which does not name websocket");
    CHECK(problem_with("Connection", "close") == "the response's Connection field is \"close\", which does not name Upgrade");
}

TEST_CASE("handshake: without a key, which a hook may remove, nothing is accepted") {
    Request request = good_request();
    request.headers.remove("Sec-WebSocket-Key");
    CHECK(contains(check_response(request, good_response()).value_or(""), "Sec-WebSocket-Accept"));
    CHECK(contains(check_response(good_request(), accept_response(request)).value_or(""), "Sec-WebSocket-Accept"));
}

TEST_CASE("handshake: a botched attempt at a WebSocket gets an error and no page") {
    CHECK(examined(page_request("GET", {{"Upgrade", "websocket"}})) == 400);
    CHECK(examined(page_request("GET", {{"Sec-WebSocket-Key", sample_key}})) == 400);
    CHECK(examined(page_request("GET", {{"Sec-WebSocket-Version", "13"}})) == 400);
}

TEST_CASE("handshake: a request is accepted as in the example of RFC 6455") {
    const Response response = accept_response(good_request());
    CHECK(format_response(response) ==
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + sample_accept +
              "\r\n\r\n");
    CHECK_FALSE(check_response(good_request(), response));
}

TEST_CASE("handshake: a refusal says what is wrong, and what the status calls for") {
    const Response bad = refuse_response({400, "there must be one Host field"});
    CHECK(bad.status == 400);
    CHECK(bad.body == "there must be one Host field\n");
    CHECK(bad.headers.get("Content-Type") == "text/plain; charset=utf-8");
    CHECK_FALSE(bad.headers.has("Sec-WebSocket-Version"));
    const Response version = refuse_response({426, "x"});
    CHECK(version.headers.get("Sec-WebSocket-Version") == "13");
    CHECK(version.headers.get("Upgrade") == "websocket");
    CHECK(refuse_response({405, "x"}).headers.get("Allow") == "GET, HEAD, OPTIONS");
}

TEST_CASE("handshake: a response is checked against its request") {
    CHECK(problem_with([](Request&, Response&) {}).empty());
    CHECK(problem_with("Upgrade", "WebSocket").empty());
    CHECK(problem_with("Connection", "keep-alive, UPGRADE").empty());
    for (const int status : {100, 200, 301, 403, 426, 500}) {
        const std::string problem = problem_with([&](Request&, Response& response) { response.status = status; });
        CHECK(contains(problem, std::to_string(status)));
    }
    for (const char* field : {"Upgrade", "Connection", "Sec-WebSocket-Accept"}) {
        CHECK(contains(problem_with([&](Request&, Response& response) { response.headers.remove(field); }), field));
        CHECK(contains(problem_with(field, "other"), field));
    }
    CHECK(contains(problem_with("Sec-WebSocket-Accept", accept_key("another")), "Sec-WebSocket-Accept does not answer"));
    CHECK(contains(problem_with([](Request&, Response& response) { response.headers.remove("Sec-WebSocket-Accept"); }),
                   "has no Sec-WebSocket-Accept"));
    CHECK(contains(problem_with([](Request&, Response& response) { response.headers.add("Sec-WebSocket-Accept", sample_accept); }),
                   "has 2 Sec-WebSocket-Accept fields"));
}

TEST_CASE("handshake: a response may choose one of the subprotocols that were offered, or none") {
    const auto chosen = [](const char* offer, const char* choice) {
        return problem_with([&](Request& request, Response& response) {
            request.headers.add("Sec-WebSocket-Protocol", offer);
            response.headers.add("Sec-WebSocket-Protocol", choice);
        });
    };
    CHECK(chosen("chat, superchat", "chat").empty());
    CHECK(chosen("chat, superchat", "superchat").empty());
    CHECK(contains(chosen("chat", "other"), "other"));
    CHECK(contains(chosen("chat", "Chat"), "Chat"));
    CHECK_FALSE(chosen("chat", "").empty());
    CHECK_FALSE(chosen("chat, superchat", "chat, superchat").empty());
    CHECK(problem_with([](Request& request, Response&) { request.headers.add("Sec-WebSocket-Protocol", "chat"); }).empty());
    CHECK(contains(problem_with("Sec-WebSocket-Protocol", "chat"), "chat"));
    CHECK(chosen("chat", "other") == "the server chose a subprotocol that was not offered: \"other\"");
    CHECK(chosen("chat, superchat", "chat, superchat") ==
          "the server chose several subprotocols, \"chat, superchat\", but it may choose one at most");
    for (const char* second : {"superchat", "chat", ""}) {
        CHECK(problem_with([&](Request& request, Response& response) {
                  request.headers.add("Sec-WebSocket-Protocol", "chat, superchat");
                  response.headers.add("Sec-WebSocket-Protocol", "chat");
                  response.headers.add("Sec-WebSocket-Protocol", second);
              }) == "the response has 2 Sec-WebSocket-Protocol fields, but a server chooses one subprotocol at most");
    }
}
