#pragma once

#include <chrono>

#include "reactor/core.hpp"

namespace support {

/// Runs the loop until `is_done()`. False when that takes `most`, which is so long that it will never be.
template <typename IsDone>
bool run_until(hawser::reactor::Core& core, IsDone&& is_done, std::chrono::seconds most = std::chrono::seconds(30)) {
    const auto end = std::chrono::steady_clock::now() + most;
    while (!is_done()) {
        if (std::chrono::steady_clock::now() > end) return false;
        core.run_once(hawser::Seconds(1));
    }
    return true;
}

/// Runs the loop as often as it takes to serve everything that is ready.
inline void run_ready(hawser::reactor::Core& core) {
    for (int i = 0; i < 10; ++i) core.run_once(hawser::Seconds(0));
}

}  // namespace support
