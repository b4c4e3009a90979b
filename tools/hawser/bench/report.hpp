#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "histogram.hpp"
#include "plan.hpp"

namespace hawser::bench {

/// What a load has come to, in the measured time.
struct Report {
    const Plan& plan;
    double seconds = 0;
    std::uint64_t messages = 0;
    std::uint64_t handshakes = 0;
    std::uint64_t errors = 0;
    /// In nanoseconds.
    Histogram latency{};
    double client_cpu_seconds = 0;
    std::optional<double> server_cpu_seconds{};
    std::optional<double> rss_bytes_per_connection{};
};

/// For people.
std::string to_table(const Report& report);
std::string to_json(const Report& report);

}  // namespace hawser::bench
