// The bounds of lib/protocol/assembler.cpp, and what it holds in memory.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

#include "support/assembler_feed.hpp"
#include "support/catch.hpp"

using namespace hawser::protocol;
using hawser::Configuration;
using support::AssemblerFeed;
namespace first = support::first;
using Messages = std::vector<std::string>;

namespace {

Role any_role() { return GENERATE(Role::server, Role::client); }

Configuration with_message_size(std::size_t size) {
    Configuration limits;
    limits.max_message_size = size;
    return limits;
}

/// Bytes of heap in use, where the C library tells (not under a sanitizer).
std::size_t heap_in_use() {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
#else
    return 0;
#endif
}

/// A length that no allocator gives.
constexpr std::uint64_t absurd = std::min(std::uint64_t{1} << 62, std::uint64_t{std::numeric_limits<std::size_t>::max() / 4 * 3});

}  // namespace

TEST_CASE("assembler: a frame over max_message_size is refused with 1009 at its header") {
    const Role receiver = any_role();
    const auto result = [&](std::uint64_t length) {
        AssemblerFeed feed(receiver, with_message_size(1000));
        const std::string header = feed.header(first::binary, length);
        if (feed.fails_at(header) != header.size()) feed.feed(std::string(static_cast<std::size_t>(length), 'x'));
        return feed.messages.front().substr(0, 11);
    };
    CHECK(result(999).starts_with("binary"));
    CHECK(result(1000).starts_with("binary"));
    CHECK(result(1001) == "failed 1009");
    CHECK(result(65536) == "failed 1009");
    CHECK(result(absurd) == "failed 1009");
    CHECK(result(0x7FFF'FFFF'FFFF'FFFF) == "failed 1009");
}

TEST_CASE("assembler: a length that 32 bits cannot say is refused with 1009, and does not wrap") {
    const Role receiver = any_role();
    const std::uint64_t length = (std::uint64_t{1} << 32) + GENERATE(std::uint64_t{0}, 5, 1000);
    AssemblerFeed feed(receiver, with_message_size(0xFFFF'FFFF));
    SECTION("of a whole message") { feed.feed(feed.header(first::binary, length)); }
    SECTION("of a later fragment") { feed.feed(feed.frame(first::binary_begins, "0123456789") + feed.header(first::ends, length - 10)); }
    CHECK(feed.messages == Messages{"failed 1009"});
}

TEST_CASE("assembler: a fragmented message is bounded as a whole") {
    const Role receiver = any_role();
    const auto result = [&](std::vector<std::uint64_t> lengths) {
        AssemblerFeed feed(receiver, with_message_size(1000));
        for (std::size_t i = 0; i < lengths.size() && !feed.has_failed(); ++i) {
            const unsigned byte = (i == 0 ? 0x2u : 0x0u) | (i + 1 == lengths.size() ? 0x80u : 0u);
            feed.feed(feed.header(byte, lengths[i]));
            if (!feed.has_failed()) feed.feed(std::string(static_cast<std::size_t>(lengths[i]), 'x'));
        }
        return feed.messages.empty() ? std::string() : feed.messages.front().substr(0, 11);
    };
    CHECK(result({400, 599}).starts_with("binary"));
    CHECK(result({400, 600}).starts_with("binary"));
    CHECK(result({400, 601}) == "failed 1009");
    CHECK(result({1000, 0, 0}).starts_with("binary"));
    CHECK(result({1000, 0, 1}) == "failed 1009");
    CHECK(result({10, absurd}) == "failed 1009");
    CHECK(result({10, 0x7FFF'FFFF'FFFF'FFFF}) == "failed 1009");
}

TEST_CASE("assembler: a bound that shrinks within a message counts from its next frame") {
    AssemblerFeed feed(any_role(), with_message_size(1000));
    feed.feed(feed.frame(first::binary_begins, std::string(900, 'x')));
    feed.limits.max_message_size = 100;
    feed.feed(feed.frame(first::ends));
    CHECK(feed.messages == Messages{"failed 1009"});
}

TEST_CASE("assembler: more fragments than max_fragment_count are refused with 1009") {
    const Role receiver = any_role();
    Configuration limits;
    limits.max_fragment_count = 3;
    const auto result = [&](int count) {
        AssemblerFeed feed(receiver, limits);
        for (int i = 0; i < count && !feed.has_failed(); ++i)
            feed.feed(feed.frame((i == 0 ? 0x2u : 0x0u) | (i + 1 == count ? 0x80u : 0u), "x"));
        return feed.messages;
    };
    CHECK(result(2) == Messages{"binary xx"});
    CHECK(result(3) == Messages{"binary xxx"});
    CHECK(result(4) == Messages{"failed 1009"});
}

TEST_CASE("assembler: the count of fragments begins anew with each message") {
    Configuration limits;
    limits.max_fragment_count = 2;
    AssemblerFeed feed(any_role(), limits);
    for (int i = 0; i < 10; ++i) feed.feed(feed.frame(first::binary_begins, "x") + feed.frame(first::ping) + feed.frame(first::ends, "y"));
    CHECK(feed.messages.size() == 20);
    CHECK_FALSE(feed.has_failed());
}

TEST_CASE("assembler: a message without end is refused with 1009") {
    AssemblerFeed feed(any_role(), with_message_size(100'000));
    feed.feed(feed.frame(first::binary_begins, std::string(1000, 'x')));
    int fragments = 1;
    for (; fragments < 1000 && !feed.has_failed(); ++fragments) feed.feed(feed.frame(first::continues, std::string(1000, 'x')));
    CHECK(fragments == 101);
    CHECK(feed.messages == Messages{"failed 1009"});
}

TEST_CASE("assembler: a million empty fragments take no memory, and are bounded") {
    const Role receiver = any_role();
    Configuration limits;
    limits.max_fragment_count = 2'000'000;
    AssemblerFeed feed(receiver, limits);
    const std::string empty = feed.frame(first::continues);
    std::string batch;
    for (int i = 0; i < 1000; ++i) batch += empty;
    feed.feed(feed.frame(first::text_begins, "a"));
    const std::size_t before = heap_in_use();
    for (int i = 0; i < 1000; ++i) feed.feed(batch);
    CHECK(heap_in_use() <= before + batch.size());
    feed.feed(feed.frame(first::ends, "b"));
    CHECK(feed.messages == Messages{"text ab"});

    AssemblerFeed bounded(receiver);
    bounded.feed(bounded.frame(first::text_begins, "a"));
    int batches = 0;
    for (; batches < 1000 && !bounded.has_failed(); ++batches) bounded.feed(batch);
    CHECK(batches == 132);  // the default is 131,072
    CHECK(bounded.messages == Messages{"failed 1009"});
}

TEST_CASE("assembler: memory is taken for what came, not for what a header promises") {
    const Role receiver = any_role();
    AssemblerFeed feed(receiver, with_message_size(std::numeric_limits<std::size_t>::max()));
    const bool fin = GENERATE(false, true);
    const std::size_t before = heap_in_use();
    // Any try to reserve the whole would throw.
    feed.feed(feed.header(fin ? first::binary : first::binary_begins, absurd));
    CHECK(heap_in_use() <= before + 1024);
    const std::size_t growth = fin ? 4 : 2;
    const std::string piece(1000, 'x');
    for (std::size_t received = 1000; received <= 200'000; received += 1000) {
        feed.feed(piece);
        REQUIRE(heap_in_use() <= before + growth * received + 4096);
    }
    const std::span<char> target = feed.direct_target();
    CHECK(target.size() == Assembler::direct_maximum);
    CHECK(heap_in_use() <= before + growth * (200'000 + Assembler::direct_maximum) + 4096);
    CHECK(feed.messages.empty());
}

TEST_CASE("assembler: a collected message's memory is given back with the next call") {
    const Role receiver = any_role();
    AssemblerFeed feed(receiver);
    std::string content(100'000, 'x');
    const std::string start = feed.frame(first::binary_begins, content);
    const std::string end = feed.frame(first::ends);
    const std::size_t before = heap_in_use();
    {
        const support::ExactBytes bytes(start + end);
        std::span<char> rest = bytes.span();
        hawser::MessageView message;
        REQUIRE(feed.assembler.next(rest, feed.limits, message) == Assembler::Status::message);
        CHECK(message.content.size() == content.size());
        REQUIRE(feed.assembler.next(rest, feed.limits, message) == Assembler::Status::incomplete);
    }
    CHECK(heap_in_use() <= before + 1024);
}

TEST_CASE("assembler: a large frame's rest is received directly") {
    const Role receiver = any_role();
    const auto target_after = [&](std::uint64_t length, std::size_t received) {
        AssemblerFeed feed(receiver);
        feed.feed(feed.header(first::binary, length) + std::string(received, 'x'));
        return feed.direct_target().size();
    };
    AssemblerFeed idle(receiver);
    CHECK(idle.direct_target().empty());
    CHECK(target_after(Assembler::direct_minimum - 1, 0) == 0);
    CHECK(target_after(Assembler::direct_minimum, 0) == Assembler::direct_minimum);
    CHECK(target_after(Assembler::direct_minimum, 1) == 0);
    CHECK(target_after(Assembler::direct_minimum + 1, 1) == Assembler::direct_minimum);
    CHECK(target_after(Assembler::direct_maximum, 0) == Assembler::direct_maximum);
    CHECK(target_after(Assembler::direct_maximum + 1, 0) == Assembler::direct_maximum);
    CHECK(target_after(10 * Assembler::direct_maximum, 5000) == Assembler::direct_maximum);
}

namespace {

/// Long messages of connections that share a reactor.
struct Neighbours {
    explicit Neighbours(Role role) : receiver(role), idler(role) { idler.spare = &spare; }

    std::weak_ptr<hawser::Buffer> spare{};
    Role receiver;
    AssemblerFeed idler;  // a message that is under way all the time

    void start_idler() {
        idler.feed(idler.header(first::binary, Assembler::direct_minimum));
        REQUIRE_FALSE(idler.direct_target().empty());
    }
    void end_idler() { idler.feed(std::string(Assembler::direct_minimum, 'i')); }
    /// Directly where that goes, `most` bytes at once.
    void receive(const std::string& content, std::size_t most = Assembler::direct_maximum) {
        AssemblerFeed feed(receiver);
        feed.spare = &spare;
        const std::string frame = feed.frame(first::binary, content);
        for (std::string_view rest = frame; !rest.empty();) {
            std::size_t size = feed.feed_direct(rest, most);
            if (size == 0) feed.feed(rest.substr(0, size = std::min<std::size_t>(rest.size(), 1000)));
            rest.remove_prefix(size);
        }
        REQUIRE((feed.messages == Messages{"binary " + content}));
    }
    std::size_t spare_size() const { return spare.expired() ? 0 : spare.lock()->capacity(); }
};

constexpr std::size_t mebibyte = 1024 * 1024;

}  // namespace

TEST_CASE("assembler: a long message leaves its block to the next while another is under way") {
    Neighbours neighbours(any_role());
    neighbours.receive(std::string(mebibyte, 'a'));
    CHECK(neighbours.spare.expired());

    neighbours.start_idler();
    neighbours.receive(std::string(mebibyte, 'b'));
    CHECK(neighbours.spare_size() == mebibyte);
    const char* block = neighbours.spare.lock()->end();
    AssemblerFeed next(neighbours.receiver);
    next.spare = &neighbours.spare;
    next.feed(next.header(first::binary, mebibyte) + "x");
    CHECK(next.direct_target().data() == block + 1);
    next.feed(std::string(mebibyte - 1, 'c'));
    CHECK(next.messages.size() == 1);
    CHECK(neighbours.spare.lock()->end() == block);
    neighbours.receive(std::string(mebibyte + 1, 'd'));
    CHECK(neighbours.spare_size() == mebibyte + 1);
    // Much shorter ones do not keep it.
    neighbours.receive(std::string(mebibyte / 8, 'e'), 50'000);
    CHECK(neighbours.spare_size() == mebibyte / 8);
    // One that is never complete leaves nothing.
    {
        AssemblerFeed given_up(neighbours.receiver);
        given_up.spare = &neighbours.spare;
        given_up.feed(given_up.header(first::binary, mebibyte));
        REQUIRE_FALSE(given_up.direct_target().empty());
    }
    CHECK(neighbours.spare_size() <= mebibyte / 8);
    neighbours.end_idler();
    CHECK(neighbours.spare.expired());
}

TEST_CASE("assembler: the block of another message is taken for what came and is being received, not for what a header promises") {
    const Role receiver = any_role();
    const bool is_last = GENERATE(true, false);
    const std::size_t factor = is_last ? 4 : 2;
    for (const std::size_t received : {2u, 70'000u, 300'000u}) {
        for (const std::size_t more : {0u, 1u}) {
            Neighbours neighbours(receiver);
            neighbours.start_idler();
            const std::size_t size = factor * (received + Assembler::direct_maximum) + more;
            neighbours.receive(std::string(size, 'a'));
            REQUIRE(neighbours.spare_size() == size);

            AssemblerFeed feed(receiver, with_message_size(std::numeric_limits<std::size_t>::max()));
            feed.spare = &neighbours.spare;
            feed.feed(feed.header(is_last ? first::binary : first::binary_begins, absurd) + std::string(received, 'x'));
            REQUIRE(feed.direct_target().size() == Assembler::direct_maximum);
            CAPTURE(received, more);
            CHECK((neighbours.spare_size() < size) == (more == 0));
        }
    }
}

TEST_CASE("assembler: a message that is given up gives its memory back, one that was shown does not") {
    const Role receiver = any_role();
    Neighbours neighbours(receiver);
    neighbours.start_idler();
    neighbours.idler.assembler.abandon();
    CHECK(neighbours.spare.expired());

    AssemblerFeed feed(receiver);
    const support::ExactBytes bytes(feed.frame(first::text_begins, "abc") + feed.frame(first::ends, "def"));
    std::span<char> rest = bytes.span();
    hawser::MessageView message;
    REQUIRE(feed.assembler.next(rest, feed.limits, message) == Assembler::Status::message);
    feed.assembler.abandon();
    CHECK(message.content == "abcdef");
}

TEST_CASE("assembler: direct and ordinary input may alternate") {
    const Role receiver = any_role();
    for (unsigned seed = 1; seed <= 30; ++seed) {
        CAPTURE(support::role_name(receiver), seed);
        std::mt19937 random(seed);
        AssemblerFeed feed(receiver);
        // Beside another long message, blocks go from one to the next.
        Neighbours neighbours(receiver);
        feed.spare = &neighbours.spare;
        if (seed % 2 == 0) neighbours.start_idler();
        std::string stream;
        Messages expected;
        for (int i = 0; i < 4; ++i) {
            std::string content(random() % 400'000, '\0');
            std::generate(content.begin(), content.end(), [&] { return static_cast<char>('a' + random() % 26); });
            const std::size_t cut = random() % (content.size() + 1);
            stream += feed.frame(first::text_begins, content.substr(0, cut)) + feed.frame(first::ping, "p") +
                      feed.frame(first::ends, content.substr(cut)) + feed.frame(first::binary, content);
            expected.insert(expected.end(), {"ping p", "text " + content, "binary " + content});
        }
        std::size_t direct = 0;
        for (std::string_view rest = stream; !rest.empty();) {
            const std::size_t most = 1 + random() % 100'000;
            std::size_t size = random() % 2 == 0 ? feed.feed_direct(rest, most) : 0;
            direct += size;
            if (size == 0) feed.feed(rest.substr(0, size = std::min(most, rest.size())));
            rest.remove_prefix(size);
        }
        REQUIRE((feed.messages == expected));
        CHECK(direct > 0);
    }
}

TEST_CASE("assembler: text that is received directly is checked for UTF-8 too") {
    AssemblerFeed feed(any_role());
    const std::string frame = feed.frame(first::text, std::string(50'000, 'a') + "\xFF" + std::string(50'000, 'a'));
    feed.feed(std::string_view(frame).substr(0, 100));
    CHECK(feed.feed_direct(std::string_view(frame).substr(100), 40'000) == 40'000);
    CHECK(feed.messages.empty());
    feed.feed_direct(std::string_view(frame).substr(40'100), 40'000);
    CHECK(feed.messages == Messages{"failed 1007"});
}
