#include "protocol/session.hpp"
#include "protocol/spoil.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/session_peer.hpp"

using namespace hawser::protocol;
using hawser::CloseCode;
using hawser::Configuration;
using hawser::Disconnect;
using hawser::Errc;
using hawser::MessageView;
using hawser::Opcode;
using hawser::PreparedMessage;
using hawser::SendStatus;
using support::close_payload;
using support::OpenPeer;
using support::SessionPeer;
using Step = Session::Step;
using Told = std::vector<std::string>;
namespace first = support::first;

namespace {

Role any_role() { return GENERATE(Role::server, Role::client); }

/// Feeds what breaks the protocol, and checks what follows.
void check_failure(Role role, const Configuration& settings, const std::function<std::string(const SessionPeer&)>& stream, unsigned code) {
    OpenPeer peer(role, settings);
    peer.feed(stream(peer));
    CHECK(peer.told() == Told{"error protocol_error"});
    const Told sent = peer.sent();
    REQUIRE(sent.size() == 1);
    CHECK(sent.front().starts_with("close " + std::to_string(code) + " "));
    peer.feed(stream(peer) + peer.frame(first::text, "late") + peer.frame(first::close, close_payload(1000)));
    CHECK(peer.told().empty());
    CHECK(peer.sent().empty());
    CHECK(peer.tail().empty());
    CHECK(peer.send(Opcode::text, "late") == SendStatus::closed);
    CHECK(peer.flush() == Step::shutdown_write);
    CHECK(peer.session.wants_input());
    peer.session.receive_end();
    CHECK(peer.session.is_over());
    CHECK_FALSE(peer.session.ending().clean);
    CHECK(peer.session.ending().code == CloseCode::abnormal);
}

}  // namespace

TEST_CASE("session: messages of all kinds arrive, whichever the role") {
    OpenPeer peer(any_role());
    peer.feed(peer.frame(first::text, "a") + peer.frame(first::binary, "\xFF") + peer.frame(first::ping, "b") + peer.frame(first::pong) +
              peer.frame(first::text_begins, "c") + peer.frame(first::ends, "d") + peer.frame(first::close, close_payload(1001, "e")));
    CHECK(peer.told() == Told{"text a", "binary \xFF", "ping b", "pong", "text cd", "close 1001 e"});
    CHECK(peer.tail().empty());
}

TEST_CASE("session: messages of all kinds are sent, cut into frames, masked by a client alone") {
    const Role role = any_role();
    Configuration settings;
    settings.frame_size = 3;
    OpenPeer peer(role, settings);
    peer.entropy.draws = 0;
    CHECK(peer.send(Opcode::text, "abcde") == SendStatus::ok);
    CHECK(peer.send(Opcode::binary, "\xFF") == SendStatus::ok);
    CHECK(peer.send(Opcode::ping, "ping") == SendStatus::ok);
    CHECK(peer.send(Opcode::pong) == SendStatus::ok);
    CHECK(peer.close(CloseCode::going_away, "bye") == SendStatus::ok);
    CHECK(peer.sent() == Told{"text abcde", "binary \xFF", "ping ping", "pong", "close 1001 bye"});
    CHECK(peer.entropy.draws == (role == Role::client ? 6 : 0));
}

TEST_CASE("session: a message that cannot be sent is refused, and harms nothing") {
    OpenPeer peer(any_role());
    CHECK(peer.send(Opcode::text, "\xFF") == SendStatus::refused);
    CHECK(peer.send(Opcode::ping, std::string(126, 'x')) == SendStatus::refused);
    CHECK(peer.send(static_cast<Opcode>(3)) == SendStatus::refused);
    CHECK(peer.close(CloseCode::abnormal) == SendStatus::refused);
    CHECK(peer.told() == Told{"error message_encoding", "error message_too_big", "error bad_opcode", "error message_encoding"});
    CHECK(peer.output.take().empty());
    CHECK(peer.session.is_writable());
    CHECK_FALSE(peer.session.ending().error);
    CHECK(peer.send(Opcode::text, "a") == SendStatus::ok);
}

