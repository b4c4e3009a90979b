#include "support/loopback.hpp"
#include "support/tls_loopback.hpp"

using namespace support;

namespace {

/// A server that answers each request with what `answer` says, or accepts it where that gives none.
struct Redirecting : Loopback {
    explicit Redirecting(std::function<std::string(const Request&)> location) {
        auto redirect = std::make_shared<Callback>();
        redirect->on_http_incoming = [this, location](Connection&, HttpMessage message, const HttpNext& next) {
            const Request request = std::get<Request>(message);
            requests.push_back(request);
            const std::string to = location(request);
            if (to.empty()) return next(std::move(message));
            next.respond(Response{302, {}, {{"Location", to}}, {}});
        };
        server.add_middleware(redirect).start();
    }
    std::vector<Request> requests;
};

/// Runs a client until it is open or has failed: its target then, or the error.
std::string outcome(Loopback& loop, Client& client) {
    std::string result;
    client.on_handshake([&](Connection&, const Request& request, const Response&) { result = request.target; })
        .on_error([&](Connection*, const Error& error) { result = error.what(); });
    client.connect();
    loop.until([&] { return !result.empty(); });
    return result;
}

}  // namespace

TEST_CASE("follow redirect: redirects are followed, relative ones too") {
    Redirecting loop([](const Request& request) -> std::string {
        if (request.target == "/a") return "/b/c?x=1";
        if (request.target == "/b/c?x=1") return "d";
        return {};
    });
    Client client(loop.reactor, loop.uri("/a"));
    client.add_middleware(std::make_shared<FollowRedirect>());
    CHECK(outcome(loop, client) == "/b/d");
    CHECK(loop.requests.size() == 3);
    CHECK(client.uri().target() == "/b/d");
}

TEST_CASE("follow redirect: no more than the limit in a row, at limit - 1, limit and limit + 1") {
    for (const int redirects : {2, 3, 4}) {
        INFO(redirects);
        Redirecting loop([&](const Request& request) {
            const int step = std::stoi(request.target.substr(1));
            return step < redirects ? "/" + std::to_string(step + 1) : std::string();
        });
        const auto follow = std::make_shared<FollowRedirect>(3);
        for (int round = 0; round < 2; ++round) {  // the count of one attempt is not another's
            Client client(loop.reactor, loop.uri("/0"));
            client.add_middleware(follow);
            const std::string result = outcome(loop, client);
            if (redirects <= 3)
                CHECK(result == "/" + std::to_string(redirects));
            else
                CHECK(result.find("more than 3 redirects") != std::string::npos);
        }
    }
}

TEST_CASE("follow redirect: to another host no credentials go along") {
    Redirecting second([](const Request&) { return std::string(); });
    Loopback* target = &second;
    Redirecting first(
        [&](const Request& request) { return request.target == "/" ? std::string("/same") : "ws://" + target->server.name() + "/other"; });
    // Both servers on the loop of the first: the second's is run beside it.
    Client client(first.reactor, "ws://anna:secret@" + first.server.name() + "/",
                  {.headers = {{"Cookie", "id=1"}, {"X-Plain", "yes"}, {"X-Api-Key", "k"}, {"X-Mine", "1"}}});
    client.set_option("http", "header", std::vector<std::string>{"Cookie: more=2", "X-Line: yes"});
    client.set_option("http", "secret_header", std::vector<std::string>{"x-mine"});
    client.add_middleware(std::make_shared<FollowRedirect>());
    std::string result;
    client.on_handshake([&](Connection&, const Request& request, const Response&) { result = request.target; });
    client.connect();
    REQUIRE(run_until(first.reactor.core(), [&] {
        second.reactor.run_once(Seconds(0));
        return !result.empty();
    }));
    CHECK(result == "/other");
    REQUIRE(first.requests.size() == 2);
    CHECK(first.requests[1].headers.has("Authorization"));
    REQUIRE(second.requests.size() == 1);
    CHECK_FALSE(second.requests[0].headers.has("Authorization"));
    CHECK_FALSE(second.requests[0].headers.has("Cookie"));
    CHECK(first.requests[1].headers.count("Cookie") == 2);
    CHECK(second.requests[0].headers.get("X-Plain") == "yes");
    CHECK(second.requests[0].headers.get("X-Line") == "yes");
    CHECK_FALSE(second.requests[0].headers.has("X-Api-Key"));
    CHECK_FALSE(second.requests[0].headers.has("X-Mine"));
    CHECK(first.requests[1].headers.get("X-Mine") == "1");
}

TEST_CASE("follow redirect: to the same origin by a whole URI the credentials go along") {
    Loopback* self = nullptr;
    Redirecting loop(
        [&](const Request& request) { return request.target == "/" ? "http://" + self->server.name() + "/new#part" : std::string(); });
    self = &loop;
    Client client(loop.reactor, "ws://anna:secret@" + loop.server.name() + "/");
    client.add_middleware(std::make_shared<FollowRedirect>());
    CHECK(outcome(loop, client) == "/new");
    CHECK(loop.requests[1].headers.get("Authorization") == loop.requests[0].headers.get("Authorization"));
}

