#include "types/time.hpp"

#include <chrono>

#include "support/catch.hpp"

using hawser::later;
using hawser::Seconds;
using hawser::seconds_text;
using hawser::TimePoint;

TEST_CASE("time: later adds whole seconds and fractions") {
    const TimePoint from(std::chrono::hours(7));
    CHECK(later(from, Seconds(0)) == from);
    CHECK(later(from, Seconds(60)) == from + std::chrono::minutes(1));
    CHECK(later(from, Seconds(0.25)) == from + std::chrono::milliseconds(250));
    CHECK(later(from, std::chrono::hours(24 * 3650)) == from + std::chrono::hours(24 * 3650));
}

TEST_CASE("time: a wait is named as short as it can be") {
    CHECK(seconds_text(Seconds(10)) == "10 s");
    CHECK(seconds_text(Seconds(0.25)) == "0.25 s");
    CHECK(seconds_text(Seconds(0)) == "0 s");
    CHECK(seconds_text(std::chrono::milliseconds(1500)) == "1.5 s");
    CHECK(seconds_text(std::chrono::hours(24 * 3650)) == "3.1536e+08 s");
}
