#include "histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace hawser::bench {

void Histogram::add(std::uint64_t value) noexcept {
    ++counts_[slot_of(value)];
    ++count_;
    max_ = std::max(max_, value);
}

void Histogram::clear() noexcept {
    std::fill(counts_.begin(), counts_.end(), 0);
    count_ = max_ = 0;
}

std::uint64_t Histogram::quantile(double share) const noexcept {
    const double wanted = std::ceil(share * static_cast<double>(count_));
    std::uint64_t seen = 0;
    for (std::size_t slot = 0; slot < counts_.size(); ++slot) {
        seen += counts_[slot];
        if (seen != 0 && static_cast<double>(seen) >= wanted) return std::min(largest_in(slot), max_);
    }
    return max_;
}

/// Values below `steps` have a slot each; of the others, the bits behind the `step_bits + 1` leading ones do not count.
std::size_t Histogram::slot_of(std::uint64_t value) noexcept {
    if (value < steps) return static_cast<std::size_t>(value);
    const auto shift = static_cast<std::size_t>(std::bit_width(value)) - step_bits - 1;
    return (shift << step_bits) + static_cast<std::size_t>(value >> shift);
}

std::uint64_t Histogram::largest_in(std::size_t slot) noexcept {
    if (slot < steps) return slot;
    const std::size_t shift = (slot >> step_bits) - 1;
    const std::uint64_t first = (std::uint64_t{steps} | (slot & (steps - 1))) << shift;
    return first + ((std::uint64_t{1} << shift) - 1);
}

}  // namespace hawser::bench
