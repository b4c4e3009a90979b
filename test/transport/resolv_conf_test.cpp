#include "transport/resolv_conf.hpp"

#include <fstream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/sockets.hpp"

using namespace hawser;
using transport::ResolvConf;
using Names = std::vector<std::string>;

namespace {

struct Environment {
    Environment(const char* variable, const char* value) : name(variable) { setenv(name, value, 1); }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;
    ~Environment() { unsetenv(name); }
    const char* name;
};

ResolvConf read(const std::string& content) {
    const support::TemporaryDirectory directory;
    std::ofstream(directory.file("resolv.conf")) << content;
    return transport::read_resolv_conf(directory.file("resolv.conf"));
}

}  // namespace

TEST_CASE("resolv.conf: timeout and attempts are read from its options") {
    const ResolvConf times = read("nameserver 127.0.0.1\noptions ndots:5 timeout:3\tattempts:4 rotate\n");
    CHECK(times.timeout == Seconds(3));
    CHECK(times.attempts == 4);
    const ResolvConf last = read("options timeout:3 attempts:1 timeout:7\n options attempts:2");
    CHECK(last.timeout == Seconds(7));
    CHECK(last.attempts == 2);
}

TEST_CASE("resolv.conf: its last search or domain line has the search list") {
    CHECK(read("search a.corp\tb.corp\n").search == Names{"a.corp", "b.corp"});
    CHECK(read("search a.corp\nsearch b.corp\n").search == Names{"b.corp"});
    CHECK(read("search a.corp\ndomain b.corp c.corp\n").search == Names{"b.corp"});
    CHECK(read("domain b.corp\nsearch a.corp c.corp\n").search == Names{"a.corp", "c.corp"});
    const Environment environment("LOCALDOMAIN", "d.corp e.corp");
    CHECK(read("search a.corp\n").search == Names{"d.corp", "e.corp"});
}

TEST_CASE("resolv.conf: the names that a name may stand for, in their order") {
    const auto names = [](const std::string& host, int ndots, Names search) {
        return transport::full_names(host, {Seconds(0), 0, ndots, std::move(search)});
    };
    CHECK(names("foo", 1, {}) == Names{"foo."});
    CHECK(names("foo", 1, {"a.corp", "b.corp."}) == Names{"foo.a.corp.", "foo.b.corp.", "foo."});
    CHECK(names("foo", 0, {"a.corp"}) == Names{"foo.", "foo.a.corp."});
    CHECK(names("foo.", 1, {"a.corp"}) == Names{"foo."});
    CHECK(names("foo", 1, {".", ".a.corp"}) == Names{"foo.a.corp.", "foo."});
    for (const auto& [ndots, is_first] : {std::pair{1, true}, {2, true}, {3, false}}) {
        const Names expected = is_first ? Names{"www.a.example.", "www.a.example.corp."} : Names{"www.a.example.corp.", "www.a.example."};
        CHECK(names("www.a.example", ndots, {"corp"}) == expected);
    }
    for (const char* host : {"x.onion", "a.x.Onion", "x.onion."}) CHECK(names(host, 5, {"a.corp"}).size() == 1);
}

TEST_CASE("resolv.conf: what is not there, or no number, says nothing") {
    for (const char* content : {"", "search timeout:1 attempts:1\n", "; options timeout:1 attempts:1\n", "#options timeout:1\n",
                                "options\n", "options timeout attempts\n", "options timeout: attempts:x\n",
                                "options timeout:1s attempts:-1\n", "options timeout:0 attempts:0\n", "optionstimeout:1\n"}) {
        CAPTURE(content);
        CHECK(read(content).timeout == Seconds(0));
        CHECK(read(content).attempts == 0);
    }
    CHECK(transport::read_resolv_conf("/nonexistent/resolv.conf").timeout == Seconds(0));
}

TEST_CASE("resolv.conf: its bounds hold, at limit - 1, limit and limit + 1") {
    for (const auto& [seconds, expected] : {std::pair{"29", 29}, {"30", 30}, {"31", 30}, {"99999999999", 30}})
        CHECK(read(std::string("options timeout:") + seconds).timeout == Seconds(expected));
    for (const auto& [attempts, expected] : {std::pair{"4", 4}, {"5", 5}, {"6", 5}, {"99999999999", 5}})
        CHECK(read(std::string("options attempts:") + attempts).attempts == expected);
    for (const auto& [dots, expected] : {std::pair{"0", 0}, {"1", 1}, {"14", 14}, {"15", 15}, {"16", 15}, {"x", 1}, {"-1", 1}})
        CHECK(read(std::string("options ndots:") + dots).ndots == expected);
}

TEST_CASE("resolv.conf: RES_OPTIONS goes before it") {
    const Environment environment("RES_OPTIONS", "timeout:2 edns0 ndots:2");
    const ResolvConf times = read("options timeout:1 attempts:3\n");
    CHECK(times.timeout == Seconds(2));
    CHECK(times.attempts == 3);
    CHECK(times.ndots == 2);
}
