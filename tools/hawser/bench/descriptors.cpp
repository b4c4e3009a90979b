#include "descriptors.hpp"

#include <sys/resource.h>

namespace hawser::bench {

namespace {

/// For what is no connection: the loop's own, the standard ones, and what is open while connections are being made.
constexpr rlim_t others = 64;

}  // namespace

std::string make_room_for(std::size_t connections) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    const rlim_t needed = connections + others;
    if (limit.rlim_cur >= needed) return {};
    if (limit.rlim_max < needed)
        return std::to_string(connections) + " connections need " + std::to_string(needed) + " descriptors, and the limit is " +
               std::to_string(limit.rlim_max) + " (ulimit -Hn)";
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return {};
}

}  // namespace hawser::bench
