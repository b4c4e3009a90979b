// Compressed messages in lib/protocol/assembler.cpp.

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/assembler_feed.hpp"
#include "support/catch.hpp"

using namespace hawser::protocol;
using hawser::Configuration;
using support::AssemblerFeed;
namespace first = support::first;
using Messages = std::vector<std::string>;

namespace {

constexpr unsigned rsv1 = 0x40;

Configuration with_message_size(std::size_t size) {
    Configuration limits;
    limits.max_message_size = size;
    return limits;
}

/// An assembler for compressed messages, and the compressor of its peer.
struct Compressed : AssemblerFeed {
    explicit Compressed(Role receiver = Role::server, const Configuration& settings = {}) : AssemblerFeed(receiver, settings) {
        assembler.set_inflater(std::make_unique<Inflater>(15, true, pool));
    }
    std::string payload(std::string_view content) { return std::string(deflater.compress(content).view()); }
    /// A whole compressed message in one frame.
    std::string message(std::string_view content, unsigned byte = first::text) { return frame(byte | rsv1, payload(content)); }

    std::shared_ptr<DeflatePool> pool = std::make_shared<DeflatePool>();
    Deflater deflater{{}, true, 0, pool};
};

Role any_role() { return GENERATE(Role::server, Role::client); }

}  // namespace

TEST_CASE("assembler: compressed messages, plain ones and control frames may follow each other") {
    Compressed feed(any_role());
    // One after the other: each takes over the context of the one before.
    std::string stream = feed.message("Hello");
    stream += feed.frame(first::text, "plain") + feed.frame(first::ping, "p");
    stream += feed.message("Hello");
    stream += feed.frame(first::binary | rsv1, std::string(1, '\0'));
    stream += feed.message("\xFF\xFE", first::binary);
    stream += feed.message("Hello");
    const Messages expected = {"text Hello", "text plain", "ping p", "text Hello", "binary", "binary \xFF\xFE", "text Hello"};
    SECTION("at once") { feed.feed(stream); }
    SECTION("byte by byte") { CHECK(feed.fails_at(stream) == std::string::npos); }
    CHECK(feed.messages == expected);
    CHECK_FALSE(feed.assembler.in_message());
}

TEST_CASE("assembler: a compressed message may be cut anywhere, and control frames may stand in between") {
    const std::string content = "grüße, grüße und noch einmal grüße";
    const std::size_t size = Compressed().payload(content).size();
    for (std::size_t one = 0; one <= size; ++one) {
        for (std::size_t two = one; two <= size; ++two) {
            Compressed feed;
            const std::string payload = feed.payload(content);
            feed.feed(feed.frame(first::text_begins | rsv1, payload.substr(0, one)));
            CHECK(feed.assembler.in_message());
            feed.feed(feed.frame(first::pong) + feed.frame(first::continues, payload.substr(one, two - one)));
            feed.feed(feed.frame(first::ping, "p") + feed.frame(first::ends, payload.substr(two)));
            REQUIRE(feed.messages == Messages{"pong", "ping p", "text " + content});
        }
    }
}

TEST_CASE("assembler: RSV1 where it may not be is failed with 1002") {
    SECTION("without agreement") {
        AssemblerFeed feed(Role::server);
        feed.feed(feed.frame(first::text | rsv1, "x"));
        CHECK(feed.messages == Messages{"failed 1002"});
    }
    SECTION("on a continuation") {
        Compressed feed;
        feed.feed(feed.frame(first::text_begins | rsv1, feed.payload("Hello")) + feed.frame(first::ends | rsv1));
        CHECK(feed.messages == Messages{"failed 1002"});
    }
    SECTION("on a continuation of a plain message") {
        Compressed feed;
        feed.feed(feed.frame(first::text_begins, "a") + feed.frame(first::ends | rsv1));
        CHECK(feed.messages == Messages{"failed 1002"});
    }
    SECTION("on a control frame, and other reserved bits") {
        const unsigned byte = GENERATE(first::ping | rsv1, first::close | rsv1, first::pong | rsv1, first::text | 0x20u,
                                       first::text | 0x10u, first::text | 0x60u, first::binary | 0x70u);
        Compressed feed;
        feed.feed(feed.frame(byte, "x"));
        CHECK(feed.messages == Messages{"failed 1002"});
    }
    SECTION("on a new message within another") {
        Compressed feed;
        feed.feed(feed.frame(first::text_begins | rsv1, "") + feed.message("Hello"));
        CHECK(feed.messages == Messages{"failed 1002"});
    }
}

TEST_CASE("assembler: text is checked as it is inflated") {
    Compressed feed(any_role());
    SECTION("wrong at once") {
        feed.feed(
            feed.message("abc\xFF"
                         "def"));
        CHECK(feed.messages == Messages{"failed 1007"});
    }
    SECTION("wrong before the message is complete") {
        feed.feed(feed.frame(first::text_begins | rsv1, feed.payload("abc\xFF")));
        CHECK(feed.messages == Messages{"failed 1007"});
    }
    SECTION("ends within a character") {
        feed.feed(feed.message("abc\xC3"));
        CHECK(feed.messages == Messages{"failed 1007"});
    }
}

