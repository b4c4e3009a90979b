// Every two of the stock middlewares, in both orders: what each is for still holds.

#include <algorithm>

#include "middleware/stock.hpp"
#include "support/loopback.hpp"

using namespace support;

namespace {

/// A server and clients with two middlewares, and what becomes of a conversation.
class Pair {
public:
    Pair(const Stock& first, const Stock& second) : stocks_{first, second} {
        if (has("CloseHandler")) loop.server.remove_close_handler();
        if (has("PingResponder")) loop.server.remove_ping_responder();
        // Next to the application: what both let pass.
        const auto redirect = std::make_shared<Callback>();
        redirect->on_http_incoming = [this](Connection&, HttpMessage message, const HttpNext& next) {
            targets.push_back(std::get<Request>(message).target);
            if (targets.back() != "/moved") return next(std::move(message));
            next.respond(Response{302, {}, {{"Location", "/here"}}, {}});
        };
        loop.server.add_middleware(redirect);
        for (const Stock& stock : stocks_)
            if (stock.at_server) loop.server.add_middleware(stock.at_server());
        loop.server
            .on_handshake([this](Connection& connection, const Request&, const Response& response) {
                if (const auto* name = connection.meta<std::string>("user")) user = *name;
                answer = response;
            })
            .on_text([this](Connection& connection, MessageView message) {
                paused = paused || connection.is_paused();
                connection.text(message.content);
            });
        loop.server.start();
    }

    bool has(std::string_view name) const { return name == stocks_[0].name || name == stocks_[1].name; }

    std::unique_ptr<Client> make_client(const std::string& target, const Headers& headers) {
        auto client = std::make_unique<Client>(loop.reactor, loop.uri(target), ClientOptions{.headers = headers});
        if (has("CloseHandler")) client->remove_close_handler();
        if (has("PingResponder")) client->remove_ping_responder();
        for (const Stock& stock : stocks_)
            if (stock.at_client) client->add_middleware(stock.at_client());
        return client;
    }
    /// Connects; returns the status of the answer.
    int status_of(Client& client) {
        int status = 0;
        client.on_handshake([&](Connection&, const Request&, const Response& response) { status = response.status; })
            .on_error([&](Connection*, const Error& error) { status = error.response() ? error.response()->status : -1; });
        client.connect();
        loop.until([&] { return status != 0; });
        client.on_handshake({}).on_error({});
        return status;
    }
    int status_with(const Headers& headers) { return status_of(*make_client("/here", headers)); }

    /// What lets a request pass both.
    Headers credentials() const {
        Headers headers{{"Origin", "https://here.test"}};
        if (has("BasicAuth")) headers.add("Authorization", "Basic YW5uYTpzZWNyZXQ=");
        if (has("TokenAuth")) headers.add("Authorization", "Bearer good");
        return headers;
    }

    Loopback loop;
    std::vector<std::string> targets;
    std::string user;
    Response answer;
    bool paused = false;

private:
    std::vector<Stock> stocks_;
};

void check_refusals(Pair& pair) {
    Headers elsewhere = pair.credentials(), unknown = pair.credentials();
    elsewhere.set("Origin", "https://elsewhere.test");
    unknown.set("Authorization", "Basic YW5uYTp3cm9uZw==");
    const bool asks_who = pair.has("BasicAuth") || pair.has("TokenAuth");
    CHECK(pair.status_with(elsewhere) == (pair.has("OriginCheck") ? 403 : 101));
    CHECK(pair.status_with(unknown) == (asks_who ? 401 : 101));
    pair.loop.until([&] { return pair.loop.server.connection_count() == 0; });
}

void check_handshake(Pair& pair) {
    if (pair.has("FollowRedirect")) CHECK(pair.targets == std::vector<std::string>{"/moved", "/here"});
    if (pair.has("BasicAuth")) CHECK(pair.user == "anna");
    CHECK(pair.answer.headers.has("Sec-WebSocket-Protocol") == pair.has("SubprotocolNegotiation"));
    CHECK(pair.answer.headers.has("Sec-WebSocket-Extensions") == pair.has("CompressionExtension"));
}

void check_messages(Pair& pair, Client& client) {
    std::vector<std::string> echoes, expected;
    int pongs = 0, pings = 0;
    client.on_text([&](Connection&, MessageView message) { echoes.emplace_back(message.content); })
        .on_ping([&](Connection&, MessageView) { ++pings; })
        .on_pong([&](Connection&, MessageView message) { pongs += message.content == "mine"; });
    for (int i = 0; i < 4; ++i) {
        const std::string content = std::to_string(i) + std::string(1000, 'x');
        client.text(content);
        expected.push_back(content + (pair.has("Callback") ? "!" : ""));
    }
    client.ping("mine");
    pair.loop.until([&] { return echoes.size() == expected.size() && pongs == 1; });
    CHECK(echoes == expected);
    CHECK(pair.paused == pair.has("RateLimit"));
    if (pair.has("PingInterval")) pair.loop.until([&] { return pings >= 2; });
    CHECK(client.is_writable());
    client.on_text({}).on_ping({}).on_pong({});
}

void check_connections(Pair& pair) {
    std::vector<std::unique_ptr<Client>> more;
    std::vector<int> statuses;
    for (int i = 0; i < 3; ++i) {
        more.push_back(pair.make_client("/here", pair.credentials()));
        statuses.push_back(pair.status_of(*more.back()));
    }
    CHECK((std::find(statuses.begin(), statuses.end(), 429) != statuses.end()) == pair.has("MaxConnectionsPerAddress"));
}

/// Both ends agree on the end.
void check_close(Pair& pair, Client& client) {
    std::optional<Disconnect> ending;
    client.on_disconnect([&](Connection&, const Disconnect& how) { ending = how; });
    client.close(CloseCode::normal, "bye");
    pair.loop.until([&] { return ending.has_value(); });
    CHECK(ending->clean);
    CHECK(ending->code == CloseCode::normal);
}

}  // namespace

TEST_CASE("stock middlewares: any two, in either order, each do their own") {
    const std::vector<Stock> all = all_stock(Seconds(0.005), Seconds(30));
    for (std::size_t first = 0; first < all.size(); ++first)
        for (std::size_t second = 0; second < all.size(); ++second) {
            if (first == second) continue;
            INFO(all[first].name << " next to the application, " << all[second].name << " next to the socket");
            Pair pair(all[first], all[second]);
            if (pair.has("BasicAuth") && pair.has("TokenAuth")) {
                // A request has one Authorization: neither lets pass what the other refuses.
                CHECK(pair.status_with({{"Authorization", "Bearer good"}}) == 401);
                CHECK(pair.status_with({{"Authorization", "Basic YW5uYTpzZWNyZXQ="}}) == 401);
                continue;
            }
            const auto client = pair.make_client(pair.has("FollowRedirect") ? "/moved" : "/here", pair.credentials());
            // A redirect is not an answer: that of the next request counts.
            REQUIRE(pair.status_of(*client) == 101);
            check_handshake(pair);
            check_messages(pair, *client);
            check_connections(pair);
            check_close(pair, *client);
            check_refusals(pair);
        }
}