TEST_CASE("session: a prepared message is shared where its frames are what would be sent") {
    const PreparedMessage prepared(MessageView{Opcode::text, "hello"}, 4);
    const auto shares = [&](Role role, std::size_t frame_size) {
        Configuration settings;
        settings.frame_size = frame_size;
        OpenPeer peer(role, settings);
        CHECK(peer.session.send(prepared.view(), peer.now, &prepared) == SendStatus::ok);
        CHECK(peer.sent() == Told{"text hello"});
        return peer.output.shared_writes == 1;
    };
    CHECK(shares(Role::server, 4));
    CHECK_FALSE(shares(Role::server, 5));
    CHECK_FALSE(shares(Role::client, 4));
    const PreparedMessage close(MessageView{Opcode::close, "", CloseCode::normal}, 4);
    OpenPeer server(Role::server);
    CHECK(server.session.send(close.view(), server.now, &close) == SendStatus::ok);
    CHECK(server.session.write_half() == Half::closing);
}

TEST_CASE("session: what comes behind a Close is discarded") {
    OpenPeer peer(any_role());
    peer.feed(peer.frame(first::close, close_payload(1000)) + peer.frame(first::text, "late") + "garbage");
    CHECK(peer.told() == Told{"close 1000"});
    CHECK(peer.tail().empty());
    peer.feed("more garbage");
    CHECK(peer.tail().empty());
    CHECK(peer.told().empty());
    CHECK(peer.session.is_writable());
    CHECK_FALSE(peer.session.is_readable());
}

TEST_CASE("session: a server fails an unmasked frame with 1002, a client a masked one") {
    check_failure(
        Role::server, {}, [](const SessionPeer&) { return support::raw_frame(first::text, "a", false); }, 1002);
    check_failure(
        Role::client, {}, [](const SessionPeer&) { return support::raw_frame(first::text, "a", true); }, 1002);
}

TEST_CASE("session: what breaks the protocol is failed with one Close that says why") {
    const Role role = any_role();
    Configuration settings;
    settings.max_message_size = 100;
    settings.max_fragment_count = 2;
    const auto check = [&](std::vector<std::pair<unsigned, std::string>> frames, unsigned code) {
        const auto stream = [&](const SessionPeer& peer) {
            std::string bytes;
            for (const auto& [byte, payload] : frames) bytes += peer.frame(byte, payload);
            return bytes;
        };
        check_failure(role, settings, stream, code);
    };
    check({{0xC1, "a"}}, 1002);
    check({{0x83, "a"}}, 1002);
    check({{0x09, "a"}}, 1002);
    check({{first::ping, std::string(126, 'p')}}, 1002);
    check({{first::ends, "a"}}, 1002);
    check({{first::text_begins, "a"}, {first::text, "b"}}, 1002);
    check({{first::close, "a"}}, 1002);
    check({{first::close, close_payload(1005)}}, 1002);
    check({{first::text, "\xFF"}}, 1007);
    check({{first::text_begins, "\xE2\x82"}, {first::ends, ""}}, 1007);
    check({{first::close, close_payload(1000, "\xFF")}}, 1007);
    check({{first::binary, std::string(101, 'x')}}, 1009);
    check({{first::binary_begins, "a"}, {first::continues, "b"}, {first::ends, "c"}}, 1009);
}

TEST_CASE("session: messages before a broken frame are delivered") {
    OpenPeer peer(any_role());
    peer.feed(peer.frame(first::text, "a") + peer.frame(first::ping, "b") + peer.frame(first::ends));
    CHECK(peer.told() == Told{"text a", "ping b", "error protocol_error"});
}

TEST_CASE("session: no second Close is sent when the peer breaks the protocol behind the first") {
    OpenPeer peer(any_role());
    peer.close(CloseCode::going_away);
    peer.feed_frame(first::ends, "a");
    CHECK(peer.sent() == Told{"close 1001"});
    CHECK(peer.told() == Told{"error protocol_error"});
    CHECK(peer.flush() == Step::shutdown_write);
}

