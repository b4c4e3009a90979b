#include "protocol/http_body.hpp"

#include <memory>
#include <string>
#include <string_view>

#include "support/catch.hpp"

using hawser::Headers;
using hawser::Response;
using hawser::protocol::HttpBody;

namespace {

struct Outcome {
    std::string content;
    bool complete = false;

    bool operator==(const Outcome&) const = default;
};

constexpr std::size_t bound = 10;
constexpr std::size_t framing = 40;

Outcome collect(const Response& head, std::string_view bytes, std::size_t piece) {
    HttpBody body(head, bound, framing);
    Outcome outcome;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        const std::string_view part = bytes.substr(at, piece);
        const auto block = std::make_unique<char[]>(part.size());
        part.copy(block.get(), part.size());
        body.feed({block.get(), part.size()}, outcome.content);
    }
    outcome.complete = body.is_complete();
    return outcome;
}

/// Seen to be the same in pieces of each size.
Outcome collect(const Headers& fields, std::string_view bytes, int status = 403) {
    const Response head{status, {}, fields, {}};
    const Outcome whole = collect(head, bytes, bytes.size() + 1);
    for (const std::size_t piece : {1u, 2u, 3u, 7u}) CHECK(collect(head, bytes, piece) == whole);
    return whole;
}
Outcome chunked(std::string_view bytes) { return collect({{"Transfer-Encoding", "chunked"}}, bytes); }

Outcome complete(std::string content) { return {std::move(content), true}; }
Outcome awaiting(std::string content) { return {std::move(content), false}; }

bool ends_with_connection(const Headers& fields, int status = 403) {
    return HttpBody(Response{status, {}, fields, {}}, bound, framing).ends_with_connection();
}

}  // namespace

TEST_CASE("http_body: Content-Length says how long it is") {
    CHECK(collect({{"Content-Length", "0"}}, "") == complete(""));
    CHECK(collect({{"Content-Length", "5"}}, "four") == awaiting("four"));
    CHECK(collect({{"Content-Length", "5"}}, "fives and more") == complete("fives"));
    CHECK(collect({{"Content-Length", "5, 5"}, {"content-length", "5"}}, "fives and more") == complete("fives"));
    CHECK(collect({{"Content-Length", "005"}}, "fives and more") == complete("fives"));
}

TEST_CASE("http_body: nothing is awaited where Content-Length is invalid") {
    const std::string length = GENERATE(as<std::string>(), "", ",", "many", "5x", "+5", "-5", "5, 6", "5 5", "0x5", "5.0");
    CAPTURE(length);
    CHECK(collect({{"Content-Length", length}}, "fives") == complete(""));
    CHECK_FALSE(ends_with_connection({{"Content-Length", length}}));
}

TEST_CASE("http_body: a bound ends it, however long it is said to be") {
    for (const char* length : {"9", "10", "11", "99999999999999999999", "18446744073709551615"}) {
        CAPTURE(length);
        const bool fits = std::string_view(length) == "9";
        CHECK(collect({{"Content-Length", length}}, "123456789") == Outcome{"123456789", fits});
        CHECK(collect({{"Content-Length", length}}, "1234567890") == complete(fits ? "123456789" : "1234567890"));
        CHECK(collect({{"Content-Length", length}}, "12345678901") == complete(fits ? "123456789" : "1234567890"));
    }
    CHECK(collect({}, "123456789") == awaiting("123456789"));
    CHECK(collect({}, "12345678901") == complete("1234567890"));
    CHECK(chunked("9\r\n123456789\r\n") == awaiting("123456789"));
    CHECK(chunked("a\r\n1234567890") == complete("1234567890"));
    CHECK(chunked("6\r\n123456\r\nFFFFFFFFFFFFFFFFF\r\n78901") == complete("1234567890"));
}

TEST_CASE("http_body: some statuses have none, whatever the fields say") {
    for (const int status : {204, 304})
        for (const Headers& fields : {Headers{}, Headers{{"Content-Length", "5"}}, Headers{{"Transfer-Encoding", "chunked"}}}) {
            CHECK(collect(fields, "fives", status) == complete(""));
            CHECK_FALSE(ends_with_connection(fields, status));
        }
    CHECK(collect({{"Content-Length", "5"}}, "fives", 205) == complete("fives"));
}

TEST_CASE("http_body: without a length, or with a last coding that is not chunked, it ends with the connection") {
    CHECK(ends_with_connection({}));
    CHECK(ends_with_connection({{"Connection", "keep-alive"}}));
    for (const char* coding : {"gzip", "chunked, gzip", "identity", "", "chunked;a=b"}) {
        CHECK(ends_with_connection({{"Transfer-Encoding", coding}}));
        CHECK(ends_with_connection({{"Transfer-Encoding", coding}, {"Content-Length", "2"}}));
    }
    CHECK_FALSE(ends_with_connection({{"Content-Length", "5"}}));
    CHECK_FALSE(ends_with_connection({{"Transfer-Encoding", "chunked"}}));
    CHECK(collect({}, "text") == awaiting("text"));
}

TEST_CASE("http_body: chunks are put together without their framing") {
    CHECK(chunked("5\r\nno to\r\n3\r\nken\r\n0\r\n\r\n") == complete("no token"));
    CHECK(chunked("5\r\nno to\r\n3\r\nken\r\n0\r\n") == awaiting("no token"));
    CHECK(chunked("5\r\nno to\r\n3\r\nke") == awaiting("no toke"));
    CHECK(chunked("0\r\n\r\nmore") == complete(""));
    CHECK(chunked("00\r\n\r\n") == complete(""));
    CHECK(chunked("000A\r\n0123456789") == complete("0123456789"));
    CHECK(chunked("2\r\n\r\n\r\n0\r\n\r\n") == complete("\r\n"));
    CHECK(chunked("4;name=\"v a\"\r\ntext\r\n0;x\r\n\r\n") == complete("text"));
    CHECK(chunked("4  \r\ntext\r\n0 ;x\r\n\r\n") == complete("text"));
    CHECK(chunked("4\r\ntext\r\n0\r\nX: y\r\nZ: 0\r\n\r\nmore") == complete("text"));
    CHECK(collect({{"Transfer-Encoding", "gzip"}, {"transfer-encoding", "Chunked"}, {"Content-Length", "1"}}, "2\r\nok\r\n0\r\n\r\n") ==
          complete("ok"));
}

TEST_CASE("http_body: chunks that are broken end it with what came before") {
    for (const std::string_view broken : {"\r\n", "x", "-1\r\n", "3x\r\n", "3\n", "3\rx", "3;a\n", "3;a\rb", "0\rx", ";\r\n"}) {
        CAPTURE(broken);
        CHECK(chunked("2\r\nok\r\n" + std::string(broken) + "text") == complete("ok"));
    }
    for (const std::string_view broken : {"x", "\n", "\rx", "\r\r"}) {
        CAPTURE(broken);
        CHECK(chunked("2\r\nok" + std::string(broken) + "text") == complete("ok"));
    }
    CHECK(chunked("2\r\nok\r\n0\r\nX: y\rz") == complete("ok"));
}

TEST_CASE("http_body: the framing of chunks has a bound too") {
    // Of it 3 bytes stand before the content, and 2 behind it.
    const std::string chunk = "1\r\nx\r\n";
    for (const std::size_t extension : {framing - 6, framing - 5, framing - 4}) {
        CAPTURE(extension);
        const Outcome outcome = chunked(chunk + "1;" + std::string(extension - 2, 'e'));
        CHECK(outcome == Outcome{"x", extension > framing - 5});
    }
}
