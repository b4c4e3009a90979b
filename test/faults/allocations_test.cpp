#include <ares.h>

#include <limits>
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

/// How many blocks a failure may leave behind: c-ares 1.34.6 and later lose an answer, which is 9 blocks of theirs, when they have no
/// memory to note that it is to be reported.
std::size_t most_lost(Scenario scenario) {
    int version = 0;
    ares_version(&version);
    return scenario == Scenario::look_up && version >= 0x012206 ? 9 : 0;
}

/// Plays it with the first allocation failing, then the second …, until none is left to fail; behind the first `skip` not each any more.
/// Returns how many there were, or a few more.
std::size_t fail_each_allocation(Scenario scenario, std::size_t skip = std::numeric_limits<std::size_t>::max()) {
    // What is made once for the process is made now.
    for (int i = 0; i < 2; ++i) REQUIRE(play(scenario).is_whole);
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
        REQUIRE(blocks_left <= most_lost(scenario));
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
