#include "slow/memory.hpp"
#include "support/tls_loopback.hpp"

using namespace support;

namespace {

/// Memory after so many connections from now on, by the same client or each by a new one.
Memory after(int count, TlsLoopback& loop, Client* client) {
    const SslOptions options = trusting({{"no_ticket", client == nullptr}});
    int resumed = 0;
    for (int i = 0; i < count; ++i) {
        const Attempt result = attempt(loop, loop.uri(), options, client);
        REQUIRE(result.echoed);
        if (result.tls->resumed) ++resumed;
        loop.opened.clear();
        loop.endings.clear();
    }
    REQUIRE(loop.errors.empty());
    REQUIRE(resumed >= (client ? count - 1 : 0));
    REQUIRE(resumed <= (client ? count : 0));
    run_ready(loop.reactor.core());
    return memory_used();
}

}  // namespace

TEST_CASE("handshakes: ten thousand take no more memory than two thousand") {
    TlsLoopback loop;
    for (const bool is_resumed : {false, true}) {
        std::optional<Client> client;
        if (is_resumed) client.emplace(loop.reactor, loop.uri(), ClientOptions{{}, {}, with_ssl(trusting())});
        const Memory early = after(2'000, loop, client ? &*client : nullptr);
        const Memory late = after(8'000, loop, client ? &*client : nullptr);
        WARN((is_resumed ? "resumed" : "full") << " handshakes: heap " << early.heap << " -> " << late.heap << " bytes, resident "
                                               << early.resident << " -> " << late.resident << " bytes");
        // Less than what a single connection takes.
        CHECK(late.heap < early.heap + 16'384);
        CHECK(late.resident < early.resident + 512 * 1024);
    }
}
