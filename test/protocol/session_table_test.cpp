// Walks the table in session.hpp's comment: every state, every event, both roles.

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/session_peer.hpp"

using namespace hawser::protocol;
using hawser::Configuration;
using hawser::Opcode;
using hawser::Seconds;
using hawser::SendStatus;
using support::SessionPeer;
namespace first = support::first;

namespace {

using Action = std::function<void(SessionPeer&)>;

const auto receive_close = [](SessionPeer& peer) { peer.feed(peer.frame(first::close, support::close_payload(1000))); };
const auto receive_bad_frame = [](SessionPeer& peer) { peer.feed(peer.frame(first::continues, "a")); };

std::string shown(SendStatus status) { return status == SendStatus::ok ? "sent" : status == SendStatus::closed ? "closed" : "?"; }

/// What happens to a session; returns what the call does.
struct Event {
    const char* name;
    std::function<std::string(SessionPeer&)> happen;
};

template <typename Do>
Event event(const char* name, Do action) {
    return {name, [action](SessionPeer& peer) {
                action(peer);
                return std::string();
            }};
}

const std::array<Event, 10> all_events = {
    event("message", [](SessionPeer& peer) { peer.feed(peer.frame(first::text, "a")); }),
    event("Close", receive_close),
    event("bad frame", receive_bad_frame),
    event("end", [](SessionPeer& peer) { peer.session.receive_end(); }),
    event("time is up", [](SessionPeer& peer) { peer.wait(Seconds(5)); }),
    Event{"send()", [](SessionPeer& peer) { return shown(peer.send(Opcode::text, "a")); }},
    Event{"close()", [](SessionPeer& peer) { return shown(peer.close()); }},
    event("close_read()", [](SessionPeer& peer) { peer.session.close_read(); }),
    event("close_write()", [](SessionPeer& peer) { peer.session.close_write(); }),
    event("all has been sent", [](SessionPeer& peer) { peer.flush(); }),
};

/// "o/g": the read half is open, the write half closing. What is due once all has been sent stands behind it.
std::string state_of(const SessionPeer& peer) {
    const Session& session = peer.session;
    if (session.is_over()) return "over";
    const std::string halves = "ogd";
    std::string state = {halves[static_cast<std::size_t>(session.read_half())], '/',
                         halves[static_cast<std::size_t>(session.write_half())]};
    switch (session.step(true)) {
        case Session::Step::none: return state;
        case Session::Step::shutdown_write: return state + " FIN";
        case Session::Step::disconnect: return state + " end";
    }
    return state;
}

/// What an event brings about: what is told, what the call returns, what is sent, and the state behind it.
std::string outcome_of(SessionPeer& peer, const Event& event) {
    const bool was_open = peer.session.is_open();
    peer.told();
    peer.output.take();
    const std::string returned = event.happen(peer);
    std::string outcome;
    for (const std::string& told : peer.told()) outcome += told + ", ";
    if (!returned.empty()) outcome += returned + ", ";
    if (was_open) {
        for (const std::string& sent : peer.sent()) outcome += "[" + sent.substr(0, sent.find(' ', 6)) + "] ";
    } else {
        outcome += peer.output.take().substr(0, 12);
    }
    CHECK(peer.session.step(false) == (peer.session.is_over() ? Session::Step::disconnect : Session::Step::none));
    return outcome + state_of(peer);
}

/// A state, and what each event does there, for a server; where a client differs, behind " | ".
struct Row {
    const char* name;
    Action enter;
    std::array<std::string_view, all_events.size()> cells;
    bool allow_half_open = false;
};

void walk(const Row& row) {
    for (std::size_t i = 0; i < all_events.size(); ++i) {
        for (const Role role : {Role::server, Role::client}) {
            Configuration settings;
            settings.handshake_timeout = settings.close_timeout = Seconds(5);
            settings.allow_half_open = row.allow_half_open;
            SessionPeer peer(role, settings);
            row.enter(peer);
            const std::string_view cell = row.cells[i];
            const std::size_t bar = cell.find(" | ");
            const std::string_view expected = bar == cell.npos ? cell : role == Role::server ? cell.substr(0, bar) : cell.substr(bar + 3);
            CAPTURE(support::role_name(role), row.name, state_of(peer), all_events[i].name);
            CHECK(outcome_of(peer, all_events[i]) == expected);
        }
    }
}

void walk(const std::vector<Row>& rows) {
    for (const Row& row : rows) walk(row);
}

const Action open = [](SessionPeer& peer) { peer.open(); };

Action opened(Action then) {
    return [then](SessionPeer& peer) {
        peer.open();
        then(peer);
    };
}

}  // namespace

