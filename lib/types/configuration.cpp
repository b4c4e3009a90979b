#include <hawser/configuration.hpp>

#include <array>
#include <string>

#include <hawser/error.hpp>

#include "types/time.hpp"

namespace hawser {
namespace {

struct Duration {
    const char* name;
    Seconds Configuration::*value;
    Seconds least;
};

constexpr std::array durations = {
    Duration{"timeout", &Configuration::timeout, Seconds(0)},
    Duration{"handshake_timeout", &Configuration::handshake_timeout, Seconds(0)},
    Duration{"close_timeout", &Configuration::close_timeout, Seconds(0)},
    Duration{"tick_interval", &Configuration::tick_interval, Seconds(0.001)},
};

struct Size {
    const char* name;
    std::size_t Configuration::*value;
    std::size_t least;
};

constexpr std::array sizes = {
    Size{"frame_size", &Configuration::frame_size, 1},
    // A browser's request has some 500 bytes.
    Size{"max_head_size", &Configuration::max_head_size, 512},
    // Host, Upgrade, Connection, Sec-WebSocket-Key and Sec-WebSocket-Version (RFC 6455, section 4.1).
    Size{"max_header_count", &Configuration::max_header_count, 5},
    Size{"max_message_size", &Configuration::max_message_size, 1},
    Size{"max_fragment_count", &Configuration::max_fragment_count, 1},
    Size{"max_buffered_amount", &Configuration::max_buffered_amount, 1},
    Size{"max_queued_pongs", &Configuration::max_queued_pongs, 1},
};

[[noreturn]] void refuse(const std::string& name, const std::string& value, const std::string& range) {
    throw Error(Errc::invalid_option, "setting " + name + " is " + value + ", must be " + range);
}

}  // namespace

void Configuration::validate() const {
    for (const Duration& duration : durations) {
        const Seconds value = this->*duration.value;
        // Written so that NaN fails it too.
        if (value >= duration.least && value <= longest_wait) continue;
        refuse(duration.name, seconds_text(value), seconds_text(duration.least) + " to 10 years");
    }
    for (const Size& size : sizes) {
        const std::size_t value = this->*size.value;
        if (value < size.least) refuse(size.name, std::to_string(value), "at least " + std::to_string(size.least));
    }
    if (low_water_mark > high_water_mark) {
        refuse("low_water_mark", std::to_string(low_water_mark), "at most high_water_mark, " + std::to_string(high_water_mark));
    }
}

}  // namespace hawser
