#include <hawser/configuration.hpp>

#include <cmath>
#include <limits>

#include <hawser/error.hpp>

#include "support/catch.hpp"

using namespace hawser;

namespace {

constexpr Seconds ten_years = std::chrono::hours(24 * 3650);

std::string refusal(const Configuration& configuration) {
    try {
        configuration.validate();
        return {};
    } catch (const Error& error) {
        CHECK(error.errc() == Errc::invalid_option);
        return error.what();
    }
}

std::string refusal(Seconds Configuration::*field, Seconds value) {
    Configuration configuration;
    configuration.*field = value;
    return refusal(configuration);
}

std::string refusal(std::size_t Configuration::*field, std::size_t value) {
    Configuration configuration;
    configuration.*field = value;
    return refusal(configuration);
}

}  // namespace

TEST_CASE("configuration: the defaults are valid") { CHECK(refusal(Configuration{}).empty()); }

TEST_CASE("configuration: a duration is a number from its least to ten years") {
    const std::pair<const char*, Seconds Configuration::*> fields[] = {
        {"timeout", &Configuration::timeout},
        {"handshake_timeout", &Configuration::handshake_timeout},
        {"close_timeout", &Configuration::close_timeout},
        {"tick_interval", &Configuration::tick_interval},
    };
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (const auto& [name, field] : fields) {
        CAPTURE(name);
        const double least = field == &Configuration::tick_interval ? 0.001 : 0;
        CHECK(refusal(field, Seconds(least)).empty());
        CHECK(refusal(field, ten_years).empty());
        for (const double wrong : {std::nextafter(least, -1.0), -1.0, -infinity, std::nextafter(ten_years.count(), infinity), infinity,
                                   std::numeric_limits<double>::quiet_NaN()}) {
            CAPTURE(wrong);
            CHECK_THAT(refusal(field, Seconds(wrong)), Catch::Matchers::StartsWith(std::string("setting ") + name + " is "));
        }
    }
}

TEST_CASE("configuration: a bound is at least what a connection cannot do without") {
    const std::tuple<const char*, std::size_t Configuration::*, std::size_t> fields[] = {
        {"frame_size", &Configuration::frame_size, 1},
        {"max_head_size", &Configuration::max_head_size, 512},
        {"max_header_count", &Configuration::max_header_count, 5},
        {"max_message_size", &Configuration::max_message_size, 1},
        {"max_fragment_count", &Configuration::max_fragment_count, 1},
        {"max_buffered_amount", &Configuration::max_buffered_amount, 1},
        {"max_queued_pongs", &Configuration::max_queued_pongs, 1},
    };
    for (const auto& [name, field, least] : fields) {
        CAPTURE(name);
        CHECK(refusal(field, least).empty());
        CHECK(refusal(field, least + 1).empty());
        CHECK(refusal(field, std::numeric_limits<std::size_t>::max()).empty());
        CHECK(refusal(field, least - 1) ==
              std::string("setting ") + name + " is " + std::to_string(least - 1) + ", must be at least " + std::to_string(least));
    }
    CHECK(refusal(&Configuration::max_connections, 0).empty());
}

TEST_CASE("configuration: the low-water mark is not above the high one") {
    Configuration configuration;
    configuration.high_water_mark = configuration.low_water_mark = 10;
    CHECK(refusal(configuration).empty());
    configuration.low_water_mark = 11;
    CHECK(refusal(configuration) == "setting low_water_mark is 11, must be at most high_water_mark, 10");
    configuration.high_water_mark = configuration.low_water_mark = 0;
    CHECK(refusal(configuration).empty());
}

TEST_CASE("configuration: a refusal names the setting, its value and the range") {
    CHECK(refusal(&Configuration::tick_interval, Seconds(0)) == "setting tick_interval is 0 s, must be 0.001 s to 10 years");
    CHECK(refusal(&Configuration::timeout, Seconds(-1)) == "setting timeout is -1 s, must be 0 s to 10 years");
}
