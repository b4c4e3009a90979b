#include "protocol/assembler.hpp"

#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/assembler_feed.hpp"
#include "support/catch.hpp"

using namespace hawser::protocol;
using hawser::Configuration;
using hawser::MessageView;
using support::AssemblerFeed;
using support::close_payload;
using support::ExactBytes;
namespace first = support::first;
using Messages = std::vector<std::string>;

namespace {

constexpr std::size_t never = std::string_view::npos;

/// A stream with all that can be in one, and the messages in it.
struct Sample {
    std::string stream;
    Messages messages;
};

Sample sample(const AssemblerFeed& feed) {
    const std::string long_text(300, 'a');
    Sample sample;
    const auto add = [&](std::string frames, std::string message) {
        sample.stream += frames;
        sample.messages.push_back(std::move(message));
    };
    add(feed.frame(first::text, "Hello"), "text Hello");
    add(feed.frame(first::text), "text");
    add(feed.frame(first::binary, std::string("\0\xFF\x80", 3)), std::string("binary \0\xFF\x80", 10));
    add(feed.frame(first::text, long_text), "text " + long_text);
    // A ping between the bytes of a character, and fragments of no bytes.
    add(feed.frame(first::text_begins, "\xE2\x82") + feed.frame(first::ping, "now"), "ping now");
    add(feed.frame(first::continues) + feed.frame(first::continues, "\xAC\xF0\x9F") + feed.frame(first::pong), "pong");
    add(feed.frame(first::ends, "\x98\x80"), "text \xE2\x82\xAC\xF0\x9F\x98\x80");
    add(feed.frame(first::binary_begins, long_text) + feed.frame(first::ends), "binary " + long_text);
    add(feed.frame(first::text_begins) + feed.frame(first::ends), "text");
    add(feed.frame(first::ping, std::string(125, 'p')), "ping " + std::string(125, 'p'));
    add(feed.frame(first::close, close_payload(1000, "bye")), "close 1000 bye");
    return sample;
}

Role any_role() { return GENERATE(Role::server, Role::client); }

}  // namespace

TEST_CASE("assembler: a stream gives the same messages however it is cut in two") {
    const Role receiver = any_role();
    const Sample expected = sample(AssemblerFeed(receiver));
    for (std::size_t cut = 0; cut <= expected.stream.size(); ++cut) {
        CAPTURE(support::role_name(receiver), cut);
        AssemblerFeed feed(receiver);
        feed.feed(std::string_view(expected.stream).substr(0, cut));
        feed.feed(std::string_view(expected.stream).substr(cut));
        REQUIRE(feed.messages == expected.messages);
        REQUIRE_FALSE(feed.has_tail());
    }
}

TEST_CASE("assembler: a stream gives the same messages byte by byte") {
    AssemblerFeed feed(any_role());
    const Sample expected = sample(feed);
    for (const char& byte : expected.stream) feed.feed({&byte, 1});
    CHECK(feed.messages == expected.messages);
    CHECK_FALSE(feed.assembler.in_message());
}

TEST_CASE("assembler: a stream gives the same messages in random pieces") {
    const Role receiver = any_role();
    const Sample expected = sample(AssemblerFeed(receiver));
    for (unsigned seed = 1; seed <= 300; ++seed) {
        CAPTURE(support::role_name(receiver), seed);
        std::mt19937 random(seed);
        AssemblerFeed feed(receiver);
        for (std::string_view rest = expected.stream; !rest.empty();) {
            const std::size_t size = std::min<std::size_t>(random() % (seed % 2 == 0 ? 5 : 200), rest.size());
            feed.feed(rest.substr(0, size));
            rest.remove_prefix(size);
        }
        REQUIRE(feed.messages == expected.messages);
    }
}

TEST_CASE("assembler: a whole frame's content lies in the input") {
    const Role receiver = any_role();
    const AssemblerFeed frames(receiver);
    for (const std::size_t size : {0u, 5u, 125u, 126u, 70000u}) {
        const ExactBytes bytes(frames.frame(first::binary, std::string(size, 'x')));
        std::span<char> input = bytes.span();
        Assembler assembler(receiver);
        MessageView message;
        REQUIRE(assembler.next(input, {}, message) == Assembler::Status::message);
        CHECK(input.empty());
        CHECK(message.content.data() + size == bytes.span().data() + bytes.span().size());
        CHECK((message.content == std::string(size, 'x')));
    }
}

TEST_CASE("assembler: in_message is true while an end would lose something") {
    AssemblerFeed feed(any_role());
    const auto is_inside_after = [&](std::string_view bytes) {
        feed.feed(bytes);
        return feed.assembler.in_message();
    };
    CHECK_FALSE(is_inside_after(""));
    CHECK_FALSE(is_inside_after(feed.frame(first::text, "a")));
    CHECK(is_inside_after(feed.frame(first::text_begins, "a")));
    CHECK(is_inside_after(feed.frame(first::ping)));
    CHECK(is_inside_after(feed.frame(first::continues)));
    CHECK_FALSE(is_inside_after(feed.frame(first::ends)));
    const std::string frame = feed.frame(first::text, "abc");
    CHECK(is_inside_after(frame.substr(0, frame.size() - 1)));
    CHECK_FALSE(is_inside_after(frame.substr(frame.size() - 1)));
}

