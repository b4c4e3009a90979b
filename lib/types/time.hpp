#pragma once

#include <string>

#include <hawser/configuration.hpp>
#include <hawser/reactor.hpp>

namespace hawser {

/// `delay` after `from`; validated settings never overflow it.
inline TimePoint later(TimePoint from, Seconds delay) noexcept { return from + std::chrono::duration_cast<TimePoint::duration>(delay); }

/// "10 s", "0.25 s": as error texts name a wait.
std::string seconds_text(Seconds seconds);

}  // namespace hawser
