#include "support/tls_loopback.hpp"

using namespace support;

TEST_CASE("wss: a message is echoed, and both sides end cleanly") {
    TlsLoopback loop;
    for (const char* host : {"localhost", "127.0.0.1"}) {
        CAPTURE(host);
        const Attempt result = attempt(loop, loop.uri(host), trusting());
        INFO(result.failure());
        CHECK(result.echoed);
        CHECK_FALSE(result.error);
    }
    loop.until([&] { return loop.endings.size() == 2; });
    for (const Disconnect& ending : loop.endings) {
        CHECK(ending.clean);
        CHECK_FALSE(ending.error);
    }
    CHECK(loop.errors.empty());
}

TEST_CASE("wss: the blocking style works too") {
    TlsLoopback loop;
    CHECK(loop.server.scheme() == "wss");
    CHECK(loop.server.is_ssl());
}
