// Calls of lib/protocol/session.cpp from inside its events: any is legal in any.

#include <functional>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/session_peer.hpp"

using namespace hawser::protocol;
using hawser::CloseCode;
using hawser::Errc;
using hawser::Opcode;
using hawser::Response;
using hawser::Seconds;
using hawser::SendStatus;
using support::OpenPeer;
using support::request_head;
using support::SessionPeer;
using Step = Session::Step;
using Told = std::vector<std::string>;
namespace first = support::first;

namespace {

Role any_role() { return GENERATE(Role::server, Role::client); }

struct Call {
    const char* name;
    std::function<void(SessionPeer&)> make;
};

const std::vector<Call> all_calls = {
    {"send", [](SessionPeer& peer) { peer.send(Opcode::text, "reply"); }},
    {"close", [](SessionPeer& peer) { peer.close(CloseCode::going_away); }},
    {"close_read", [](SessionPeer& peer) { peer.session.close_read(); }},
    {"close_write", [](SessionPeer& peer) { peer.session.close_write(); }},
    {"set_over", [](SessionPeer& peer) { peer.session.set_over(); }},
    {"set_reading", [](SessionPeer& peer) { peer.session.set_reading(false, peer.now); }},
    {"transport_failed", [](SessionPeer& peer) { peer.session.transport_failed("reset"); }},
    {"abandon", [](SessionPeer& peer) { peer.session.abandon(Errc::handshake_failed, "abandoned"); }},
    {"respond", [](SessionPeer& peer) { peer.session.respond(Response{403}, peer.now); }},
    {"tick", [](SessionPeer& peer) { peer.wait(Seconds(100)); }},
    {"configure", [](SessionPeer& peer) { peer.session.configure(peer.configuration); }},
};

/// A whole life of a session, in which `call` is made inside the event `at`, each time it comes.
class Run {
public:
    Run(SessionPeer& peer, const std::string& stream, const std::string& at, const Call& call) {
        peer.reaction = [&](const std::string& event) {
            told_after_over = told_after_over || was_over_;
            if (inside_ || !event.starts_with(at)) return;
            inside_ = true;
            call.make(peer);
            inside_ = false;
            was_over_ = peer.session.is_over();
        };
        peer.feed(stream);
        // Each text may have stopped reading.
        for (int i = 0; i < 3; ++i) {
            peer.session.set_reading(true, peer.now);
            peer.resume();
        }
        peer.session.receive_end();
        peer.wait(Seconds(1000));
        peer.reaction = nullptr;
    }
    bool told_after_over = false;

private:
    bool inside_ = false;
    bool was_over_ = false;
};

std::size_t count_of(const Told& messages, const std::string& kind) {
    return static_cast<std::size_t>(
        std::count_if(messages.begin(), messages.end(), [&](const std::string& m) { return m.starts_with(kind); }));
}

std::string busy_stream(const SessionPeer& peer) {
    return peer.frame(first::text, "a") + peer.frame(first::ping, "b") + peer.frame(first::text_begins, "c") +
           peer.frame(first::ends, "d") + peer.frame(first::close, support::close_payload(1000)) + peer.frame(first::text, "late");
}

}  // namespace

TEST_CASE("session: each call is legal inside each event of an open session") {
    const Role role = any_role();
    for (const char* at : {"text", "ping", "close", "error"}) {
        for (const Call& call : all_calls) {
            for (const bool broken : {false, true}) {
                CAPTURE(support::role_name(role), at, call.name, broken);
                OpenPeer peer(role);
                const Run run(peer, broken ? peer.frame(first::text, "a") + peer.frame(first::ends) : busy_stream(peer), at, call);
                CHECK_FALSE(run.told_after_over);
                const Told sent = peer.sent();
                CHECK(count_of(sent, "close") <= 1);
                if (!sent.empty() && count_of(sent, "close") == 1) CHECK(sent.back().starts_with("close"));
                CHECK((sent.empty() || sent.back() != "incomplete"));
                CHECK(count_of(peer.events, "text late") == 0);
                CHECK(count_of(peer.events, "close") <= 1);
                CHECK(peer.tail().empty());
            }
        }
    }
}

