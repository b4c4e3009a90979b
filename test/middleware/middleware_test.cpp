#include "support/loopback.hpp"

using namespace support;

namespace {

/// Wants everything and overrides nothing: each hook forwards.
struct Plain final : Middleware {
    Hook hooks() const noexcept override {
        return Hook::incoming | Hook::outgoing | Hook::http_incoming | Hook::http_outgoing | Hook::tick;
    }
};

}  // namespace

TEST_CASE("middleware: hooks that are not overridden forward") {
    Loopback loop;
    int ticks = 0;
    loop.server.set_configuration({.tick_interval = Seconds(0.001)});
    loop.server.add_middleware(std::make_shared<Plain>())
        .on_text([](Connection& connection, MessageView m) { connection.text(m.content); })
        .on_tick([&](Server& server) {
            CHECK(&server == &loop.server);
            ++ticks;
        })
        .start();
    Client client(loop.reactor, loop.uri());
    client.add_middleware(std::make_shared<Plain>());
    std::string answer;
    client.on_text([&](Connection&, MessageView m) { answer = m.content; });
    client.text("through");
    loop.until([&] { return !answer.empty() && ticks > 1; });
    CHECK(answer == "through");
}

TEST_CASE("middleware: hooks combine, and include their parts") {
    CHECK(includes(Hook::incoming, Hook::incoming_data));
    CHECK(includes(Hook::incoming, Hook::incoming_control));
    CHECK_FALSE(includes(Hook::incoming, Hook::outgoing_data));
    CHECK(includes(Hook::tick | Hook::outgoing, Hook::tick));
    CHECK_FALSE(includes(Hook::none, Hook::tick));
}

TEST_CASE("middleware: null is refused") {
    Loopback loop;
    CHECK_THROWS_AS(loop.server.add_middleware(nullptr), Error);
}
