// The deadlines of lib/protocol/session.cpp, each just before its time and at it.

#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/session_peer.hpp"

using namespace hawser::protocol;
using hawser::Configuration;
using hawser::later;
using hawser::Opcode;
using hawser::Seconds;
using hawser::TimePoint;
using support::OpenPeer;
using support::SessionPeer;
using Step = Session::Step;
using Told = std::vector<std::string>;
namespace first = support::first;

namespace {

constexpr Seconds a_moment(0.001);

Role any_role() { return GENERATE(Role::server, Role::client); }

Configuration settings(Seconds timeout, Seconds handshake_timeout, Seconds close_timeout) {
    Configuration settings;
    settings.timeout = timeout;
    settings.handshake_timeout = handshake_timeout;
    settings.close_timeout = close_timeout;
    return settings;
}

/// The default times, far enough from each other: silence after 60 s, handshake 10 s, close 5 s.
const Configuration usual = settings(Seconds(60), Seconds(10), Seconds(5));

/// The session's next deadline comes in `wait`: nothing is told before; what it tells then.
Told told_in(SessionPeer& peer, Seconds wait) {
    CHECK(peer.session.next_deadline() == later(peer.now, wait));
    const TimePoint at = later(peer.now, wait);
    if (wait > a_moment) {
        peer.now = later(at, -a_moment);
        peer.session.tick(peer.now);
        CHECK(peer.told().empty());
        CHECK_FALSE(peer.session.is_over());
    }
    peer.now = at;
    peer.session.tick(at);
    return peer.told();
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

TEST_CASE("session time: an opening handshake has handshake_timeout, or timeout if that is less") {
    const Role role = any_role();
    SessionPeer peer(role, usual);
    CHECK(told_in(peer, Seconds(10)) == Told{"error connection_failure"});
    CHECK(peer.session.is_over());
    CHECK(peer.session.next_deadline() == TimePoint::max());
    const std::string late = "the opening handshake was not complete within ";
    const std::string step = role == Role::server ? ": no whole HTTP request has come" : ": no whole HTTP response has come";
    CHECK(peer.error_texts.back() == late + "10 s" + step);
    SessionPeer impatient(role, settings(Seconds(3), Seconds(10), Seconds(5)));
    CHECK(told_in(impatient, Seconds(3)) == Told{"error connection_failure"});
    CHECK(impatient.error_texts.back() == late + "3 s" + step);
    SessionPeer unsecured(role, usual);
    unsecured.session.tick(later(unsecured.now, Seconds(10)), true);
    CHECK(unsecured.error_texts.back() == late + "10 s: TLS is not established");
}

TEST_CASE("session time: the http option timeout bounds a client's opening handshake too") {
    Configuration bounded = usual;
    const std::int64_t seconds = GENERATE(9, 10, 11);
    bounded.context.set_option("http", "timeout", seconds);
    SessionPeer client(Role::client, bounded);
    client.start();
    CHECK(told_in(client, std::min(Seconds(10), Seconds(static_cast<double>(seconds)))) == Told{"error connection_failure"});
    SessionPeer server(Role::server, bounded);
    CHECK(told_in(server, Seconds(10)) == Told{"error connection_failure"});
}

TEST_CASE("session time: bytes and decisions do not prolong the opening handshake") {
    SessionPeer server(Role::server, usual);
    server.agrees = false;
    server.wait(Seconds(4));
    server.feed(support::request_head.substr(0, 20));
    server.wait(Seconds(4));
    server.feed(support::request_head.substr(20));
    CHECK(server.told() == Told{"request /chat"});
    CHECK(told_in(server, Seconds(2)) == Told{"error connection_failure"});
    CHECK(contains(server.error_texts.back(), "within 10 s: the application has not answered the HTTP request"));
    server.session.respond(accept_response(server.request), server.now);
    CHECK(server.output.take().empty());
}

TEST_CASE("session time: an open session waits for nothing but a sign of life") {
    SessionPeer peer(any_role(), usual);
    peer.wait(Seconds(7));
    peer.open();
    CHECK(peer.session.next_deadline() == later(peer.now, Seconds(60)));
}

TEST_CASE("session time: silence is told once, and changes nothing") {
    OpenPeer peer(any_role(), usual);
    CHECK(told_in(peer, Seconds(60)) == Told{"error connection_timeout"});
    CHECK(contains(peer.error_texts.back(), "60 s"));
    CHECK(peer.session.next_deadline() == TimePoint::max());
    peer.wait(Seconds(1000));
    CHECK(peer.told().empty());
    CHECK(peer.session.is_readable());
    CHECK(peer.session.is_writable());
    CHECK_FALSE(peer.session.ending().error);
}

TEST_CASE("session time: a byte ends the silence, and what follows is told again") {
    OpenPeer peer(any_role(), usual);
    peer.wait(Seconds(59));
    const std::string frame = peer.frame(first::text, "a");
    peer.feed(frame.substr(0, 1));
    CHECK(told_in(peer, Seconds(60)) == Told{"error connection_timeout"});
    peer.feed(frame.substr(1));
    CHECK(peer.told() == Told{"text a"});
    CHECK(told_in(peer, Seconds(60)) == Told{"error connection_timeout"});
}

TEST_CASE("session time: what is sent does not end the peer's silence") {
    OpenPeer peer(any_role(), usual);
    peer.wait(Seconds(59));
    peer.send(Opcode::ping);
    CHECK(told_in(peer, Seconds(1)) == Told{"error connection_timeout"});
}

TEST_CASE("session time: nobody is silent to whom nobody listens") {
    const Role role = any_role();
    OpenPeer paused(role, usual);
    paused.session.set_reading(false, paused.now);
    CHECK(paused.session.next_deadline() == TimePoint::max());
    paused.wait(Seconds(100));
    CHECK(paused.told().empty());
    paused.session.set_reading(true, paused.now);
    paused.session.set_reading(true, later(paused.now, Seconds(30)));  // changes nothing
    CHECK(told_in(paused, Seconds(60)) == Told{"error connection_timeout"});

    OpenPeer deaf(role, usual);
    deaf.session.close_read();
    CHECK(deaf.session.next_deadline() == TimePoint::max());
    OpenPeer mute(role, usual);
    mute.session.close_write();
    mute.flush();
    CHECK(told_in(mute, Seconds(60)) == Told{"error connection_timeout"});
}

TEST_CASE("session time: a timeout of 0 does not wait") {
    const Role role = any_role();
    const Configuration none = settings(Seconds(0), Seconds(10), Seconds(0));
    SessionPeer opening(role, none);
    CHECK(told_in(opening, Seconds(0)) == Told{"error connection_failure"});

    OpenPeer peer(role, none);
    CHECK(told_in(peer, Seconds(0)) == Told{"error connection_timeout"});
    CHECK(peer.session.next_deadline() == TimePoint::max());
    peer.session.write_blocked(peer.now);
    CHECK(told_in(peer, Seconds(0)) == Told{"error connection_failure"});

    OpenPeer closing(role, none);
    closing.session.set_reading(false, closing.now);
    closing.close();
    CHECK(told_in(closing, Seconds(0)) == Told{"error connection_failure"});
}

TEST_CASE("session time: a Close that is not answered is an error after close_timeout") {
    OpenPeer peer(any_role(), usual);
    peer.wait(Seconds(1));
    peer.close();
    peer.wait(Seconds(2));
    peer.feed_frame(first::text, "still talking");
    peer.told();
    CHECK(told_in(peer, Seconds(3)) == Told{"error connection_failure"});
    CHECK(contains(peer.error_texts.back(), "no Close came in answer within 5 s"));
    CHECK(peer.session.is_over());
}

TEST_CASE("session time: the peer's Close is to be answered within close_timeout") {
    OpenPeer peer(any_role(), usual);
    peer.feed_close(1000);
    peer.told();
    CHECK(told_in(peer, Seconds(5)) == Told{"error connection_failure"});
    CHECK(contains(peer.error_texts.back(), "was not answered within 5 s"));
    CHECK(peer.session.is_over());
}

TEST_CASE("session time: behind both Closes a client waits for the server's end, without an error") {
    OpenPeer client(Role::client, usual);
    client.feed_close(1000);
    client.wait(Seconds(1));
    client.close();
    client.told();
    CHECK(client.session.step(true) == Step::none);
    CHECK(told_in(client, Seconds(4)).empty());
    CHECK(client.session.is_over());
    CHECK(client.session.ending().clean);
    CHECK_FALSE(client.session.ending().error);
}

TEST_CASE("session time: behind a failure and a refusal the peer has close_timeout to end, without another error") {
    const bool flushed = GENERATE(false, true);
    OpenPeer failed(any_role(), usual);
    failed.feed_frame(first::ends);
    failed.told();
    if (flushed) failed.flush();
    CHECK(told_in(failed, Seconds(5)).empty());
    CHECK(failed.session.is_over());

    SessionPeer refused(Role::server, usual);
    refused.wait(Seconds(1));
    refused.feed("GET / HTTP/1.1\r\n\r\n");
    refused.told();
    if (flushed) refused.flush();
    CHECK(told_in(refused, Seconds(5)).empty());
    CHECK(refused.session.is_over());
}

TEST_CASE("session time: a write half that was closed sets no time") {
    OpenPeer peer(any_role(), usual);
    peer.session.close_write();
    peer.flush();
    peer.session.set_reading(false, peer.now);
    CHECK(peer.session.next_deadline() == TimePoint::max());
}

TEST_CASE("session time: a write that makes no progress for timeout is an error") {
    OpenPeer peer(any_role(), usual);
    peer.session.set_reading(false, peer.now);
    peer.session.write_blocked(peer.now);
    peer.wait(Seconds(10));
    peer.session.write_blocked(peer.now);  // still blocked: since the first time
    CHECK(told_in(peer, Seconds(50)) == Told{"error connection_failure"});
    CHECK(contains(peer.error_texts.back(), "60 s"));
    CHECK(peer.session.is_over());
}

TEST_CASE("session time: a write that makes progress has its time anew, one that is done has none") {
    OpenPeer peer(any_role(), usual);
    peer.session.set_reading(false, peer.now);
    peer.session.write_blocked(peer.now);
    peer.wait(Seconds(59));
    peer.session.write_progress(peer.now);
    CHECK(peer.session.next_deadline() == TimePoint::max());
    peer.session.write_blocked(peer.now);
    CHECK(told_in(peer, Seconds(60)) == Told{"error connection_failure"});
}

TEST_CASE("session time: a write that is blocked ends a refusal too") {
    SessionPeer server(Role::server, settings(Seconds(3), Seconds(10), Seconds(5)));
    server.feed("GET / HTTP/1.1\r\n\r\n");
    server.told();
    server.session.write_blocked(server.now);
    CHECK(told_in(server, Seconds(3)) == Told{"error connection_failure"});
}

TEST_CASE("session time: while what was sent before a Close is leaving, the answer has its time anew") {
    OpenPeer peer(any_role(), usual);
    peer.session.write_blocked(peer.now);
    peer.close();
    for (int i = 0; i < 10; ++i) {
        peer.wait(Seconds(4));
        peer.session.write_progress(peer.now);
        peer.session.write_blocked(peer.now);
    }
    CHECK(peer.told().empty());
    CHECK_FALSE(peer.session.is_over());
    SECTION("until it stops") {
        CHECK(told_in(peer, Seconds(5)) == Told{"error connection_failure"});
        CHECK(contains(peer.error_texts.back(), "took no bytes for 5 s"));
    }
    SECTION("and then the peer has to answer") {
        peer.session.write_progress(peer.now);
        CHECK(told_in(peer, Seconds(5)) == Told{"error connection_failure"});
        CHECK(contains(peer.error_texts.back(), "no Close came in answer within 5 s"));
    }
}

TEST_CASE("session time: a peer that broke the protocol has no more than close_timeout, whatever it still takes") {
    OpenPeer peer(any_role(), usual);
    peer.session.write_blocked(peer.now);
    peer.feed(std::string("\xFF\xFF", 2));
    CHECK(peer.told().front() == "error protocol_error");
    peer.wait(Seconds(4));
    peer.session.write_progress(peer.now);
    CHECK_FALSE(peer.session.is_over());
    peer.wait(Seconds(1));
    CHECK(peer.session.is_over());
}

TEST_CASE("session time: the earliest of several deadlines counts") {
    OpenPeer peer(any_role(), usual);
    peer.wait(Seconds(57));
    peer.session.write_blocked(later(peer.now, Seconds(-58)));
    peer.close();
    CHECK(peer.session.next_deadline() == later(peer.now, Seconds(2)));
    peer.session.write_progress(peer.now);
    CHECK(peer.session.next_deadline() == later(peer.now, Seconds(3)));
    CHECK(told_in(peer, Seconds(3)) == Told{"error connection_timeout"});
    CHECK(told_in(peer, Seconds(2)) == Told{"error connection_failure"});
}

TEST_CASE("session time: another timeout counts at once") {
    OpenPeer peer(any_role(), usual);
    const Configuration shorter = settings(Seconds(7), Seconds(10), Seconds(2));
    peer.session.configure(shorter);
    CHECK(told_in(peer, Seconds(7)) == Told{"error connection_timeout"});
    peer.close();
    CHECK(told_in(peer, Seconds(2)) == Told{"error connection_failure"});
}

TEST_CASE("session time: nothing is told of a session that is over") {
    OpenPeer peer(any_role(), usual);
    peer.session.set_over();
    CHECK(peer.session.next_deadline() == TimePoint::max());
    peer.wait(Seconds(1000));
    CHECK(peer.told().empty());

    SessionPeer client(Role::client, usual);
    client.start();
    client.feed("HTTP/1.1 403 Forbidden\r\n\r\nwhy");
    client.session.set_over();
    client.wait(Seconds(1000));
    CHECK(client.told().empty());
}
