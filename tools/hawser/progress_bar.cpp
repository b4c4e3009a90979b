#include "progress_bar.hpp"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <string>

namespace hawser::command {

ProgressBar::ProgressBar() : shown_(isatty(STDERR_FILENO) == 1) {}

void ProgressBar::show(double done, const std::string& text) {
    if (!shown_) return;
    constexpr std::size_t width = 40;
    const auto filled = static_cast<std::size_t>(width * std::clamp(done, 0.0, 1.0));
    std::cerr << "\r[" + std::string(filled, '#') + std::string(width - filled, '.') + "] " + text + "\x1b[K";
}

void ProgressBar::clear() {
    if (shown_) std::cerr << "\r\x1b[K";
}

}  // namespace hawser::command
