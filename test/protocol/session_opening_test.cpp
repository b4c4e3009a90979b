// The opening handshake of lib/protocol/session.cpp.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/error.hpp>

#include "support/catch.hpp"
#include "support/session_peer.hpp"

using namespace hawser::protocol;
using hawser::Configuration;
using hawser::Errc;
using hawser::Headers;
using hawser::Response;
using support::request_head;
using support::SessionPeer;
using Step = Session::Step;
using Told = std::vector<std::string>;
namespace first = support::first;

namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// The answer to a peer's own request, as a server has to give it.
std::string good_answer(const SessionPeer& client) { return format_response(accept_response(client.request)); }

/// Feeds a request that is to be refused, and checks all that has to follow; returns what was sent.
std::string refuse(std::string_view request, int status, const Configuration& settings = {}) {
    CAPTURE(request.substr(0, 200), status);
    SessionPeer server(Role::server, settings);
    server.feed(request);
    CHECK(server.told() == Told{"error handshake_failed"});
    CHECK(contains(server.error_texts.back(), std::to_string(status)));
    const std::string answer = server.output.take();
    CHECK(answer.starts_with("HTTP/1.1 " + std::to_string(status) + " "));
    CHECK(contains(answer, "\r\nConnection: close\r\n"));
    CHECK(contains(answer, "\r\nContent-Length: "));

    // FIN when all of it has been sent; then the peer's bytes are awaited, so that no reset destroys the answer.
    CHECK(server.session.step(false) == Step::none);
    CHECK(server.flush() == Step::shutdown_write);
    CHECK(server.session.step(true) == Step::none);
    CHECK(server.session.wants_input());
    server.feed(request_head + server.frame(first::text, "late"));
    CHECK(server.tail().empty());
    CHECK(server.told().empty());
    CHECK(server.output.take().empty());
    server.session.receive_end();
    CHECK(server.session.is_over());
    CHECK(server.told().empty());
    CHECK_FALSE(server.session.was_open());
    return answer;
}

std::string with_line(std::string_view line) { return request_head.substr(0, request_head.size() - 2).append(line) + "\r\n\r\n"; }
std::string replaced(std::string_view from, std::string_view to) {
    std::string request = request_head;
    return request.replace(request.find(from), from.size(), to);
}

}  // namespace

TEST_CASE("session: a server answers a request with the example of RFC 6455") {
    SessionPeer server(Role::server);
    server.feed(request_head);
    CHECK(server.told() == Told{"request /chat", "open"});
    CHECK(server.output.take() ==
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    CHECK(server.session.is_open());
    CHECK(server.session.was_open());
    CHECK(server.session.is_readable());
    CHECK(server.session.is_writable());
}

TEST_CASE("session: a server opens over every split, and loses nothing of what follows the request") {
    const std::string stream = request_head + support::raw_frame(first::text, "a", true) + support::raw_frame(first::ping, "b", true);
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        CAPTURE(cut);
        SessionPeer server(Role::server);
        server.feed(stream.substr(0, cut));
        server.feed(stream.substr(cut));
        REQUIRE(server.told() == Told{"request /chat", "open", "text a", "ping b"});
    }
    SessionPeer server(Role::server);
    for (const char& byte : stream) server.feed({&byte, 1});
    CHECK(server.told() == Told{"request /chat", "open", "text a", "ping b"});
}

TEST_CASE("session: a client opens over every split, and loses nothing of what follows the response") {
    SessionPeer model(Role::client);
    model.start();
    const std::string stream =
        good_answer(model) + support::raw_frame(first::text, "a", false) + support::raw_frame(first::ping, "b", false);
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        CAPTURE(cut);
        SessionPeer client(Role::client);
        client.start();
        client.feed(stream.substr(0, cut));
        client.feed(stream.substr(cut));
        REQUIRE(client.told() == Told{"response 101", "open", "text a", "ping b"});
    }
    SessionPeer client(Role::client);
    client.start();
    for (const char& byte : stream) client.feed({&byte, 1});
    CHECK(client.told() == Told{"response 101", "open", "text a", "ping b"});
}

