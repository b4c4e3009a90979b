#include <hawser/http.hpp>

#include "support/catch.hpp"

using namespace hawser;

namespace {

std::string joined(const Headers& headers) {
    std::string result;
    for (const Header& field : headers) result += field.name + '=' + field.value + ' ';
    return result;
}

std::vector<std::string_view> views(std::initializer_list<std::string_view> elements) { return elements; }

}  // namespace

TEST_CASE("http: fields keep their order, and names are compared without case") {
    Headers headers{{"Host", "a"}, {"X", "1"}};
    headers.add("x", "2");
    CHECK(joined(headers) == "Host=a X=1 x=2 ");
    CHECK(headers.size() == 3);
    CHECK(headers.get("HOST") == "a");
    CHECK(headers.get("x") == "1");
    CHECK(headers.count("X") == 2);
    CHECK(headers.has("hOST"));
    CHECK_FALSE(headers.has("Hos"));
    CHECK(headers.get("none") == std::nullopt);
    CHECK(headers.count("none") == 0);
}

TEST_CASE("http: set replaces all fields of the name by one in the place of the first") {
    Headers headers{{"A", "1"}, {"X", "1"}, {"x", "2"}, {"B", "1"}, {"C", "1"}, {"X", "3"}};
    headers.set("x", "new");
    CHECK(joined(headers) == "A=1 x=new B=1 C=1 ");
    headers.set("D", "1");
    CHECK(joined(headers) == "A=1 x=new B=1 C=1 D=1 ");
}

TEST_CASE("http: remove tells how many there were") {
    Headers headers{{"A", "1"}, {"X", "1"}, {"x", "2"}};
    CHECK(headers.remove("X") == 2);
    CHECK(joined(headers) == "A=1 ");
    CHECK(headers.remove("X") == 0);
    CHECK(headers.remove("a") == 1);
    CHECK(headers.empty());
}

TEST_CASE("http: the name may be that of a field which is changed by it") {
    // Long, so that the name is not within the string object itself.
    const std::string name = "X-Name-That-Is-Longer-Than-A-Short-String";
    Headers headers{{"A", "1"}, {name, "1"}, {"B", "1"}, {name, "2"}};
    headers.set((headers.end() - 1)->name, "3");
    CHECK(joined(headers) == "A=1 " + name + "=3 B=1 ");
    headers.add(name, "4");
    CHECK(headers.remove((headers.begin() + 1)->name) == 2);
    CHECK(joined(headers) == "A=1 B=1 ");
}

TEST_CASE("http: a list spans all fields of its name, trimmed and without empty elements") {
    const Headers headers{{"Connection", " keep-alive ,,\t Upgrade,"}, {"Other", "x"}, {"connection", "close"}, {"Connection", ","}};
    CHECK(headers.list("Connection") == views({"keep-alive", "Upgrade", "close"}));
    CHECK(headers.list("none").empty());
    CHECK(headers.has_token("connection", "upgrade"));
    CHECK(headers.has_token("connection", "CLOSE"));
    CHECK_FALSE(headers.has_token("connection", "keep"));
    CHECK_FALSE(headers.has_token("connection", ""));
}

TEST_CASE("http: a comma within a quoted string does not end an element of a list") {
    const Headers headers{{"E", R"(a; b="1,2", c; d="\",", "open, e)"}};
    CHECK(headers.list("E") == views({R"(a; b="1,2")", R"(c; d="\",")", R"("open, e)"}));
    CHECK(Headers{{"E", R"("\)"}}.list("E").size() == 1);
}

TEST_CASE("http: a request's target is split at its first question mark") {
    Request request;
    CHECK(request.path() == "/");
    CHECK(request.query().empty());
    request.target = "/chat?a=1?b";
    CHECK(request.path() == "/chat");
    CHECK(request.query() == "a=1?b");
    request.target = "/chat?";
    CHECK(request.path() == "/chat");
    CHECK(request.query().empty());
}

TEST_CASE("http: the statuses that matter to a handshake have their phrases") {
    CHECK(reason_phrase(101) == "Switching Protocols");
    CHECK(reason_phrase(200) == "OK");
    CHECK(reason_phrase(400) == "Bad Request");
    CHECK(reason_phrase(401) == "Unauthorized");
    CHECK(reason_phrase(403) == "Forbidden");
    CHECK(reason_phrase(404) == "Not Found");
    CHECK(reason_phrase(426) == "Upgrade Required");
    CHECK(reason_phrase(431) == "Request Header Fields Too Large");
    CHECK(reason_phrase(503) == "Service Unavailable");
    CHECK(reason_phrase(511) == "Network Authentication Required");
    CHECK(reason_phrase(99) == "Unknown");
    CHECK(reason_phrase(418) == "Unknown");
    CHECK(reason_phrase(-1) == "Unknown");
}
