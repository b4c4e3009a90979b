#include "protocol/deflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/frames.hpp"

using namespace hawser::protocol;
using hawser::Buffer;
using hawser::MessageView;
using hawser::Opcode;
using support::ExactBytes;
using Status = Inflater::Status;

namespace {

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

std::shared_ptr<DeflatePool> a_pool() { return std::make_shared<DeflatePool>(); }

/// What a message comes to, fed in pieces of this size; "corrupt" or "too big" if it fails.
std::string inflated(Inflater& inflater, std::string_view payload, std::size_t limit = unlimited, std::size_t piece = unlimited) {
    Buffer out;
    Status status = Status::ok;
    for (std::size_t at = 0; at < payload.size() && status == Status::ok; at += piece) {
        const ExactBytes exact(payload.substr(at, piece));
        status = inflater.feed({exact.span().data(), exact.span().size()}, out, limit);
        CHECK(out.size() <= limit);
        if (piece >= payload.size()) break;
    }
    if (status == Status::ok) status = inflater.finish(out, limit);
    if (status == Status::ok) return std::string(out.view());
    return status == Status::corrupt ? "corrupt" : "too big";
}

std::string inflated(std::string_view payload, std::size_t limit = unlimited, std::size_t piece = unlimited) {
    Inflater inflater(15, true, a_pool());
    return inflated(inflater, payload, limit, piece);
}

std::string deflated(std::string_view content, const DeflateSettings& settings = {}) {
    return std::string(Deflater(settings, true, 0, a_pool()).compress(content).view());
}

/// Text that compresses, or noise that does not.
std::string random_content(std::mt19937& random, std::size_t size, bool noise) {
    std::string content;
    while (content.size() < size) {
        if (noise)
            content += static_cast<char>(random());
        else
            content += "word" + std::to_string(random() % 1000) + " ";
    }
    content.resize(size);
    return content;
}

std::string bytes(std::initializer_list<unsigned> values) {
    std::string text;
    for (const unsigned value : values) text += static_cast<char>(value);
    return text;
}

}  // namespace

TEST_CASE("deflate: the examples of RFC 7692 are inflated") {
    const std::string one = bytes({0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00});
    CHECK(inflated(one) == "Hello");
    CHECK(deflated("Hello") == one);
    SECTION("two messages that share the window") {
        Inflater inflater(15, true, a_pool());
        CHECK(inflated(inflater, one) == "Hello");
        CHECK(inflated(inflater, bytes({0xF2, 0x00, 0x11, 0x00, 0x00})) == "Hello");
    }
    SECTION("a block without compression") {
        CHECK(inflated(bytes({0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00})) == "Hello");
    }
    SECTION("a block that calls itself the last") { CHECK(inflated(bytes({0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00})) == "Hello"); }
    SECTION("two blocks") {
        CHECK(inflated(bytes({0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00})) == "Hello");
    }
    SECTION("an empty message") { CHECK(inflated(bytes({0x00})).empty()); }
}