TEST_CASE("assembler: what cannot be inflated is failed with 1007") {
    Compressed feed(any_role());
    const std::string payload = feed.payload("Hello, Hello");
    SECTION("not compressed") { feed.feed(feed.frame(first::text | rsv1, "Hello")); }
    SECTION("cut off") { feed.feed(feed.frame(first::text | rsv1, payload.substr(0, payload.size() - 1))); }
    SECTION("empty") { feed.feed(feed.frame(first::text | rsv1)); }
    SECTION("cut off by an empty last frame") {
        feed.feed(feed.frame(first::text_begins | rsv1, payload.substr(0, 3)) + feed.frame(first::ends));
    }
    SECTION("a reference to what there never was") { feed.feed(feed.frame(first::text | rsv1, std::string("\xF2\x00\x11\x00\x00", 5))); }
    CHECK(feed.messages == Messages{"failed 1007"});
}

TEST_CASE("assembler: the first fault of a compressed text is told, however its bytes are cut") {
    Compressed feed(any_role());
    // A stored block with what is not UTF-8, then a block of a kind that there is not.
    const std::string stream = feed.frame(first::text | rsv1, std::string("\x00\x01\x00\xFE\xFF\xFF\x07", 7));
    SECTION("at once") { feed.feed(stream); }
    SECTION("byte by byte") { CHECK(feed.fails_at(stream) != std::string::npos); }
    CHECK(feed.assembler.failure().reason == std::string_view("a text message is not UTF-8"));
}

TEST_CASE("assembler: max_message_size bounds what a message inflates to, in one frame or in many") {
    const std::size_t size = GENERATE(std::size_t{999}, 1000, 1001);
    const std::string expected = size <= 1000 ? "binary " + std::string(size, 'x') : "failed 1009";
    Compressed feed(any_role(), with_message_size(1000));
    const std::string payload = feed.payload(std::string(size, 'x'));
    SECTION("one frame") { feed.feed(feed.frame(first::binary | rsv1, payload)); }
    SECTION("a frame for each byte") {
        feed.feed(feed.frame(first::binary_begins | rsv1));
        for (const char byte : payload) feed.feed(feed.frame(first::continues, {&byte, 1}));
        if (!feed.has_failed()) feed.feed(feed.frame(first::ends));
    }
    CHECK(feed.messages == Messages{expected});
}

TEST_CASE("assembler: a compressed frame of more than 4 GiB is not at its end when 32 bits of its length are") {
    Compressed feed(Role::client);
    const std::string payload = feed.payload("Hello");
    feed.feed(feed.header(first::text | rsv1, (std::uint64_t{1} << 32) + payload.size()) + payload);
    CHECK(feed.messages.empty());
    CHECK(feed.assembler.in_message());
}

TEST_CASE("assembler: a bomb is failed with 1009 within its bound, whatever comes behind it") {
    Compressed feed(Role::server, with_message_size(100'000));
    const std::string bomb = feed.payload(std::string(50'000'000, '\0'));
    SECTION("alone") { feed.feed(feed.frame(first::binary | rsv1, bomb)); }
    SECTION("with a corrupt block behind it") { feed.feed(feed.frame(first::binary | rsv1, bomb + "\x07\xFF")); }
    SECTION("in fragments") {
        feed.feed(feed.frame(first::binary_begins | rsv1, bomb.substr(0, 1000)) + feed.frame(first::ends, bomb.substr(1000)));
    }
    CHECK(feed.messages == Messages{"failed 1009"});
}

TEST_CASE("assembler: what compression makes longer still fits max_message_size") {
    std::mt19937 random(5);
    std::string noise(1000, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    Compressed feed(any_role(), with_message_size(noise.size()));
    const std::string payload = feed.payload(noise);
    REQUIRE(payload.size() > noise.size());
    feed.feed(feed.frame(first::binary | rsv1, payload));
    CHECK(feed.messages == Messages{"binary " + noise});
}

TEST_CASE("assembler: fragments of a compressed message are counted") {
    Configuration limits;
    limits.max_fragment_count = 3;
    Compressed feed(any_role(), limits);
    feed.feed(feed.frame(first::binary_begins | rsv1));
    for (int i = 0; i < 2; ++i) feed.feed(feed.frame(first::continues));
    CHECK(feed.messages.empty());
    feed.feed(feed.frame(first::continues));
    CHECK(feed.messages == Messages{"failed 1009"});
}

TEST_CASE("assembler: a compressed frame is not received directly, a plain one is") {
    Compressed feed;
    feed.feed(feed.header(first::binary | rsv1, 100'000));
    CHECK(feed.direct_target().empty());
    Compressed plain;
    plain.feed(plain.header(first::binary, 100'000));
    CHECK_FALSE(plain.direct_target().empty());
}