TEST_CASE("session table: opening") {
    walk({"opening",
          [](SessionPeer&) {},
          {"error handshake_failed, HTTP/1.1 400g/g FIN | error handshake_failed, over",
           "error handshake_failed, HTTP/1.1 400g/g FIN | error handshake_failed, over",
           "error handshake_failed, HTTP/1.1 400g/g FIN | error handshake_failed, over", "over | error connection_closed, over",
           "error connection_failure, over", "closed, o/o", "closed, o/o", "over", "over", "o/o"}});
}

TEST_CASE("session table: both halves open") {
    walk({"open / open",
          open,
          {"text a, o/o", "close 1000, g/o", "error protocol_error, [close 1002] g/g FIN", "d/g end", "o/o", "sent, [text a] o/o",
           "sent, [close 1000] o/g", "d/o", "o/g FIN", "o/o"}});
}

TEST_CASE("session table: the write half closing") {
    walk({{"open / closing: close()",
           opened([](SessionPeer& peer) { peer.close(); }),
           {"text a, o/g", "close 1000, g/g end | close 1000, g/g", "error protocol_error, g/g FIN", "d/g end",
            "error connection_failure, over", "closed, o/g", "closed, o/g", "d/g end", "o/g FIN", "o/g"}},
          {"open / closing: close_write()",
           opened([](SessionPeer& peer) { peer.session.close_write(); }),
           {"text a, o/g FIN", "close 1000, g/g FIN", "error protocol_error, g/g FIN", "d/g end", "o/g FIN", "closed, o/g FIN",
            "closed, o/g FIN", "d/g end", "o/g FIN", "o/d"}}});
}

TEST_CASE("session table: the write half closed") {
    walk({{"open / closed",
           opened([](SessionPeer& peer) {
               peer.session.close_write();
               peer.flush();
           }),
           {"text a, o/d", "close 1000, over", "error protocol_error, over", "over", "o/d", "closed, o/d", "closed, o/d", "over", "o/d",
            "o/d"}},
          {"open / closed, behind a Close",
           opened([](SessionPeer& peer) {
               peer.close();
               peer.session.close_write();
               peer.flush();
           }),
           {"text a, o/d", "close 1000, over", "error protocol_error, over", "over", "over", "closed, o/d", "closed, o/d", "over", "o/d",
            "o/d"}}});
}

TEST_CASE("session table: a Close came") {
    walk({{"closing / open",
           opened(receive_close),
           {"g/o", "g/o", "g/o", "d/g end", "error connection_failure, over", "sent, [text a] g/o",
            "sent, [close 1000] g/g end | sent, [close 1000] g/g", "g/o", "g/g FIN", "g/o"}},
          {"closing / open, allow_half_open",
           opened(receive_close),
           {"g/o", "g/o", "g/o", "d/g end", "error connection_failure, over", "sent, [text a] g/o",
            "sent, [close 1000] g/g end | sent, [close 1000] g/g", "g/o", "g/g FIN", "g/o"},
           true},
          {"closing / closing: answered",
           opened([](SessionPeer& peer) {
               receive_close(peer);
               peer.close();
           }),
           {"g/g end | g/g", "g/g end | g/g", "g/g end | g/g", "d/g end", "over", "closed, g/g end | closed, g/g",
            "closed, g/g end | closed, g/g", "g/g end | g/g", "g/g end | g/g FIN", "over | g/g"}},
          {"closing / closing: is the answer",
           opened([](SessionPeer& peer) {
               peer.close();
               receive_close(peer);
           }),
           {"g/g end | g/g", "g/g end | g/g", "g/g end | g/g", "d/g end", "over", "closed, g/g end | closed, g/g",
            "closed, g/g end | closed, g/g", "g/g end | g/g", "g/g end | g/g FIN", "over | g/g"}}});
}

