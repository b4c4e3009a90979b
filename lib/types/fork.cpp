#include "types/fork.hpp"

#include <pthread.h>

namespace hawser {

std::atomic<unsigned> Origin::forks{0};

unsigned Origin::count() noexcept {
    [[maybe_unused]] static const int registered = pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
    return forks.load(std::memory_order_relaxed);
}

}  // namespace hawser
