#include "types/time.hpp"

#include <array>
#include <cstdio>

namespace hawser {

std::string seconds_text(Seconds seconds) {
    std::array<char, 32> text{};
    const int size = std::snprintf(text.data(), text.size(), "%g s", seconds.count());
    return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace hawser