TEST_CASE("session table: both halves closing, a FIN due") {
    const std::array<std::string_view, all_events.size()> cells = {"g/g FIN",         "g/g FIN",         "g/g FIN", "d/g end", "over",
                                                                   "closed, g/g FIN", "closed, g/g FIN", "g/g FIN", "g/g FIN", "g/d"};
    walk({{"failed", opened(receive_bad_frame), cells},
          {"failed behind a Close", opened([](SessionPeer& peer) {
               peer.close();
               receive_bad_frame(peer);
           }),
           cells},
          {"close_write(), then a Close", opened([](SessionPeer& peer) {
               peer.session.close_write();
               receive_close(peer);
           }),
           cells},
          {"a Close, then close_write()", opened([](SessionPeer& peer) {
               receive_close(peer);
               peer.session.close_write();
           }),
           cells}});
}

TEST_CASE("session table: the read half closing, the write half closed") {
    const std::array<std::string_view, all_events.size()> cells = {"g/d",         "g/d",         "g/d",  "over", "over",
                                                                   "closed, g/d", "closed, g/d", "over", "g/d",  "g/d"};
    walk({{"failed", opened([](SessionPeer& peer) {
               receive_bad_frame(peer);
               peer.flush();
           }),
           cells},
          {"a Close, then close_write()", opened([](SessionPeer& peer) {
               receive_close(peer);
               peer.session.close_write();
               peer.flush();
           }),
           cells}});
}

TEST_CASE("session table: the read half closed") {
    walk({{"closed / open: close_read()",
           opened([](SessionPeer& peer) { peer.session.close_read(); }),
           {"d/o", "d/o", "d/o", "d/g end", "d/o", "sent, [text a] d/o", "sent, [close 1000] d/g end", "d/o", "d/g end", "d/o"}},
          {"closed / open: end",
           opened([](SessionPeer& peer) { peer.session.receive_end(); }),
           {"d/o", "d/o", "d/o", "d/o", "d/o", "sent, [text a] d/o", "sent, [close 1000] d/g end", "d/o", "d/g end", "d/o"},
           true},
          {"closed / open: close_read(), allow_half_open",
           opened([](SessionPeer& peer) { peer.session.close_read(); }),
           {"d/o", "d/o", "d/o", "d/o", "d/o", "sent, [text a] d/o", "sent, [close 1000] d/g end", "d/o", "d/g end", "d/o"},
           true}});
}

TEST_CASE("session table: the read half closed, the write half closing") {
    walk({{"closed / closing: end",
           opened([](SessionPeer& peer) { peer.session.receive_end(); }),
           {"d/g end", "d/g end", "d/g end", "d/g end", "d/g end", "closed, d/g end", "closed, d/g end", "d/g end", "d/g end", "over"}},
          {"closed / closing: close_read(), close()",
           opened([](SessionPeer& peer) {
               peer.session.close_read();
               peer.close();
           }),
           {"d/g end", "d/g end", "d/g end", "d/g end", "error connection_failure, over", "closed, d/g end", "closed, d/g end", "d/g end",
            "d/g end", "over"}}});
}

TEST_CASE("session table: over") {
    walk({{"over",
           opened([](SessionPeer& peer) { peer.session.set_over(); }),
           {"over", "over", "over", "over", "over", "closed, over", "closed, over", "over", "over", "over"}},
          {"over before it was open",
           [](SessionPeer& peer) { peer.session.set_over(); },
           {"over", "over", "over", "over", "over", "closed, over", "closed, over", "over", "over", "over"}}});
}

TEST_CASE("session table: a refused handshake") {
    const std::array<std::string_view, all_events.size()> due = {"g/g FIN",         "g/g FIN",         "g/g FIN", "d/g end", "over",
                                                                 "closed, g/g FIN", "closed, g/g FIN", "g/g FIN", "g/g FIN", "g/d"};
    const std::array<std::string_view, all_events.size()> shut = {"g/d",         "g/d",         "g/d",  "over", "over",
                                                                  "closed, g/d", "closed, g/d", "over", "g/d",  "g/d"};
    for (std::size_t i = 0; i < all_events.size(); ++i) {
        CAPTURE(all_events[i].name);
        SessionPeer refused(Role::server);
        refused.feed("GET / HTTP/1.1\r\n\r\n");
        CHECK(outcome_of(refused, all_events[i]) == due[i]);
        SessionPeer flushed(Role::server);
        flushed.feed("GET / HTTP/1.1\r\n\r\n");
        CHECK(flushed.flush() == Session::Step::shutdown_write);
        CHECK(outcome_of(flushed, all_events[i]) == shut[i]);
    }
}