TEST_CASE("session: what a client sends is its request, which a server takes") {
    SessionPeer client(Role::client);
    client.start();
    const std::string request = client.output.take();
    CHECK(request == format_request(client.request));
    SessionPeer server(Role::server);
    server.feed(request);
    CHECK(server.told() == Told{"request /chat", "open"});
    client.feed(server.output.take());
    CHECK(client.told() == Told{"response 101", "open"});
}

TEST_CASE("session: while a handshake is being decided on, nothing is taken, and nothing lost") {
    SessionPeer server(Role::server);
    server.agrees = false;
    server.feed(request_head + server.frame(first::text, "early"));
    CHECK(server.told() == Told{"request /chat"});
    CHECK_FALSE(server.session.wants_input());
    CHECK_FALSE(server.tail().empty());
    server.session.respond(accept_response(server.request), server.now);
    CHECK(server.session.wants_input());
    server.resume();
    CHECK(server.told() == Told{"open", "text early"});

    SessionPeer client(Role::client);
    client.agrees = false;
    client.start();
    client.feed(good_answer(client) + client.frame(first::text, "early"));
    CHECK(client.told() == Told{"response 101"});
    CHECK_FALSE(client.session.wants_input());
    client.session.accept(client.response, client.now);
    client.resume();
    CHECK(client.told() == Told{"open", "text early"});
}

TEST_CASE("session: an answer counts once, and not before it is asked for") {
    SessionPeer server(Role::server);
    server.session.respond(Response{}, server.now);
    CHECK(server.output.take().empty());
    server.open();
    server.session.respond(Response{}, server.now);
    CHECK(server.output.take().empty());
    SessionPeer client(Role::client);
    client.open();
    client.session.accept(Response{}, client.now);
    CHECK(client.session.is_open());
    client.session.abandon(Errc::handshake_failed, "too late");
    CHECK(client.told().empty());
}

TEST_CASE("session: each handshake that cannot be is refused with its status, FIN and patience") {
    refuse("GET / HTTP/1.1\r\n\r\n", 400);
    refuse(with_line("Host: another"), 400);
    refuse(replaced("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ"), 400);
    refuse(replaced("Connection: Upgrade", "Connection: close"), 400);
    refuse(with_line("Content-Length: 3"), 400);
    refuse(with_line("Transfer-Encoding: chunked"), 400);
    refuse(with_line("Bad Name: x"), 400);
    refuse(replaced("GET", "POST"), 405);
    refuse("POST / HTTP/1.1\r\nHost: a\r\n\r\n", 405);
    refuse(replaced("HTTP/1.1", "HTTP/1.0"), 400);
    refuse(replaced("HTTP/1.1", "HTTP/2.0"), 505);
    refuse(replaced("Host: server.example.com", "Host: server.example.com:80x"), 400);
    refuse(replaced("/chat", "http://[::1/"), 400);
    refuse("\x16\x03\x01", 400);
    refuse("\r\n\r\n", 400);
    CHECK(contains(refuse(replaced("Version: 13", "Version: 8"), 426), "\r\nSec-WebSocket-Version: 13\r\n"));
    CHECK(contains(refuse(replaced("Upgrade: websocket", "Upgrade: websocket/13"), 400),
                   "\"websocket/13\", which does not name websocket\n"));
    CHECK(contains(refuse(with_line("X-Folded: a\r\n b"), 400), "folded lines are obsolete"));
}

TEST_CASE("session: a head over a bound is refused with 431") {
    Configuration settings;
    settings.max_head_size = request_head.size();
    SessionPeer fits(Role::server, settings);
    fits.feed(request_head);
    CHECK(fits.session.is_open());
    --settings.max_head_size;
    refuse(request_head, 431, settings);

    settings = {};
    settings.max_header_count = 5;
    SessionPeer few(Role::server, settings);
    few.feed(request_head);
    CHECK(few.session.is_open());
    --settings.max_header_count;
    refuse(request_head, 431, settings);
}

TEST_CASE("session: an application may refuse a WebSocket with any response") {
    SessionPeer server(Role::server);
    server.agrees = false;
    server.feed(request_head);
    server.session.respond({503, "", {{"Retry-After", "5"}, {"connection", "keep-alive"}}, "full\n"}, server.now);
    CHECK(server.output.take() ==
          "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 5\r\n\r\nfull\n");
    CHECK(server.told() == Told{"request /chat"});
    CHECK(server.flush() == Step::shutdown_write);
}

