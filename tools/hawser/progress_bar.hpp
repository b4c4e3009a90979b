#pragma once

#include <string>

namespace hawser::command {

/// A line on standard error, if a person is there to see it.
class ProgressBar {
public:
    ProgressBar();
    ~ProgressBar() { clear(); }
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    bool is_shown() const noexcept { return shown_; }
    /// `done`: from 0 to 1.
    void show(double done, const std::string& text);
    void clear();

private:
    bool shown_;
};

}  // namespace hawser::command
