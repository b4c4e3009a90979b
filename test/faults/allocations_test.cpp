#include <ares.h>
#include <mbedtls/version.h>

#include <limits>
#include <string_view>
#include <utility>

#include "faults/plan.hpp"
#include "faults/scenario.hpp"
#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/descriptors.hpp"

using namespace faults;

namespace {

std::pair<Outcome, bool> play_with(Scenario scenario, std::size_t nth) {
    const Armed armed("allocation", 0, nth);
    const Outcome outcome = play(scenario);
    return {outcome, armed.has_struck()};
}

#if ARES_VERSION >= 0x012206
/// How many blocks of c-ares each answer of the name server is.
std::size_t blocks_of_answer() {
    constexpr std::string_view answer(
        "\0\0\x81\x80\0\1\0\1\0\0\0\0\4host\4test\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1", 43);
    const std::size_t before = live_blocks();
    ares_dns_record_t* record = nullptr;
    REQUIRE(ares_dns_parse(reinterpret_cast<const unsigned char*>(answer.data()), answer.size(), 0, &record) == ARES_SUCCESS);
    const std::size_t blocks = live_blocks() - before;
    ares_dns_record_destroy(record);
    return blocks;
}
#else
std::size_t blocks_of_answer() { return 0; }
#endif

/// How many blocks one failure may leave behind, by no fault of ours, and how many failures may.
struct Losses {
    std::size_t blocks = 0, most = 0, count = 0;
};

Losses losses_of(Scenario scenario) {
    // c-ares 1.34.6 and later collect answers in a list before they report them, and lose the one for which there is no memory to make that
    // list, or to have it grow: of each of the two families.
    if (scenario == Scenario::look_up) return {blocks_of_answer(), 4};
    // Of a pair of ciphers for TLS 1.3, mbedTLS 3 loses the first where there is no memory for the second. Either end has a pair for the
    // handshake and one for what comes behind. How many allocations come before varies, and so may one of these fail more than once.
    if (scenario == Scenario::tls && MBEDTLS_VERSION_MAJOR >= 3) return {1, 16};
    return {};
}

/// Plays it with the first allocation failing, then the second …, until none is left to fail; behind the first `skip` not each any more.
/// Returns how many there were, or a few more.
std::size_t fail_each_allocation(Scenario scenario, std::size_t skip = std::numeric_limits<std::size_t>::max()) {
    // What is made once for the process is made now.
    for (int i = 0; i < 2; ++i) REQUIRE(play(scenario).is_whole);
    Losses losses = losses_of(scenario);
    for (std::size_t nth = 1;; nth += 1 + nth / skip) {
        INFO("allocation number " << nth << " fails");
        const std::size_t descriptors = support::open_descriptors();
        const std::size_t blocks = live_blocks();
        const auto [outcome, has_struck] = play_with(scenario, nth);
        const std::size_t blocks_left = live_blocks() - blocks;
        INFO("told: " << outcome.first_told.data());
        REQUIRE(outcome.is_over);
        REQUIRE(outcome.is_balanced);
        REQUIRE((outcome.is_whole || outcome.is_told));
        if (blocks_left != 0) {
            REQUIRE(blocks_left == losses.blocks);
            REQUIRE(++losses.count <= losses.most);
        }
        REQUIRE(support::open_descriptors() == descriptors);
        if (!has_struck) {
            REQUIRE(outcome.is_whole);
            return nth - 1;
        }
    }
}

}  // namespace

TEST_CASE("allocations: each fails, plain") { CHECK(fail_each_allocation(Scenario::plain) > 50); }
TEST_CASE("allocations: each fails, compressed") { CHECK(fail_each_allocation(Scenario::compressed) > 50); }
TEST_CASE("allocations: each fails, TLS") {
    support::Authority::instance();
    // mbedTLS makes tens of thousands.
    CHECK(fail_each_allocation(Scenario::tls, 100) > 50);
}
TEST_CASE("allocations: each single one fails, TLS", "[.][slow]") {
    support::Authority::instance();
    CHECK(fail_each_allocation(Scenario::tls) > 10'000);
}
TEST_CASE("allocations: each fails, look-up of a name") { CHECK(fail_each_allocation(Scenario::look_up) > 50); }