TEST_CASE("session: the ending tells the peer's Close, and whether both sent one") {
    const Role role = any_role();
    OpenPeer none(role);
    none.session.receive_end();
    CHECK(none.session.ending().code == CloseCode::abnormal);
    CHECK_FALSE(none.session.ending().clean);
    CHECK_FALSE(none.session.ending().error);

    OpenPeer theirs(role);
    theirs.feed_close(4001, "because");
    CHECK(theirs.session.ending().code == static_cast<CloseCode>(4001));
    CHECK(theirs.session.ending().reason == "because");
    CHECK_FALSE(theirs.session.ending().clean);
    theirs.close();
    CHECK(theirs.session.ending().clean);
    CHECK(theirs.session.ending().code == static_cast<CloseCode>(4001));

    OpenPeer ours(role);
    ours.close(CloseCode::normal, "ours");
    CHECK(ours.session.ending().code == CloseCode::abnormal);
    CHECK(ours.session.ending().reason.empty());
    CHECK_FALSE(ours.session.ending().clean);
    ours.feed_frame(first::close);
    CHECK(ours.session.ending().code == CloseCode::no_status);
    CHECK(ours.session.ending().clean);
}

TEST_CASE("session: the first error is the one that ended it") {
    OpenPeer peer(any_role());
    peer.session.note({Errc::connection_failure, "first"});
    peer.session.note({Errc::protocol_error, "second"});
    REQUIRE(peer.session.ending().error);
    CHECK(peer.session.ending().error->errc() == Errc::connection_failure);
}

TEST_CASE("session: an end that cuts a message is an error, any other is not") {
    const Role role = any_role();
    const auto told_at_end_behind = [&](const std::function<std::string(const SessionPeer&)>& stream, bool allow_half_open) {
        Configuration settings;
        settings.allow_half_open = allow_half_open;
        OpenPeer peer(role, settings);
        peer.feed(stream(peer));
        peer.told();
        peer.session.receive_end();
        CHECK_FALSE(peer.session.wants_input());
        const Told told = peer.told();
        CHECK((peer.session.step(true) == Step::none) == (allow_half_open && told.empty()));
        return told;
    };
    for (const bool half_open : {false, true}) {
        const auto cut = [&](unsigned byte, std::size_t left_out) {
            return told_at_end_behind(
                [&](const SessionPeer& peer) {
                    const std::string frame = peer.frame(byte, "abc");
                    return frame.substr(0, frame.size() - left_out);
                },
                half_open);
        };
        CHECK(cut(first::text, 0).empty());
        CHECK(cut(first::ping, 0).empty());
        for (const unsigned byte : {first::text, first::ping, first::close})
            for (const std::size_t left_out : {1u, 3u, 4u}) CHECK(cut(byte, left_out) == Told{"error connection_closed"});
        CHECK(cut(first::text_begins, 0) == Told{"error connection_closed"});
    }
}

TEST_CASE("session: what is queued still leaves when the peer ends, and writing goes on with allow_half_open") {
    const Role role = any_role();
    OpenPeer peer(role);
    peer.send(Opcode::text, "reply");
    peer.session.receive_end();
    CHECK(peer.session.step(false) == Step::none);
    CHECK(peer.send(Opcode::text, "late") == SendStatus::closed);
    CHECK(peer.sent() == Told{"text reply"});
    CHECK(peer.flush() == Step::disconnect);

    Configuration settings;
    settings.allow_half_open = true;
    OpenPeer half(role, settings);
    half.session.receive_end();
    CHECK(half.session.step(true) == Step::none);
    CHECK_FALSE(half.session.is_readable());
    CHECK(half.send(Opcode::text, "reply") == SendStatus::ok);
    half.session.close_write();
    CHECK(half.session.step(false) == Step::none);
    CHECK(half.flush() == Step::disconnect);
    CHECK(half.told().empty());
}

TEST_CASE("session: close_read discards what comes, close_write lets it in") {
    OpenPeer deaf(any_role());
    deaf.session.close_read();
    CHECK(deaf.session.wants_input());
    deaf.feed_frame(first::text, "a");
    deaf.feed("garbage");
    CHECK(deaf.told().empty());
    CHECK(deaf.tail().empty());
    CHECK(deaf.send(Opcode::text, "b") == SendStatus::ok);

    OpenPeer mute(any_role());
    mute.session.close_write();
    CHECK(mute.flush() == Step::shutdown_write);
    mute.feed_frame(first::text, "a");
    CHECK(mute.told() == Told{"text a"});
    CHECK(mute.send(Opcode::text, "b") == SendStatus::closed);
}

