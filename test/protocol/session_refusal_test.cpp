// Responses that refuse, as lib/protocol/session.cpp takes them in a client.

#include <string>
#include <string_view>
#include <vector>

#include <hawser/error.hpp>

#include "support/catch.hpp"
#include "support/session_peer.hpp"

using namespace hawser::protocol;
using hawser::Seconds;
using support::SessionPeer;
using Told = std::vector<std::string>;

namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// The answer to a peer's own request, as a server has to give it.
std::string good_answer(const SessionPeer& client) { return format_response(accept_response(client.request)); }

/// A client that got the head of a response that refuses.
struct RefusedClient {
    explicit RefusedClient(std::string_view fields) {
        client.start();
        client.feed("HTTP/1.1 403 Forbidden\r\n" + std::string(fields) + "\r\n");
    }
    bool is_done() { return client.session.is_over(); }
    /// What the error carries in the end.
    std::string body() {
        CHECK(client.told() == Told{"response 403", "error handshake_failed"});
        CHECK(client.session.is_over());
        CHECK(contains(client.error_texts.back(), "403 Forbidden"));
        CHECK(client.error_response.status == 403);
        return client.error_response.body;
    }
    SessionPeer client{Role::client};
};

}  // namespace

TEST_CASE("session: behind an interim response a client takes the body of a refusal") {
    SessionPeer client(Role::client);
    client.start();
    client.feed("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    CHECK(client.told() == Told{"response 403", "error handshake_failed"});
    CHECK(client.error_response.body == "no");
}

TEST_CASE("session: a client collects the body of a refusal as far as Content-Length says") {
    RefusedClient empty("Content-Length: 0\r\n");
    CHECK(empty.body().empty());
    RefusedClient five("Content-Length: 5\r\n");
    five.client.feed("full");
    CHECK_FALSE(five.is_done());
    five.client.feed("\n and more");
    CHECK(five.body() == "full\n");
    RefusedClient unknown("Content-Length: many\r\n");
    CHECK(unknown.body().empty());
}

TEST_CASE("session: a client takes the body of a refusal out of its chunks, and does not wait for more") {
    const std::string chunks = "5\r\nno to\r\n3\r\nken\r\n0\r\n\r\n";
    for (std::size_t cut = 0; cut + 1 < chunks.size(); ++cut) {
        CAPTURE(cut);
        RefusedClient refused("Transfer-Encoding: chunked\r\n");
        refused.client.feed(chunks.substr(0, cut));
        CHECK_FALSE(refused.is_done());
        refused.client.feed(chunks.substr(cut));
        REQUIRE(refused.body() == "no token");
    }
}

TEST_CASE("session: a client waits for no body where the status has none") {
    for (const char* status : {"204 No Content", "304 Not Modified"}) {
        SessionPeer client(Role::client);
        client.start();
        client.feed("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 5\r\n\r\n");
        CHECK(client.told() == Told{"response " + std::string(status).substr(0, 3), "error handshake_failed"});
        CHECK(client.error_response.body.empty());
    }
}

TEST_CASE("session: a body that ends with the connection is not waited for when nothing comes, but for no longer than the handshake") {
    RefusedClient quiet("Connection: keep-alive\r\n");
    quiet.client.wait(Seconds(0.4));
    quiet.client.feed("why");
    quiet.client.wait(Seconds(0.4));
    CHECK_FALSE(quiet.is_done());
    quiet.client.wait(Seconds(0.1));
    CHECK(quiet.body() == "why");

    RefusedClient slow("");
    for (int i = 0; i < 24; ++i) {
        slow.client.wait(Seconds(0.4));
        slow.client.feed("x");
    }
    CHECK_FALSE(slow.is_done());
    slow.client.wait(Seconds(0.4));
    CHECK(slow.body() == std::string(24, 'x'));

    RefusedClient measured("Content-Length: 5\r\n");
    measured.client.wait(Seconds(9.9));
    CHECK_FALSE(measured.is_done());
    measured.client.wait(Seconds(0.1));
    CHECK(measured.body().empty());
}

TEST_CASE("session: a refusal by HTTP/1.0 keeps status, fields and body, a 101 by HTTP/1.0 opens nothing") {
    SessionPeer refused(Role::client);
    refused.start();
    refused.feed("HTTP/1.0 403 Forbidden\r\nX-Why: no token\r\nContent-Length: 8\r\n\r\nno token");
    CHECK(refused.told() == Told{"response 403", "error handshake_failed"});
    CHECK(refused.error_response.headers.get("X-Why") == "no token");
    CHECK(refused.error_response.body == "no token");

    SessionPeer moved(Role::client);
    moved.start();
    moved.feed("HTTP/1.0 302 Found\r\nLocation: /elsewhere\r\n\r\n");
    moved.session.receive_end();
    CHECK(moved.told() == Told{"response 302", "error handshake_failed"});

    for (const int minor : {0, 1, 2}) {
        SessionPeer client(Role::client);
        client.start();
        client.feed("HTTP/1." + std::to_string(minor) + good_answer(client).substr(8));
        CHECK(client.told() == (minor == 0 ? Told{"error handshake_failed"} : Told{"response 101", "open"}));
    }
}

TEST_CASE("session: a client keeps the first KiB of a refusal's body") {
    for (const char* field : {"Content-Length: 1025\r\n", "Content-Length: 99999999999999999999\r\n", ""}) {
        CAPTURE(field);
        RefusedClient refused(field);
        refused.client.feed(std::string(1023, 'x'));
        CHECK_FALSE(refused.is_done());
        refused.client.feed("yz");
        CHECK(refused.body() == std::string(1023, 'x') + "y");
    }
}

TEST_CASE("session: the body of a refusal may end with the connection, or for lack of time") {
    RefusedClient ended("");
    ended.client.feed("why");
    ended.client.session.receive_end();
    CHECK(ended.body() == "why");

    RefusedClient reset("");
    reset.client.feed("why");
    reset.client.session.transport_failed("connection reset");
    CHECK(reset.body() == "why");

    RefusedClient late("");
    late.client.feed("why");
    late.client.wait(Seconds(10));
    CHECK(late.body() == "why");
}

TEST_CASE("session: a decision about a refusal has the time of the handshake, however its body ended") {
    const std::string head = "HTTP/1.1 403 Forbidden\r\n";
    SessionPeer client(Role::client);
    client.agrees = false;
    client.start();
    Seconds left(10);
    SECTION("nothing came for a while") {
        client.feed(head + "\r\nhello");
        client.wait(Seconds(0.5));
        left = Seconds(9.5);
    }
    SECTION("the connection ended") {
        client.feed(head + "\r\nhello");
        client.wait(Seconds(0.1));
        client.session.receive_end();
        left = Seconds(9.9);
    }
    SECTION("the connection was reset") {
        client.feed(head + "\r\nhello");
        client.wait(Seconds(0.1));
        client.session.transport_failed("connection reset");
        left = Seconds(9.9);
    }
    SECTION("it was complete") { client.feed(head + "Content-Length: 5\r\n\r\nhello"); }
    SECTION("all the time went by before: a moment is left") {
        client.feed(head + "Content-Length: 50\r\n\r\nhello");
        client.wait(Seconds(10));
        left = Seconds(0.5);
    }
    client.wait(left - Seconds(0.001));
    CHECK(client.told() == Told{"response 403"});
    CHECK(client.response.body == "hello");
    client.wait(Seconds(0.002));
    CHECK(client.told() == Told{"error connection_failure"});
    CHECK(contains(client.error_texts.back(), "within 10 s: the application has not accepted the HTTP response"));
}
