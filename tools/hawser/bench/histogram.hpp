#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hawser::bench {

/// Counts of values on a scale that is linear within each power of two: memory is bounded, and what a quantile says is
/// less than 0.8 % above what was added.
class Histogram {
public:
    void add(std::uint64_t value) noexcept;
    void clear() noexcept;

    std::uint64_t count() const noexcept { return count_; }
    std::uint64_t max() const noexcept { return max_; }
    /// The least value that is known to have this share of all, from 0 to 1, at or below it; 0 if there are none.
    std::uint64_t quantile(double share) const noexcept;

private:
    static constexpr unsigned step_bits = 7;
    static constexpr std::size_t steps = std::size_t{1} << step_bits;
    static constexpr std::size_t powers = 64 - step_bits + 1;

    static std::size_t slot_of(std::uint64_t value) noexcept;
    static std::uint64_t largest_in(std::size_t slot) noexcept;

    std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(powers * steps);
    std::uint64_t count_ = 0;
    std::uint64_t max_ = 0;
};

}  // namespace hawser::bench
