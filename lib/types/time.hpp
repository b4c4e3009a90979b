#pragma once

#include <string>

#include <hawser/configuration.hpp>
#include <hawser/reactor.hpp>

namespace hawser {

/// Beyond this a deadline could overflow the clock's type, and nobody waits that long.
inline constexpr Seconds longest_wait = std::chrono::hours(24 * 3650);

/// `delay` after `from`; validated settings never overflow it.
inline TimePoint later(TimePoint from, Seconds delay) noexcept { return from + std::chrono::duration_cast<TimePoint::duration>(delay); }

/// "10 s", "0.25 s": as error texts name a wait.
std::string seconds_text(Seconds seconds);

}  // namespace hawser
