#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <iterator>

namespace support {

/// How many descriptors this process has open: the same before and after what must not leak.
inline std::size_t open_descriptors() {
    using Entries = std::filesystem::directory_iterator;
    return std::size_t(std::distance(Entries("/proc/self/fd"), Entries())) - 1;  // less the one that reads the list
}

/// The number that the next descriptor will get.
inline int next_descriptor() {
    const int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(next);
    return next;
}

inline bool is_open(int descriptor) { return fcntl(descriptor, F_GETFD) >= 0; }

}  // namespace support
