#include "transport/resolv_conf.hpp"

#include <fstream>

#include "support/catch.hpp"
#include "support/sockets.hpp"

using namespace hawser;
using transport::ResolvTimes;

namespace {

struct Environment {
    explicit Environment(const char* options) { setenv("RES_OPTIONS", options, 1); }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;
    ~Environment() { unsetenv("RES_OPTIONS"); }
};

ResolvTimes read(const std::string& content) {
    const support::TemporaryDirectory directory;
    std::ofstream(directory.file("resolv.conf")) << content;
    return transport::read_resolv_conf(directory.file("resolv.conf"));
}

}  // namespace

TEST_CASE("resolv.conf: timeout and attempts are read from its options") {
    const ResolvTimes times = read("nameserver 127.0.0.1\noptions ndots:5 timeout:3\tattempts:4 rotate\n");
    CHECK(times.timeout == Seconds(3));
    CHECK(times.attempts == 4);
    const ResolvTimes last = read("options timeout:3 attempts:1 timeout:7\n options attempts:2");
    CHECK(last.timeout == Seconds(7));
    CHECK(last.attempts == 2);
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
}

TEST_CASE("resolv.conf: RES_OPTIONS goes before it") {
    const Environment environment("timeout:2 edns0");
    const ResolvTimes times = read("options timeout:1 attempts:3\n");
    CHECK(times.timeout == Seconds(2));
    CHECK(times.attempts == 3);
}