TEST_CASE("session: reading that is stopped keeps the bytes, and takes them when it is resumed") {
    OpenPeer peer(any_role());
    peer.session.set_reading(false, peer.now);
    CHECK_FALSE(peer.session.wants_input());
    const support::ExactBytes held(peer.frame(first::text, "held"));
    CHECK(peer.session.receive(held.span(), peer.now) == 0);
    peer.session.set_reading(true, peer.now);
    peer.reaction = [&](const std::string& event) {
        if (event == "text stop") peer.session.set_reading(false, peer.now);
    };
    peer.feed(peer.frame(first::text, "stop") + peer.frame(first::text, "a") + peer.frame(first::ends));
    CHECK(peer.told() == Told{"text stop"});
    CHECK_FALSE(peer.tail().empty());
    peer.feed(peer.frame(first::text, "b"));
    CHECK(peer.told().empty());
    peer.session.set_reading(true, peer.now);
    peer.resume();
    CHECK(peer.told() == Told{"text a", "error protocol_error"});
    CHECK(peer.tail().empty());
}

TEST_CASE("session: stopped reading does not keep what nobody will read") {
    OpenPeer peer(any_role());
    peer.session.set_reading(false, peer.now);
    peer.session.close_read();
    CHECK(peer.session.wants_input());
    peer.feed("garbage");
    CHECK(peer.tail().empty());
}

TEST_CASE("session: other settings count from the next frame") {
    OpenPeer peer(any_role());
    Configuration small;
    small.max_message_size = 3;
    small.frame_size = 1;
    peer.session.configure(small);
    peer.feed_frame(first::text, "abc");
    CHECK(peer.told() == Told{"text abc"});
    peer.send(Opcode::text, "ab");
    CHECK(peer.output.take().size() == (peer.session.role() == Role::client ? 14 : 6));
    peer.feed_frame(first::text, "abcd");
    CHECK(peer.told() == Told{"error protocol_error"});
}

