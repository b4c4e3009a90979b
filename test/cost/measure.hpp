#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iomanip>
#include <sstream>
#include <string>
#include <vector>

namespace cost {

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

inline double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// Microseconds that `work` takes.
template <typename Work>
double time_of(Work&& work) {
    const auto start = Clock::now();
    work();
    return Microseconds(Clock::now() - start).count();
}

/// Median of the microseconds that `work` takes, done so many times.
template <typename Work>
double median_of(std::size_t times, Work&& work) {
    std::vector<double> each;
    each.reserve(times);
    while (each.size() < times) each.push_back(time_of(work));
    return median(std::move(each));
}

/// What one quantity came to in each round: its median, with the least and the most.
class Rounds {
public:
    void add(double value) { values_.push_back(value); }
    std::string text(int digits = 2) const {
        const auto [least, most] = std::minmax_element(values_.begin(), values_.end());
        std::ostringstream out;
        out << std::fixed << std::setprecision(digits) << median(values_) << " (" << *least << " to " << *most << ")";
        return out.str();
    }

private:
    std::vector<double> values_;
};

}  // namespace cost