TEST_CASE("session: each call is legal inside each event of the opening handshake") {
    for (const char* at : {"request", "open", "error", "page", "response"}) {
        for (const Call& call : all_calls) {
            CAPTURE(at, call.name);
            SessionPeer server(Role::server);
            const Run opening(server, request_head + server.frame(first::text, "a"), at, call);
            CHECK_FALSE(opening.told_after_over);
            SessionPeer refusing(Role::server);
            CHECK_FALSE(Run(refusing, "POST / HTTP/1.1\r\nHost: a\r\n\r\nmore", at, call).told_after_over);
            SessionPeer serving(Role::server);
            CHECK_FALSE(Run(serving, "GET / HTTP/1.1\r\nHost: a\r\n\r\nmore", at, call).told_after_over);

            SessionPeer client(Role::client);
            client.start();
            const std::string answer = format_response(accept_response(client.request));
            CHECK_FALSE(Run(client, answer + client.frame(first::text, "a"), at, call).told_after_over);
            SessionPeer refused(Role::client);
            refused.start();
            CHECK_FALSE(Run(refused, "HTTP/1.1 403 Forbidden\r\nContent-Length: 1\r\n\r\nx", at, call).told_after_over);
        }
    }
}

TEST_CASE("session: an answer from inside on_message leaves before what follows is read") {
    OpenPeer peer(any_role());
    peer.reaction = [&](const std::string& event) { peer.send(Opcode::text, "re: " + event); };
    peer.feed(peer.frame(first::text, "a") + peer.frame(first::text, "b"));
    CHECK(peer.sent() == Told{"text re: text a", "text re: text b"});
}

TEST_CASE("session: a Close from inside on_message lets messages in until the peer's comes") {
    OpenPeer peer(any_role());
    peer.reaction = [&](const std::string& event) {
        if (event == "text a") peer.close();
    };
    peer.feed(busy_stream(peer));
    CHECK(peer.told() == Told{"text a", "ping b", "text cd", "close 1000"});
    CHECK(peer.sent() == Told{"close 1000"});
    CHECK(peer.session.ending().clean);
}

TEST_CASE("session: close_read from inside on_message is the last of the messages") {
    OpenPeer peer(any_role());
    peer.reaction = [&](const std::string&) { peer.session.close_read(); };
    peer.feed(busy_stream(peer));
    CHECK(peer.told() == Told{"text a"});
    CHECK(peer.tail().empty());
    CHECK(peer.send(Opcode::text) == SendStatus::ok);
}

TEST_CASE("session: set_over from inside on_message is the last of everything") {
    OpenPeer peer(any_role());
    peer.reaction = [&](const std::string&) { peer.session.set_over(); };
    peer.feed(busy_stream(peer));
    CHECK(peer.told() == Told{"text a"});
    CHECK(peer.session.step(false) == Step::disconnect);
    CHECK(peer.send(Opcode::text) == SendStatus::closed);
    CHECK_FALSE(peer.session.is_readable());
    CHECK_FALSE(peer.session.is_writable());
}

TEST_CASE("session: the peer's Close may be answered from inside on_message") {
    const Role role = any_role();
    OpenPeer peer(role);
    peer.reaction = [&](const std::string& event) {
        if (event == "close 1001 bye") peer.close(CloseCode::going_away);
    };
    peer.feed_close(1001, "bye");
    CHECK(peer.sent() == Told{"close 1001"});
    CHECK(peer.session.ending().clean);
    CHECK(peer.session.step(true) == (role == Role::server ? Step::disconnect : Step::none));
}

TEST_CASE("session: messages may be sent and the session ended from inside on_open") {
    SessionPeer server(Role::server);
    server.reaction = [&](const std::string& event) {
        if (event == "open") server.send(Opcode::text, "welcome");
    };
    server.feed(request_head);
    const std::string sent = server.output.take();
    CHECK(sent.ends_with(support::raw_frame(first::text, "welcome", false)));

    SessionPeer ended(Role::server);
    ended.reaction = [&](const std::string& event) {
        if (event == "open") ended.session.set_over();
    };
    ended.feed(request_head + ended.frame(first::text, "a"));
    CHECK(ended.told() == Told{"request /chat", "open"});
}

TEST_CASE("session: an error inside send is told before send returns, and may end the session") {
    OpenPeer peer(any_role());
    peer.reaction = [&](const std::string&) { peer.session.set_over(); };
    CHECK(peer.send(Opcode::text, "\xFF") == SendStatus::refused);
    CHECK(peer.told() == Told{"error message_encoding"});
    CHECK(peer.send(Opcode::text, "a") == SendStatus::closed);
}

TEST_CASE("session: after a failure nothing can be sent from inside on_error") {
    OpenPeer peer(any_role());
    std::vector<SendStatus> results;
    peer.reaction = [&](const std::string&) {
        results.push_back(peer.send(Opcode::text, "a"));
        results.push_back(peer.close());
    };
    peer.feed_frame(first::ends);
    CHECK(results == std::vector<SendStatus>{SendStatus::closed, SendStatus::closed});
    CHECK(peer.sent().size() == 1);
}
