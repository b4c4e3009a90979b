#pragma once

#include <cstdio>

namespace benchmark {

/// Says where an echo server listens, as one line on standard output, in the way of `hawser serve`.
inline void announce(int port) {
    std::printf("ws://127.0.0.1:%d/\n", port);
    std::fflush(stdout);
}

}  // namespace benchmark
