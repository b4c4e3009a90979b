#include "connection/outbox.hpp"

#include <array>
#include <random>

#include "support/catch.hpp"

using hawser::connection::Outbox;

namespace {

std::shared_ptr<const std::string> shared(std::size_t size, char fill = 's') { return std::make_shared<const std::string>(size, fill); }

/// What describe() tells, with room for so many slices.
std::string described(const Outbox& outbox, std::size_t slices = 64) {
    std::array<iovec, 64> all;
    const std::size_t count = outbox.describe({all.data(), slices});
    std::string bytes;
    for (std::size_t i = 0; i < count; ++i) bytes.append(static_cast<const char*>(all[i].iov_base), all[i].iov_len);
    return bytes;
}

}  // namespace

TEST_CASE("outbox: an empty one describes nothing", "[outbox]") {
    Outbox outbox;
    CHECK(outbox.empty());
    CHECK(outbox.size() == 0);
    CHECK(described(outbox).empty());
    outbox.append({});
    CHECK(outbox.empty());
    CHECK(described(outbox).empty());
    outbox.clear();
    CHECK(outbox.empty());
}

TEST_CASE("outbox: bytes come out in the order in which they went in, own and shared ones", "[outbox]") {
    Outbox outbox;
    outbox.append("first ");
    std::string("reserved ").copy(outbox.reserve(9), 9);
    outbox.append_shared(shared(300));
    outbox.append(" behind");
    const std::string all = "first reserved " + std::string(300, 's') + " behind";
    CHECK(outbox.size() == all.size());
    CHECK(described(outbox) == all);
    CHECK(described(outbox, 1) == "first reserved ");
    CHECK(described(outbox, 2) == all.substr(0, 315));
    outbox.consume(6);
    CHECK(described(outbox) == all.substr(6));
    outbox.consume(9);
    CHECK(described(outbox) == all.substr(15));
    outbox.consume(100);
    CHECK(described(outbox, 1) == std::string(200, 's'));
    CHECK(outbox.size() == 207);
    outbox.consume(207);
    CHECK(outbox.empty());
    CHECK(described(outbox).empty());
}

TEST_CASE("outbox: shared bytes are the same object, unless copying is cheaper", "[outbox]") {
    const std::size_t size = GENERATE(Outbox::share_minimum - 1, Outbox::share_minimum, Outbox::share_minimum + 1);
    Outbox outbox;
    const auto bytes = shared(size);
    outbox.append_shared(bytes);
    std::array<iovec, 1> slice;
    REQUIRE(outbox.describe(slice) == 1);
    const bool is_shared = size >= Outbox::share_minimum;
    CHECK((slice[0].iov_base == bytes->data()) == is_shared);
    CHECK(bytes.use_count() == (is_shared ? 2 : 1));
    SECTION("given back when sent") { outbox.consume(size); }
    SECTION("given back when cleared") { outbox.clear(); }
    CHECK(bytes.use_count() == 1);
    CHECK(outbox.empty());
}

TEST_CASE("outbox: one that is filled and emptied in turns loses nothing", "[outbox]") {
    const unsigned seed = GENERATE(range(1u, 21u));
    CAPTURE(seed);
    std::mt19937 random(seed);
    Outbox outbox;
    std::string model;
    const auto up_to = [&](std::size_t most) { return random() % (most + 1); };
    for (int step = 0; step < 300; ++step) {
        const std::size_t size = up_to(random() % 20 == 0 ? 300'000 : 600);
        const char fill = static_cast<char>('a' + step % 26);
        switch (random() % 5) {
            case 0: outbox.append(std::string(size, fill)); break;
            case 1: outbox.append_shared(shared(size, fill)); break;
            case 2: std::fill_n(outbox.reserve(size + 1), size + 1, fill), model += fill; break;
            default: {
                const std::size_t sent = up_to(model.size());
                outbox.consume(sent);
                model.erase(0, sent);
                continue;
            }
        }
        model.append(size, fill);
        REQUIRE(outbox.size() == model.size());
        const std::string seen = described(outbox);
        REQUIRE(model.starts_with(seen));
        REQUIRE(seen.empty() == model.empty());
    }
}
