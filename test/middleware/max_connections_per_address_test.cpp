#include "support/loopback.hpp"

using namespace support;

TEST_CASE("max connections per address: beyond the bound a handshake gets 429, and room again when one has ended") {
    Loopback loop;
    loop.server.add_middleware(std::make_shared<MaxConnectionsPerAddress>(2)).start();
    std::vector<std::unique_ptr<Client>> clients;
    std::vector<std::string> results;
    const auto connect = [&] {
        const std::size_t before = results.size();
        clients.push_back(std::make_unique<Client>(loop.reactor, loop.uri()));
        clients.back()
            ->on_handshake([&](Connection&, const Request&, const Response&) { results.emplace_back("101"); })
            .on_error([&](Connection*, const Error& error) {
                results.push_back(std::to_string(error.response()->status) + " " +
                                  std::string(*error.response()->headers.get("Retry-After")));
            });
        clients.back()->connect();
        loop.until([&] { return results.size() > before; });
    };
    for (int i = 0; i < 3; ++i) connect();
    clients[0]->disconnect();
    loop.until([&] { return loop.endings.size() == 1; });
    connect();
    connect();
    CHECK(results == std::vector<std::string>{"101", "101", "429 5", "101", "429 5"});
}

TEST_CASE("max connections per address: addresses that have gone are forgotten") {
    Loopback loop;
    loop.server.add_middleware(std::make_shared<MaxConnectionsPerAddress>(1)).start();
    // Each from an address of its own.
    for (int i = 1; i <= 150; ++i) {
        Client client(loop.reactor, loop.uri());
        client.set_option("socket", "bindto", "127.0.0." + std::to_string(i) + ":0");
        bool open = false;
        client.on_handshake([&](Connection&, const Request&, const Response&) { open = true; });
        client.connect();
        loop.until([&] { return open; });
    }
    loop.until([&] { return loop.server.connection_count() == 0; });
}
