// proxy URI: joins each client with a connection of its own to URI. Messages, Close frames and closed halves pass in both
// directions; who reads slowly slows down the other.
#include <hawser/hawser.hpp>

#include <iostream>
#include <unordered_map>

namespace {

hawser::Configuration configuration() {
    hawser::Configuration configuration;
    configuration.allow_half_open = true;
    configuration.tick_interval = hawser::Seconds(0.05);
    return configuration;
}

/// Two connections that are one: `client` came to us, `upstream` is what we make for it.
struct Pair {
    Pair(hawser::Connection& accepted, const std::string& uri)
        : client(accepted.handle()), upstream(accepted.reactor(), uri, {.configuration = configuration()}) {}
    hawser::ConnectionPtr client;
    hawser::Client upstream;
};

/// A half that was closed without a Close frame is closed on the other side too.
void pass_end_on(const hawser::Connection& from, hawser::Connection& to) {
    if (!from.is_readable() && to.is_writable()) to.close_write();
}

class Proxy {
public:
    Proxy(hawser::Reactor& reactor, std::string uri);
    std::string name() const { return server_.name(); }

private:
    void join(hawser::Connection& client);
    Pair* find(const hawser::Connection& client);
    void pass_ends_on();

    std::string uri_;
    hawser::Server server_;
    std::unordered_map<std::uint64_t, std::unique_ptr<Pair>> pairs_{};
};

Proxy::Proxy(hawser::Reactor& reactor, std::string uri)
    : uri_(std::move(uri)), server_(reactor, {.host = "127.0.0.1", .port = 0, .configuration = configuration()}) {
    const auto forward = [this](hawser::Connection& client, hawser::MessageView message) {
        Pair* pair = find(client);
        // What comes before the upstream's handshake is complete waits in its queue.
        if (pair && pair->upstream.send(message) == hawser::SendStatus::backpressure) client.pause();
    };
    server_.remove_close_handler();  // the other end answers a Close
    server_.on_text(forward).on_binary(forward).on_close(forward);
    server_.on_drain([this](hawser::Connection& client) {
        if (Pair* pair = find(client); pair && pair->upstream.connection()) pair->upstream.connection()->resume();
    });
    server_.on_handshake([this](hawser::Connection& client, const hawser::Request&, const hawser::Response&) { join(client); });
    server_.on_disconnect([this](hawser::Connection& client, const hawser::Disconnect&) { pairs_.erase(client.identity()); });
    server_.on_tick([this](hawser::Server&) { pass_ends_on(); });
    server_.start();
}

Pair* Proxy::find(const hawser::Connection& client) {
    const auto found = pairs_.find(client.identity());
    return found == pairs_.end() ? nullptr : found->second.get();
}

void Proxy::join(hawser::Connection& client) {
    auto pair = std::make_unique<Pair>(client, uri_);
    hawser::Connection* const other = pair->client.get();  // lives as long as the pair
    const auto forward = [other](hawser::Connection& upstream, hawser::MessageView message) {
        if (other->send(message) == hawser::SendStatus::backpressure) upstream.pause();
    };
    pair->upstream.remove_close_handler();
    pair->upstream.on_text(forward).on_binary(forward).on_close(forward);
    pair->upstream.on_drain([other](hawser::Connection&) { other->resume(); });
    pair->upstream.on_error([other](hawser::Connection*, const hawser::Error& error) {
        std::cerr << error.what() << '\n';
        if (error.level() != hawser::ErrorLevel::message) other->close(hawser::CloseCode::bad_gateway);
    });
    pair->upstream.connect();
    pairs_.emplace(client.identity(), std::move(pair));
}

void Proxy::pass_ends_on() {
    for (const auto& [identity, pair] : pairs_) {
        const hawser::ConnectionPtr upstream = pair->upstream.connection();
        if (!upstream || !upstream->handshake_response()) continue;  // not open yet
        pass_end_on(*pair->client, *upstream);
        pass_end_on(*upstream, *pair->client);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return std::cerr << "usage: proxy URI\n", 2;
    hawser::Reactor reactor;
    Proxy proxy(reactor, argv[1]);
    std::cout << "listening on ws://" << proxy.name() << '/' << std::endl;
    reactor.run();
}