TEST_CASE("follow redirect: a Unix socket leads to one server") {
    const TemporaryDirectory directory;
    Loopback loop;
    std::vector<std::string> hosts;
    std::string location = "/new";
    Server server(loop.reactor, {.unix_path = directory.file("socket")});
    const auto redirect = std::make_shared<Callback>();
    redirect->on_http_incoming = [&](Connection&, HttpMessage message, const HttpNext& next) {
        const Request& request = std::get<Request>(message);
        hosts.push_back(request.headers.get("Host").value_or("").data());
        if (request.target == "/new") return next(std::move(message));
        next.respond(Response{302, {}, {{"Location", location}}, {}});
    };
    server.add_middleware(redirect).start();
    Client client(loop.reactor, "ws://svc/", {.unix_path = directory.file("socket")});
    client.add_middleware(std::make_shared<FollowRedirect>());
    CHECK(outcome(loop, client) == "/new");
    CHECK(hosts.size() == 2);
    client.disconnect();
    location = "ws://elsewhere.example/new";
    CHECK(
        outcome(loop, client).find("the redirect by 302 is not followed: ws://elsewhere.example/new: the Unix socket leads to svc alone") !=
        std::string::npos);
    CHECK(hosts.size() == 3);
}

TEST_CASE("follow redirect: a bad Location is an error, other answers are left alone") {
    Redirecting loop([](const Request& request) { return request.target == "/bad" ? std::string("mailto:nobody") : std::string(); });
    Client bad(loop.reactor, loop.uri("/bad"));
    bad.add_middleware(std::make_shared<FollowRedirect>());
    CHECK(outcome(loop, bad).find("mailto") != std::string::npos);
    Client without(loop.reactor, loop.uri("/bad"));
    CHECK(outcome(loop, without).find("302") != std::string::npos);
}

TEST_CASE("follow redirect: the http options follow_location and max_redirects install it, and take it out again") {
    Redirecting loop([](const Request& request) {
        const int step = std::stoi(request.target.substr(1));
        return step < 3 ? "/" + std::to_string(step + 1) : std::string();
    });
    const auto outcome_with = [&](std::optional<bool> follow, std::optional<std::int64_t> most) {
        Client client(loop.reactor, loop.uri("/0"));
        if (follow) client.set_option("http", "follow_location", *follow);
        if (most) client.set_option("http", "max_redirects", *most);
        return outcome(loop, client);
    };
    CHECK(outcome_with(true, {}) == "/3");
    CHECK(outcome_with({}, 3) == "/3");
    CHECK(outcome_with(true, 4) == "/3");
    CHECK(outcome_with({}, 2).find("more than 2 redirects") != std::string::npos);
    CHECK(outcome_with(true, 0).find("more than 0 redirects") != std::string::npos);
    CHECK(outcome_with(false, 3).find("302") != std::string::npos);
    CHECK(outcome_with({}, {}).find("302") != std::string::npos);
    ClientOptions options;
    options.configuration.context.set_option("http", "follow_location", true);
    Client client(loop.reactor, loop.uri("/0"), options);
    CHECK(outcome(loop, client) == "/3");
    client.disconnect().set_context({});
    Client plain(loop.reactor, loop.uri("/0"));
    CHECK(outcome(loop, plain).find("302") != std::string::npos);
    CHECK_FALSE(client.context().get_option("http", "follow_location"));
}

TEST_CASE("follow redirect: never from wss to ws") {
    TlsLoopback loop;
    const auto redirect = std::make_shared<Callback>();
    redirect->on_http_incoming = [](Connection&, HttpMessage, const HttpNext& next) {
        next.respond(Response{302, {}, {{"Location", "ws://127.0.0.1:1/"}}, {}});
    };
    loop.server.add_middleware(redirect);
    Client client(loop.reactor, loop.uri(), {.configuration = with_ssl(trusting())});
    client.add_middleware(std::make_shared<FollowRedirect>());
    std::vector<std::string> errors;
    client.on_error([&](Connection*, const Error& error) { errors.emplace_back(error.what()); });
    client.connect();
    loop.until([&] { return !errors.empty() && !client.is_connected(); });
    run_ready(loop.reactor.core());
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].find("it would give up encryption") != std::string::npos);
    CHECK(client.uri().is_secure());
}

TEST_CASE("follow redirect: to wss with options that TLS cannot have is an error of the attempt") {
    Redirecting loop([](const Request&) { return std::string("wss://127.0.0.1:1/"); });
    Client client(loop.reactor, loop.uri());
    client.set_option("ssl", "cafile", "/nonexistent/ca.pem");
    client.add_middleware(std::make_shared<FollowRedirect>());
    client.text("queued");
    std::vector<std::string> errors;
    client.on_error([&](Connection*, const Error& error) { errors.emplace_back(error.what()); });
    loop.until([&] { return errors.size() == 2; });
    CHECK(errors[0].find("/nonexistent/ca.pem") != std::string::npos);
    CHECK(errors[1].find("1 queued message for ") != std::string::npos);
}
