#include <hawser/message.hpp>

#include "support/catch.hpp"
#include "support/error_of.hpp"

using namespace hawser;
using Catch::Matchers::ContainsSubstring;
using support::error_of;

TEST_CASE("message: each opcode has its name") {
    CHECK(opcode_name(Opcode::text) == "text");
    CHECK(opcode_name(Opcode::binary) == "binary");
    CHECK(opcode_name(Opcode::close) == "close");
    CHECK(opcode_name(Opcode::ping) == "ping");
    CHECK(opcode_name(Opcode::pong) == "pong");
    CHECK(opcode_name(static_cast<Opcode>(3)) == "unknown");
}

TEST_CASE("message: close, ping and pong are control frames") {
    CHECK(is_control(Opcode::close));
    CHECK(is_control(Opcode::ping));
    CHECK(is_control(Opcode::pong));
    CHECK_FALSE(is_control(Opcode::text));
    CHECK_FALSE(is_control(Opcode::binary));
}

TEST_CASE("message: the close codes that may be sent are those of RFC 6455 and the registry") {
    for (unsigned code = 0; code <= 65535; ++code) {
        const bool expected = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
        if (is_sendable(static_cast<CloseCode>(code)) != expected) FAIL("wrong for " << code);
    }
}

TEST_CASE("message: each kind is made with its opcode, its content and the present time") {
    const Timestamp before = std::chrono::system_clock::now();
    const Message messages[] = {Text("a"), Binary("a"), Ping("a"), Pong("a"), Close(1000, "a")};
    const Timestamp after = std::chrono::system_clock::now();
    const Opcode opcodes[] = {Opcode::text, Opcode::binary, Opcode::ping, Opcode::pong, Opcode::close};
    for (std::size_t i = 0; i < std::size(messages); ++i) {
        CHECK(messages[i].opcode() == opcodes[i]);
        CHECK(messages[i].content() == "a");
        CHECK(messages[i].length() == 1);
        CHECK(messages[i].has_content());
        CHECK(messages[i].timestamp() >= before);
        CHECK(messages[i].timestamp() <= after);
    }
    CHECK_FALSE(Text().has_content());
}

TEST_CASE("message: a Close has a status, the others have none") {
    CHECK(Close().close_status() == CloseCode::normal);
    CHECK(Close(CloseCode::going_away).close_status() == CloseCode::going_away);
    CHECK(Close(4001, "x").close_status() == static_cast<CloseCode>(4001));
    CHECK(Close(std::uint16_t{1011}).close_status() == CloseCode::internal_error);
    CHECK(Close(CloseCode::no_status).close_status() == CloseCode::no_status);
    CHECK(Close(4001L).close_status() == Close(4001ULL).close_status());
    CHECK(Close(0).close_status() == CloseCode::none);
    CHECK(Close(65535).close_status() == static_cast<CloseCode>(65535));
    CHECK(Message(Opcode::close, "bye").close_status() == CloseCode::normal);
    CHECK(Text("x").close_status() == CloseCode::none);

    Message close = Close();
    close.set_close_status(CloseCode::going_away);
    CHECK(close.close_status() == CloseCode::going_away);
    Message text = Text("x");
    text.set_close_status(CloseCode::going_away);
    CHECK(text.close_status() == CloseCode::none);
}

TEST_CASE("message: a number that is no status is refused, and does not wrap") {
    const auto refused = [](auto number) { return error_of(Errc::invalid_option, [=] { Close close(number); }); };
    CHECK_THAT(refused(66536), ContainsSubstring("66536"));  // 1000 in 16 bits
    CHECK_THAT(refused(65536), ContainsSubstring("65536"));
    CHECK_THAT(refused(-1), ContainsSubstring("-1"));
    CHECK_THAT(refused(-64536), ContainsSubstring("-64536"));
    CHECK_THAT(refused(0x1000003E8LL), ContainsSubstring("4294968296"));
    CHECK_THAT(refused(~0ULL), ContainsSubstring("18446744073709551615"));
}

TEST_CASE("message: a message made of a view owns its content and keeps the time") {
    const Timestamp then = std::chrono::system_clock::from_time_t(1'000'000);
    std::string content = "reason";
    const Message message(MessageView{Opcode::close, content, CloseCode::no_status, then});
    content.assign("******");
    CHECK(message.content() == "reason");
    CHECK(message.opcode() == Opcode::close);
    CHECK(message.close_status() == CloseCode::no_status);
    CHECK(message.timestamp() == then);
    CHECK(Message(MessageView{Opcode::text, "x", CloseCode::normal}).close_status() == CloseCode::none);
}

TEST_CASE("message: a view without a time gets the present one") {
    const Timestamp before = std::chrono::system_clock::now();
    CHECK(Message(MessageView{Opcode::text, "x"}).timestamp() >= before);
}

TEST_CASE("message: the view of a message shows all of it") {
    Message message = Close(1001, "bye");
    const MessageView view = message;
    CHECK(view.opcode_name() == "close");
    CHECK(view.content == "bye");
    CHECK(view.length() == 3);
    CHECK(view.close_status == CloseCode::going_away);
    CHECK(view.timestamp == message.timestamp());
    message.set_content("later");
    CHECK(message.view().content == "later");
}
