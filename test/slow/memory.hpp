#pragma once

#include <malloc.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>

namespace support {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define HAWSER_TEST_SANITIZED
#endif
#endif
#if defined(HAWSER_TEST_SANITIZED) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/// A sanitizer's allocator keeps what is freed.
constexpr bool is_memory_measurable = false;
#else
constexpr bool is_memory_measurable = true;
#endif

struct Memory {
    std::size_t heap;      ///< in use
    std::size_t resident;  ///< of the process
};

inline Memory memory_used() {
    std::size_t total = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> total >> resident;
    const struct mallinfo2 heap = mallinfo2();
    return {heap.uordblks + heap.hblkhd, resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE))};
}

/// As above, once what is free has gone back to the system.
inline Memory trimmed_memory() {
    malloc_trim(0);
    return memory_used();
}

}  // namespace support
