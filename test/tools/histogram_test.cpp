#include "bench/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "support/catch.hpp"

using hawser::bench::Histogram;

namespace {

constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();

/// What quantile() says of a value that lies below some larger one.
std::uint64_t told(std::uint64_t value) {
    Histogram histogram;
    histogram.add(value);
    histogram.add(largest);
    return histogram.quantile(0.5);
}

}  // namespace

TEST_CASE("histogram: empty, it tells 0") {
    const Histogram histogram;
    CHECK(histogram.count() == 0);
    CHECK(histogram.max() == 0);
    CHECK(histogram.quantile(0) == 0);
    CHECK(histogram.quantile(1) == 0);
}

TEST_CASE("histogram: small values are exact") {
    for (std::uint64_t value = 0; value < 256; ++value) CHECK(told(value) == value);
}

TEST_CASE("histogram: around each power of two, a value is told as itself or less than 0.8 % above") {
    for (int power = 1; power < 64; ++power) {
        const std::uint64_t round = std::uint64_t{1} << power;
        for (const std::uint64_t value : {round - 1, round, round + 1, round + round / 2}) {
            CAPTURE(value);
            CHECK(told(value) >= value);
            CHECK(static_cast<double>(told(value) - value) < 0.008 * static_cast<double>(value));
        }
    }
}

TEST_CASE("histogram: the largest value is told as it is") {
    for (const std::uint64_t value : {std::uint64_t{1'000'001}, largest - 1, largest}) {
        Histogram histogram;
        histogram.add(3);
        histogram.add(value);
        CHECK(histogram.max() == value);
        CHECK(histogram.quantile(1) == value);
    }
}

TEST_CASE("histogram: a quantile is the least value that has its share at or below it") {
    Histogram histogram;
    for (std::uint64_t value = 1; value <= 100; ++value) histogram.add(value);
    CHECK(histogram.count() == 100);
    CHECK(histogram.quantile(0) == 1);
    CHECK(histogram.quantile(0.01) == 1);
    CHECK(histogram.quantile(0.5) == 50);
    CHECK(histogram.quantile(0.505) == 51);
    CHECK(histogram.quantile(0.99) == 99);
    CHECK(histogram.quantile(0.999) == 100);
}

TEST_CASE("histogram: quantiles of many values are those of the sorted values") {
    std::mt19937_64 random(1);
    std::lognormal_distribution<double> latencies(10, 2);
    Histogram histogram;
    std::vector<std::uint64_t> values(20'000);
    for (std::uint64_t& value : values) histogram.add(value = static_cast<std::uint64_t>(latencies(random)));
    std::sort(values.begin(), values.end());
    for (const double share : {0.001, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
        CAPTURE(share);
        const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
        const std::uint64_t exact = values[rank - 1];
        CHECK(histogram.quantile(share) >= exact);
        CHECK(static_cast<double>(histogram.quantile(share)) <= 1.008 * static_cast<double>(exact));
    }
}

TEST_CASE("histogram: cleared, it is as new") {
    Histogram histogram;
    histogram.add(1'000'000);
    histogram.clear();
    CHECK(histogram.count() == 0);
    histogram.add(7);
    CHECK(histogram.max() == 7);
    CHECK(histogram.quantile(0.5) == 7);
}
