#include "progress_bar.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace hawser::command {

ProgressBar::ProgressBar() : shown_(isatty(STDERR_FILENO) == 1) {}

void ProgressBar::show(double done, const std::string& text) {
    if (!shown_) return;
    constexpr std::size_t width = 40;
    const auto filled = static_cast<std::size_t>(width * std::clamp(done, 0.0, 1.0));
    std::fprintf(stderr, "\r[%s%s] %s\x1b[K", std::string(filled, '#').c_str(), std::string(width - filled, '.').c_str(), text.c_str());
}

void ProgressBar::clear() {
    if (shown_) std::fputs("\r\x1b[K", stderr);
}

}  // namespace hawser::command
