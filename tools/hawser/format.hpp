#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string>

namespace hawser::command {

/// What printf(3) makes of the pattern, up to 255 bytes of it.
template <typename... Values>
std::string formatted(const char* pattern, Values... values) {
    char text[256];
    const int size = std::snprintf(text, sizeof text, pattern, values...);
    return std::string(text, std::clamp<std::size_t>(size < 0 ? 0 : static_cast<std::size_t>(size), 0, sizeof text - 1));
}

}  // namespace hawser::command