TEST_CASE("session: a large message is received directly, but not while reading is stopped") {
    OpenPeer peer(any_role());
    CHECK(peer.direct_target().empty());
    const std::string content(200'000, 'x');
    const std::string stream = peer.frame(first::binary, content);
    peer.feed(std::string_view(stream).substr(0, 1000));
    peer.session.set_reading(false, peer.now);
    CHECK(peer.direct_target().empty());
    peer.session.set_reading(true, peer.now);
    CHECK(peer.feed_direct(std::string_view(stream).substr(1000), stream.size()) == stream.size() - 1000);
    CHECK((peer.told() == Told{"binary " + content}));
}

TEST_CASE("session: half a message is given up when no message can follow") {
    OpenPeer peer(any_role());
    const std::string stream = peer.frame(first::binary_begins, std::string(100'000, 'x'));
    peer.feed(std::string_view(stream).substr(0, 1000));
    peer.feed_direct(std::string_view(stream).substr(1000), stream.size());
    REQUIRE(peer.holds_half_a_message());
    SECTION("its end cannot come") { peer.session.receive_end(); }
    SECTION("nobody reads any more") { peer.session.close_read(); }
    SECTION("a Close comes") { peer.feed_frame(first::close, close_payload(1000)); }
    SECTION("the protocol is broken") { peer.feed_frame(first::text, "another"); }
    SECTION("the connection is over") { peer.session.give_up_memory(); }
    CHECK_FALSE(peer.holds_half_a_message());
}

TEST_CASE("session: a socket that fails is an error, but not behind the closing handshake or another error") {
    const Role role = any_role();
    OpenPeer peer(role);
    peer.session.transport_failed("reading failed: connection reset");
    peer.session.transport_failed("again");
    CHECK(peer.told() == Told{"error connection_failure"});
    CHECK(peer.error_texts == Told{"reading failed: connection reset"});
    CHECK(peer.session.is_over());

    OpenPeer closed(role);
    closed.close();
    closed.feed_close(1000);
    closed.told();
    closed.session.transport_failed("connection reset");
    CHECK(closed.told().empty());
    CHECK(closed.session.is_over());
    CHECK(closed.session.ending().clean);

    OpenPeer failed(role);
    failed.feed_frame(first::ends);
    failed.told();
    failed.session.transport_failed("connection reset");
    CHECK(failed.told().empty());
    CHECK(failed.session.is_over());
}

TEST_CASE("session: an application that fails closes with 1011, and hears nothing more") {
    OpenPeer peer(any_role());
    peer.session.application_failed(peer.now);
    CHECK(peer.sent() == Told{"close 1011"});
    CHECK_FALSE(peer.session.is_readable());
    CHECK(peer.send(Opcode::text, "late") == SendStatus::closed);
    peer.feed(peer.frame(first::text, "late") + peer.frame(first::close, close_payload(1011)));
    CHECK(peer.told().empty());
    CHECK(peer.flush() == Step::shutdown_write);
    peer.session.receive_end();
    CHECK(peer.session.is_over());
    // Before the handshake is complete, and behind the end, there is nothing to close.
    SessionPeer opening(Role::server);
    opening.session.application_failed(opening.now);
    CHECK(opening.sent().empty());
    CHECK_FALSE(opening.session.is_over());
    peer.session.application_failed(peer.now);
    CHECK(peer.sent().empty());
}

TEST_CASE("session: behind a Close of its own, an application that fails sends no other") {
    OpenPeer peer(any_role());
    peer.close();
    CHECK(peer.sent() == Told{"close 1000"});
    peer.session.application_failed(peer.now);
    CHECK(peer.sent().empty());
    CHECK(peer.flush() == Step::shutdown_write);
}

TEST_CASE("session: while reading is stopped, only a Close of its own has it read on, past texts and binary messages") {
    OpenPeer peer(any_role());
    peer.session.set_reading(false, peer.now);
    CHECK_FALSE(peer.session.wants_input());
    peer.feed(peer.frame(first::text, "unread"));
    CHECK(peer.told().empty());
    peer.close();
    CHECK(peer.session.wants_input());
    peer.feed(peer.frame(first::ping, "p") + peer.frame(first::text_begins, "un"));
    CHECK(peer.told() == Told{"ping p"});
    // What follows what was dropped is dropped too.
    peer.session.set_reading(true, peer.now);
    peer.feed(peer.frame(first::ends, "read") + peer.frame(first::binary, "late") + peer.frame(first::pong, "p"));
    CHECK(peer.told() == Told{"pong p"});
    peer.feed_close(1000);
    CHECK(peer.told() == Told{"close 1000"});
    CHECK(peer.session.ending().clean);
}

TEST_CASE("session: bytes that came, though they show nothing, end the silence") {
    OpenPeer peer(any_role(), {.timeout = hawser::Seconds(10)});
    peer.wait(hawser::Seconds(9));
    peer.session.heard(peer.now);
    CHECK(peer.session.last_received() == peer.now);
    peer.wait(hawser::Seconds(9));
    CHECK(peer.told().empty());
    peer.feed(peer.frame(first::text, "half").substr(0, 3));
    CHECK(peer.session.last_received() == peer.now);
    peer.wait(hawser::Seconds(10));
    CHECK(peer.told() == Told{"error connection_timeout"});
    CHECK(peer.error_cause == std::errc::timed_out);
}

TEST_CASE("session: a failure of the socket carries its code") {
    OpenPeer peer(any_role());
    const std::error_code reset = std::make_error_code(std::errc::connection_reset);
    peer.session.transport_failed("reading failed: " + reset.message(), Errc::connection_failure, reset);
    CHECK(peer.error_cause == reset);
    REQUIRE(peer.session.ending().error);
    CHECK(peer.session.ending().error->cause() == reset);
}

TEST_CASE("session: a message that was delivered is overwritten, in builds for development") {
#ifdef HAWSER_SPOILS_VIEWS
    constexpr bool spoils = true;
#else
    constexpr bool spoils = false;
#endif
    SessionPeer peer(Role::server);
    peer.open();
    const std::string content(GENERATE(5u, 125u, 126u, 70'000u), 'x');
    std::string stream = peer.frame(first::binary, content) + peer.frame(first::ping, "p");
    CHECK(peer.session.receive({stream.data(), stream.size()}, peer.now) == stream.size());
    CHECK(peer.told() == Told{"binary " + content, "ping p"});
    const std::string left = spoils ? "\xDD" : "x";
    CHECK(stream.substr(stream.size() - 7 - content.size(), content.size()).find_first_not_of(left) == std::string::npos);
    CHECK(stream.back() == (spoils ? '\xDD' : 'p'));
}