TEST_CASE("session: a page is answered once, and HEAD gets no body") {
    SessionPeer server(Role::server);
    server.feed("GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(server.told() == Told{"page /health"});
    server.session.respond({200, "", {}, "fine\n"}, server.now);
    CHECK(server.output.take() == "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nfine\n");
    CHECK(server.flush() == Step::shutdown_write);

    SessionPeer head(Role::server);
    head.feed("HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n");
    head.session.respond({200, "", {}, "fine\n"}, head.now);
    CHECK(head.output.take() == "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n");
}

TEST_CASE("session: HEAD gets no body either when its head cannot be understood") {
    for (const char* rest : {" /\n", " nowhere HTTP/1.1\r\n", " / HTTP/2.0\r\n", " / HTTP/1.1\r\n folded\r\n\r\n",
                             " / HTTP/1.1\r\nHost a\r\n\r\n", " / HTTP/1.1\r\n\r\n"}) {
        CAPTURE(rest);
        for (const std::string method : {"HEAD", "GET"}) {
            SessionPeer server(Role::server);
            server.feed(method + rest);
            const std::string answer = server.output.take();
            CHECK(contains(answer, "\r\nContent-Length: "));
            CHECK(answer.ends_with("\r\n\r\n") == (method == "HEAD"));
            CHECK(server.told() == Told{"error handshake_failed"});
        }
    }
}

TEST_CASE("session: a page is asked for by HTTP/1.0 too, without a Host, and by OPTIONS") {
    for (const char* request : {"GET /health HTTP/1.0\r\n\r\n", "OPTIONS /health HTTP/1.0\r\n\r\n",
                                "GET /health HTTP/1.2\r\nHost: a\r\n\r\n", "OPTIONS /health HTTP/1.1\r\nHost: a\r\n\r\n"}) {
        CAPTURE(request);
        SessionPeer server(Role::server);
        server.feed(request);
        CHECK(server.told() == Told{"page /health"});
        server.session.respond({200, "", {}, "fine\n"}, server.now);
        CHECK(server.output.take() == "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nfine\n");
        CHECK(server.flush() == Step::shutdown_write);
    }
    SessionPeer newer(Role::server);
    newer.feed(replaced("HTTP/1.1", "HTTP/1.2"));
    CHECK(newer.session.is_open());
}

TEST_CASE("session: what cannot be the answer is replaced by 500 and told, and no other may follow") {
    const Response bad =
        GENERATE(Response{403, "", {{"X", "a\r\nb"}}, ""}, Response{403, "", {{"X", "a "}}, ""}, Response{403, "", {{"X Y", "a"}}, ""},
                 Response{403, "No\n", {}, ""}, Response{99, "", {}, ""}, Response{1000, "", {}, ""}, Response{204, "", {}, "x"},
                 Response{101, "", {}, ""}, Response{100, "", {}, ""}, Response{199, "", {}, ""}, Response{205, "", {}, "x"},
                 Response{200, "", {{"Content-Length", "2"}}, "x"}, Response{200, "", {{"Transfer-Encoding", "chunked"}}, "x"},
                 Response{204, "", {{"Content-Length", "0"}}, ""}, Response{204, "", {{"Transfer-Encoding", "chunked"}}, ""});
    const bool is_page = GENERATE(false, true);
    CAPTURE(bad.status, is_page);
    SessionPeer server(Role::server);
    server.agrees = false;
    server.feed(is_page ? "GET /chat HTTP/1.1\r\nHost: a\r\n\r\n" : request_head);
    server.told();
    server.session.respond(bad, server.now);
    const std::string answer = server.output.take();
    CHECK(answer.starts_with("HTTP/1.1 500 Internal Server Error\r\n"));
    CHECK(answer.ends_with("\r\n\r\nthe server failed to answer\n"));
    CHECK(server.told() == Told{"error handshake_failed"});
    CHECK(contains(server.error_texts.back(), "answered with 500: "));
    CHECK_FALSE(server.session.was_open());
    server.session.respond({200, "", {}, "x"}, server.now);
    CHECK(server.output.take().empty());
    CHECK(server.flush() == Step::shutdown_write);
}

TEST_CASE("session: a 101 opens nothing without the proof, nor for a request that asks for a page") {
    SessionPeer page(Role::server);
    page.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    page.session.respond(accept_response(page.request), page.now);
    CHECK(page.output.take().starts_with("HTTP/1.1 500 "));
    CHECK(contains(page.error_texts.back(), "101 cannot be the answer to this request"));
}

TEST_CASE("session: a 101 that a hook has spoilt is replaced by 500") {
    const auto spoilt = [](const std::function<void(Headers&)>& spoil) {
        SessionPeer server(Role::server);
        server.agrees = false;
        server.feed(request_head);
        Response answer = accept_response(server.request);
        spoil(answer.headers);
        server.session.respond(answer, server.now);
        return server.output.take().starts_with("HTTP/1.1 500 ") && server.told() == Told{"request /chat", "error handshake_failed"};
    };
    CHECK_FALSE(spoilt([](Headers& fields) { fields.add("X", "y"); }));
    CHECK(spoilt([](Headers& fields) { fields.add("Content-Length", "0"); }));
    CHECK(spoilt([](Headers& fields) { fields.add("Transfer-Encoding", "chunked"); }));
    CHECK(spoilt([](Headers& fields) { fields.add("Sec-WebSocket-Accept", std::string(*fields.get("Sec-WebSocket-Accept"))); }));
    CHECK(spoilt([](Headers& fields) { fields.set("Sec-WebSocket-Accept", "c3BvaWx0IGJ5IGEgaG9vaw=="); }));
    for (const char* name : {"Sec-WebSocket-Accept", "Upgrade", "Connection"}) {
        CHECK(spoilt([&](Headers& fields) { fields.remove(name); }));
        CHECK(spoilt([&](Headers& fields) { fields.set(name, "close"); }));
    }
}

TEST_CASE("session: a request that cannot be sent fails the handshake") {
    SessionPeer client(Role::client);
    client.request = make_request(hawser::Uri("ws://server.example.com/chat"), {}, client.entropy);
    client.request.headers.add("X-Name", "a\r\nb");
    client.session.start(client.request);
    CHECK(client.told() == Told{"error handshake_failed"});
    CHECK(contains(client.error_texts.back(), "the header field X-Name cannot be sent"));
    CHECK(client.output.take().empty());
    CHECK(client.session.is_over());
}

TEST_CASE("session: a refused answer still leaves when the peer ends first") {
    SessionPeer server(Role::server);
    server.feed("POST / HTTP/1.1\r\nHost: a\r\n\r\n");
    server.session.receive_end();
    CHECK(server.session.step(false) == Step::none);
    CHECK(server.flush() == Step::disconnect);
    CHECK(server.told() == Told{"error handshake_failed"});
}

TEST_CASE("session: a client refuses a response that is not the one it asked for") {
    const auto refused = [](const std::function<void(Response&)>& change) {
        SessionPeer client(Role::client);
        client.start();
        Response response = accept_response(client.request);
        change(response);
        client.feed(format_response(response) + client.frame(first::text, "not delivered"));
        CHECK(client.told() == Told{"response 101", "error handshake_failed"});
        CHECK(client.session.is_over());
        CHECK_FALSE(client.session.was_open());
        CHECK(client.error_response.status == 101);
        return client.error_texts.back();
    };
    CHECK(contains(refused([](Response& response) { response.headers.remove("Sec-WebSocket-Accept"); }), "Sec-WebSocket-Accept"));
    CHECK(contains(refused([](Response& response) { response.headers.add("Sec-WebSocket-Extensions", "foo"); }), "foo"));
    CHECK(contains(refused([](Response& response) { response.headers.add("Sec-WebSocket-Protocol", "foo"); }), "foo"));

    CHECK(contains(refused([](Response& response) { response.headers.set("Upgrade", "websocket/13"); }), "\"websocket/13\""));

    const std::string folded = "HTTP/1.1 101 Switching Protocols\r\nX-Folded: a\r\n b";
    for (const std::string& broken : {std::string("SSH-2.0-OpenSSH_9.2\r\n"), folded}) {
        SessionPeer client(Role::client);
        client.start();
        client.feed(broken);
        CHECK(client.told() == Told{"error handshake_failed"});
        CHECK(contains(client.error_texts.back(),
                       broken == folded ? "folded lines are obsolete" : R"(it begins with "SSH-2.0-OpenSSH_9.2")"));
        CHECK(client.session.is_over());
    }
}

TEST_CASE("session: what a client is answered that is no HTTP is told, however it comes and ends") {
    const std::string banner = "220 ready";
    const auto told = [&](std::size_t cut, const std::function<void(SessionPeer&)>& end) {
        SessionPeer client(Role::client);
        client.start();
        client.feed(banner.substr(0, cut));
        client.feed(banner.substr(cut));
        CHECK(client.told().empty());
        end(client);
        CHECK(client.told() == Told{"error handshake_failed"});
        CHECK(client.session.is_over());
        return client.error_texts.back();
    };
    const std::string expected =
        "the opening handshake failed: the response is not HTTP/1.1: it begins with \"220 ready\", so another service answers there: are "
        "host and port right?";
    for (std::size_t cut = 0; cut <= banner.size(); ++cut) {
        CAPTURE(cut);
        CHECK(told(cut, [](SessionPeer& client) { client.feed("\r\nmore"); }) == expected);
        CHECK(told(cut, [](SessionPeer& client) { client.session.receive_end(); }) == expected);
        CHECK(told(cut, [](SessionPeer& client) { client.session.transport_failed("connection reset"); }) == expected);
        CHECK(told(cut, [](SessionPeer& client) { client.session.tick(client.session.next_deadline()); }) == expected);
    }
}

TEST_CASE("session: a client skips interim responses, however they are split, and no more than 8") {
    SessionPeer model(Role::client);
    model.start();
    const std::string interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n";
    const std::string stream = "HTTP/1.1 100 Continue\r\n\r\n" + interim + good_answer(model) + support::raw_frame(first::text, "a", false);
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        CAPTURE(cut);
        SessionPeer client(Role::client);
        client.start();
        client.feed(stream.substr(0, cut));
        client.feed(stream.substr(cut));
        REQUIRE(client.told() == Told{"response 101", "open", "text a"});
    }
    for (const std::size_t count : {7u, 8u, 9u}) {
        CAPTURE(count);
        SessionPeer client(Role::client);
        client.start();
        for (std::size_t i = 0; i < count; ++i) client.feed(interim);
        client.feed(good_answer(model));
        CHECK(client.told() == (count <= 8 ? Told{"response 101", "open"} : Told{"error handshake_failed"}));
    }
}