TEST_CASE("assembler: data frames out of their order are refused with 1002") {
    const Role receiver = any_role();
    const auto end_of = [&](std::vector<unsigned> frames) {
        AssemblerFeed feed(receiver);
        for (const unsigned byte : frames) feed.feed(feed.frame(byte, "a"));
        return feed.messages.empty() ? "" : feed.messages.back();
    };
    CHECK(end_of({first::continues}) == "failed 1002");
    CHECK(end_of({first::ends}) == "failed 1002");
    CHECK(end_of({first::text, first::ends}) == "failed 1002");
    CHECK(end_of({first::text_begins, first::ends, first::continues}) == "failed 1002");
    CHECK(end_of({first::text_begins, first::text}) == "failed 1002");
    CHECK(end_of({first::text_begins, first::binary_begins}) == "failed 1002");
    CHECK(end_of({first::text_begins, first::continues, first::binary}) == "failed 1002");
    CHECK(end_of({first::text_begins, first::ping, first::text_begins}) == "failed 1002");
    CHECK(end_of({first::text_begins, first::ping, first::continues, first::ends}) == "text aaa");
}

TEST_CASE("assembler: what a header breaks is refused as soon as it is there") {
    const Role receiver = any_role();
    const auto fails_at = [&](std::string stream) {
        AssemblerFeed feed(receiver);
        const std::size_t at = feed.fails_at(stream);
        CHECK(feed.messages == (at == never ? Messages{} : Messages{"failed 1002"}));
        return at;
    };
    const bool masked = receiver == Role::server;
    CHECK(fails_at(support::raw_frame(0xC1, "Hello", masked)) == 1);
    CHECK(fails_at(support::raw_frame(0xA1, "Hello", masked)) == 1);
    CHECK(fails_at(support::raw_frame(0x91, "Hello", masked)) == 1);
    CHECK(fails_at(support::raw_frame(0x83, "Hello", masked)) == 1);
    CHECK(fails_at(support::raw_frame(0x09, "Hello", masked)) == 1);
    CHECK(fails_at(support::raw_frame(first::text, "Hello", !masked)) == 2);
    CHECK(fails_at(support::raw_frame(first::ping, std::string(126, 'p'), masked)) == 2);
    CHECK(fails_at(support::raw_header(first::text, std::uint64_t{1} << 63, 8, masked)) == 3);
}

TEST_CASE("assembler: the payload of a Close frame is its status and a reason") {
    const Role receiver = any_role();
    const auto result = [&](std::string_view payload) {
        AssemblerFeed feed(receiver);
        feed.feed(feed.frame(first::close, payload));
        REQUIRE(feed.messages.size() == 1);
        return feed.messages.front();
    };
    CHECK(result("") == "close 1005");
    CHECK(result("\x03") == "failed 1002");
    for (const unsigned code : {1000u, 1001u, 1002u, 1003u, 1007u, 1011u, 1012u, 1013u, 1014u, 3000u, 3999u, 4000u, 4999u}) {
        CHECK(result(close_payload(code)) == "close " + std::to_string(code));
        CHECK(result(close_payload(code, "why \xE2\x82\xAC")) == "close " + std::to_string(code) + " why \xE2\x82\xAC");
    }
    for (const unsigned code : {0u, 999u, 1004u, 1005u, 1006u, 1015u, 1016u, 1100u, 2000u, 2999u, 5000u, 65535u}) {
        CAPTURE(code);
        CHECK(result(close_payload(code)) == "failed 1002");
    }
    CHECK(result(close_payload(1000, std::string(123, 'x'))) == "close 1000 " + std::string(123, 'x'));
    CHECK(result(close_payload(1000, "\xFF")) == "failed 1007");
    CHECK(result(close_payload(1000, "\xE2\x82")) == "failed 1007");
}

TEST_CASE("assembler: the characters of a text may be cut anywhere, even by fragments") {
    const Role receiver = any_role();
    const std::string text = "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xE2\x82\xAC\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF.";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        for (std::size_t end = cut; end <= text.size(); ++end) {
            AssemblerFeed feed(receiver);
            feed.feed(feed.frame(first::text_begins, text.substr(0, cut)) + feed.frame(first::continues, text.substr(cut, end - cut)) +
                      feed.frame(first::ends, text.substr(end)));
            REQUIRE(feed.messages == Messages{"text " + text});
        }
    }
}

TEST_CASE("assembler: text that is not UTF-8 is refused with 1007 at the first impossible byte") {
    const Role receiver = any_role();
    const auto fails_at = [&](std::string_view start, std::string_view rest) {
        AssemblerFeed feed(receiver);
        const std::string begin = feed.frame(first::text_begins, start);
        const std::string end = feed.frame(first::ends, rest);
        const std::size_t at = feed.fails_at(begin + end);
        CHECK(feed.messages == Messages{"failed 1007"});
        return at - feed.header(0, 0).size() * (at > begin.size() ? 2 : 1);  // counted in the text
    };
    CHECK(fails_at("ab\xFF"
                   "cdef",
                   "") == 3);
    CHECK(fails_at("\xC0\x80", "") == 1);
    CHECK(fails_at("\xF4\x90\x80\x80", "") == 2);
    CHECK(fails_at("\xED\xA0\x80", "") == 2);
    CHECK(fails_at("a\xF4", "\x90\x80\x80") == 3);
    CHECK(fails_at("a\xE2\x82", "a") == 4);
    CHECK(fails_at("abc", "\x80") == 4);
    CHECK(fails_at("abc", "d\xE2\x82") == 6);
}

TEST_CASE("assembler: binary messages and pings need not be UTF-8") {
    AssemblerFeed feed(any_role());
    feed.feed(feed.frame(first::binary, "\xFF") + feed.frame(first::binary_begins, "\xC0") + feed.frame(first::ping, "\xFE") +
              feed.frame(first::ends, "\x80"));
    CHECK(feed.messages == Messages{"binary \xFF", "ping \xFE", "binary \xC0\x80"});
}