TEST_CASE("deflate: the window outlives a block that calls itself the last") {
    Inflater inflater(15, true, a_pool());
    const std::string last = bytes({0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00});
    CHECK(inflated(inflater, last + last + bytes({0x00})) == "HelloHello");
    CHECK(inflated(inflater, bytes({0xF2, 0x00, 0x11, 0x00, 0x00})) == "Hello");
    std::string many;
    for (int i = 0; i < 100'000; ++i) many += last;
    CHECK(inflated(inflater, many + bytes({0x00})).size() == 500'000);
}

TEST_CASE("deflate: what one end compresses the other inflates, with any settings and in any pieces") {
    const unsigned seed = 20'170;
    CAPTURE(seed);
    std::mt19937 random(seed);
    for (int window_bits = 9; window_bits <= 15; ++window_bits)
        for (const bool takes_over : {true, false})
            for (const int memory_level : {1, 5, 9}) {
                CAPTURE(window_bits, takes_over, memory_level);
                const auto pool = a_pool();
                Deflater deflater({window_bits, memory_level, 1 + static_cast<int>(random() % 9)}, takes_over, 0, pool);
                Inflater inflater(window_bits, takes_over, pool);
                for (int i = 0; i < 12; ++i) {
                    const std::string content = random_content(random, 1 + random() % (i % 4 == 0 ? 100'000 : 500), i % 3 == 0);
                    const Buffer payload = deflater.compress(content);
                    const std::size_t piece = 1 + random() % (payload.size() / (1 + random() % 50) + 1);
                    REQUIRE(inflated(inflater, payload.view(), content.size(), piece) == content);
                }
            }
}

TEST_CASE("deflate: every split of a message gives the same") {
    const std::string content = "a message, a message; and a message more: 0123456789";
    const std::string payload = deflated(content);
    for (std::size_t first = 0; first <= payload.size(); ++first)
        for (std::size_t second = first; second <= payload.size(); ++second) {
            Inflater inflater(15, true, a_pool());
            Buffer out;
            REQUIRE(inflater.feed(payload.substr(0, first), out, unlimited) == Status::ok);
            REQUIRE(inflater.feed(payload.substr(first, second - first), out, unlimited) == Status::ok);
            REQUIRE(inflater.feed(payload.substr(second), out, unlimited) == Status::ok);
            REQUIRE(inflater.finish(out, unlimited) == Status::ok);
            REQUIRE(out.view() == content);
        }
}

TEST_CASE("deflate: messages far larger than what zlib is given at once") {
    std::mt19937 random(7);
    for (const std::size_t size : {256u * 1024 - 1, 256u * 1024, 256u * 1024 + 1, 3u * 1024 * 1024}) {
        for (const bool noise : {false, true}) {
            const std::string content = random_content(random, size, noise);
            CHECK(inflated(deflated(content)) == content);
        }
    }
}

#if SIZE_MAX > UINT32_MAX
TEST_CASE("deflate: a message over 4 GiB is compressed to its end", "[.huge]") {
    // Pages that are read only are all the same one: this takes time, but no memory.
    const std::size_t size = (std::size_t{1} << 32) + 5;
    std::unique_ptr<char, void (*)(void*)> zeros(static_cast<char*>(std::calloc(size, 1)), std::free);
    REQUIRE(zeros);
    const Buffer payload = Deflater({.level = 1}, true, 0, a_pool()).compress({zeros.get(), size});
    z_stream stream{};
    REQUIRE(inflateInit2(&stream, -15) == Z_OK);
    std::vector<Bytef> out(1 << 20);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(payload.view().data()));
    stream.avail_in = static_cast<uInt>(payload.size());
    std::size_t total = 0;
    do {
        stream.next_out = out.data();
        stream.avail_out = static_cast<uInt>(out.size());
        ::inflate(&stream, Z_SYNC_FLUSH);
        total += out.size() - stream.avail_out;
    } while (stream.avail_out == 0);
    inflateEnd(&stream);
    CHECK(total == size);
}
#endif

TEST_CASE("deflate: a message may inflate to the limit, and not to a byte more") {
    const std::size_t size = GENERATE(std::size_t{1}, 5, 1000, 65'536, 1'000'000);
    const std::string payload = deflated(std::string(size, 'x'));
    const std::size_t piece = GENERATE(std::size_t{1}, unlimited);
    CHECK(inflated(payload, size + 1, piece) == std::string(size, 'x'));
    CHECK(inflated(payload, size, piece) == std::string(size, 'x'));
    CHECK(inflated(payload, size - 1, piece) == "too big");
    CHECK(inflated(payload, 0, piece) == "too big");
}

TEST_CASE("deflate: the room for a message grows to twice what is known of it, and neither over the limit nor round to little") {
    constexpr std::size_t little = 2048, last_to_double = (unlimited - little) / 2;
    CHECK(next_capacity(0, 0, unlimited) == little);
    const auto of_known = [bytes_are_waiting = GENERATE(false, true)](std::size_t known, std::size_t limit) {
        return bytes_are_waiting ? next_capacity(known / 2, known, limit) : next_capacity(known, known / 2, limit);
    };
    for (const std::size_t limit : {4047U, 4048U, 4049U}) CHECK(of_known(1000, limit) == std::min<std::size_t>(limit, 4048));
    CHECK(of_known(last_to_double - 1, unlimited) == unlimited - 3);
    CHECK(of_known(last_to_double, unlimited) == unlimited - 1);
    CHECK(of_known(last_to_double + 1, unlimited) == unlimited);
    CHECK(of_known(last_to_double + 1, unlimited - 1) == unlimited - 1);
    CHECK(of_known(unlimited - 1, unlimited) == unlimited);
}

TEST_CASE("deflate: an empty message fits a limit of 0") { CHECK(inflated(bytes({0x00}), 0).empty()); }

TEST_CASE("deflate: a bomb goes off within its bound, whatever comes behind it") {
    const std::string bomb = deflated(std::string(100'000'000, '\0'));
    REQUIRE(bomb.size() < 100'100);
    const std::string corrupt = bytes({0x07, 0xFF, 0xFF});
    for (const std::string& payload : {bomb, bomb + corrupt}) {
        Inflater inflater(15, true, a_pool());
        Buffer out;
        CHECK(inflater.feed(payload, out, 1'000'000) == Status::too_big);
        CHECK(out.size() == 1'000'000);
        CHECK(out.capacity() <= 1'000'000);
    }
    CHECK(inflated(deflated("small") + bytes({0x00, 0x00, 0xFF, 0xFF}) + corrupt, 1'000'000) == "corrupt");
}

TEST_CASE("deflate: what is cut off is corrupt") {
    std::mt19937 random(3);
    const std::string payload = deflated(random_content(random, 3000, false));
    for (std::size_t size = 0; size < payload.size(); ++size) {
        CAPTURE(size);
        CHECK(inflated(payload.substr(0, size)) == "corrupt");
    }
    CHECK(inflated("") == "corrupt");
}

TEST_CASE("deflate: what no compressor makes is corrupt") {
    CHECK(inflated(bytes({0x07})) == "corrupt");                                        // a kind of block that does not exist
    CHECK(inflated(bytes({0x00, 0x05, 0x00, 0x00, 0x00})) == "corrupt");                // a length without its complement
    CHECK(inflated(bytes({0xF2, 0x00, 0x11, 0x00, 0x00})) == "corrupt");                // refers to what there never was
    CHECK(inflated(deflated("Hello") + bytes({0x00, 0x00, 0xFF, 0xFF})) == "corrupt");  // the tail was not taken off
    CHECK(inflated(deflated("Hello") + "more") == "corrupt");
}

TEST_CASE("deflate: random bytes never come to more than the limit") {
    const unsigned seed = 411;
    CAPTURE(seed);
    std::mt19937 random(seed);
    for (int i = 0; i < 3000; ++i) {
        std::string payload = i % 2 == 0 ? random_content(random, random() % 300, true) : deflated(random_content(random, 500, false));
        if (i % 2 != 0) payload[random() % payload.size()] ^= static_cast<char>(1u << random() % 8);
        Inflater inflater(9, i % 4 < 2, a_pool());
        inflated(inflater, payload, 1000, 1 + random() % 100);
    }
}

TEST_CASE("deflate: without context takeover each message stands alone, and nothing is kept between messages") {
    const auto pool = a_pool();
    Deflater deflater({}, false, 0, pool);
    const std::string first(deflater.compress("Hello").view());
    CHECK(deflater.compress("Hello").view() == first);
    Inflater inflater(15, false, pool);
    CHECK(inflated(inflater, first) == "Hello");
    CHECK(inflated(inflater, bytes({0xF2, 0x00, 0x11, 0x00, 0x00})) == "corrupt");
}

TEST_CASE("deflate: a message that stands alone comes out as its settings have it, whatever its size") {
    std::mt19937 random(7);
    const DeflateSettings settings{15, 9, 9};
    Deflater deflater(settings, false, 0, a_pool());
    // The powers of two are where zlib's blocks end, and 262 bytes below them its windows.
    for (std::size_t power = 512; power <= 64 * 1024; power *= 2)
        for (const std::size_t middle : {power, power - 262})
            for (std::size_t size = middle - 2; size <= middle + 2; ++size)
                for (const bool noise : {true, false}) {
                    CAPTURE(size, noise);
                    std::string content = random_content(random, size, noise);
                    // The end repeats the beginning, which a smaller window has lost by then.
                    if (!noise) content.replace(size - 20, 20, content, 0, 20);
                    CHECK(deflater.compress(content).view() == deflated(content, settings));
                }
}

TEST_CASE("deflate: connections that share a pool do not disturb each other within their messages") {
    const auto pool = a_pool();
    const std::string payload = deflated("Hello, Hello, Hello");
    std::vector<std::unique_ptr<Inflater>> inflaters;
    std::vector<Buffer> outs(10);
    for (int i = 0; i < 10; ++i) inflaters.push_back(std::make_unique<Inflater>(15, false, pool));
    for (int round = 0; round < 2; ++round) {
        for (std::size_t at = 0; at < payload.size(); ++at)
            for (std::size_t i = 0; i < 10; ++i) REQUIRE(inflaters[i]->feed(payload.substr(at, 1), outs[i], unlimited) == Status::ok);
        for (std::size_t i = 0; i < 10; ++i) {
            REQUIRE(inflaters[i]->finish(outs[i], unlimited) == Status::ok);
            CHECK(outs[i].view() == "Hello, Hello, Hello");
            outs[i].clear();
        }
    }
}

TEST_CASE("deflate: compressors of different settings are different ones of the pool") {
    const auto pool = a_pool();
    const z_stream* first = &pool->deflater({});
    CHECK(&pool->deflater({.window_bits = 9}) != first);
    CHECK(&pool->deflater({.memory_level = 9}) != first);
    CHECK(&pool->deflater({.level = 1}) != first);
    CHECK(&pool->deflater({}) == first);
    CHECK(DeflateSettings{15, 8, 6}.key() != DeflateSettings{15, 8, 7}.key());
    CHECK(DeflateSettings{15, 8, 6}.key() != DeflateSettings{15, 9, 6}.key());
    CHECK(DeflateSettings{14, 8, 6}.key() != DeflateSettings{15, 8, 6}.key());
}

TEST_CASE("deflate: short, empty and exempted messages, and all control messages, are not compressed") {
    const Deflater deflater({}, true, 10, a_pool());
    CHECK_FALSE(deflater.wants({Opcode::text, "123456789"}));
    CHECK(deflater.wants({Opcode::text, "1234567890"}));
    CHECK(deflater.wants({Opcode::binary, "12345678901"}));
    CHECK_FALSE(deflater.wants({Opcode::ping, "12345678901"}));
    CHECK_FALSE(deflater.wants({Opcode::close, "12345678901", hawser::CloseCode::normal}));
    MessageView exempted{Opcode::text, "12345678901"};
    exempted.compress = false;
    CHECK_FALSE(deflater.wants(exempted));
    CHECK_FALSE(Deflater({}, true, 0, a_pool()).wants({Opcode::text, ""}));
}