TEST_CASE("session: an end during the opening handshake is an error, but for a server to which nothing was said") {
    SessionPeer probed(Role::server);
    probed.session.receive_end();
    CHECK(probed.told().empty());
    CHECK(probed.session.is_over());

    SessionPeer server(Role::server);
    server.feed("G");
    server.session.receive_end();
    CHECK(server.told() == Told{"error connection_closed"});
    CHECK(server.session.is_over());

    SessionPeer client(Role::client);
    client.start();
    client.session.receive_end();
    CHECK(client.told() == Told{"error connection_closed"});
    CHECK(client.session.is_over());
}

TEST_CASE("session: bytes that come when it is over already are taken and ignored") {
    for (const Role role : {Role::server, Role::client}) {
        SessionPeer peer(role);
        peer.session.set_over();
        const support::ExactBytes bytes("garbage\r\n");
        CHECK(peer.session.receive(bytes.span(), peer.now) == bytes.span().size());
        CHECK(peer.told().empty());
        CHECK(peer.output.take().empty());
    }
}

TEST_CASE("session: an opening handshake can be abandoned, once") {
    SessionPeer client(Role::client);
    client.start();
    client.session.abandon(Errc::handshake_failed, "not wanted");
    client.session.abandon(Errc::handshake_failed, "not wanted");
    CHECK(client.told() == Told{"error handshake_failed"});
    CHECK(client.session.is_over());
    client.output.take();
    client.start();
    CHECK(client.output.take().empty());
}

TEST_CASE("session: a socket that fails during the opening handshake is an error, behind a refusal it is not") {
    SessionPeer client(Role::client);
    client.start();
    client.session.transport_failed("connection reset");
    client.session.transport_failed("connection reset");
    CHECK(client.told() == Told{"error connection_failure"});
    SessionPeer server(Role::server);
    server.feed("POST / HTTP/1.1\r\nHost: a\r\n\r\n");
    server.told();
    server.session.transport_failed("connection reset");
    CHECK(server.told().empty());
    CHECK(server.session.is_over());
}
