#pragma once

#include <cstddef>
#include <string_view>

namespace faults {

/// While it lives, one call of this process is to fail: the `nth` (from 1) of that name, with `error` as errno. One at a time.
class Armed {
public:
    Armed(std::string_view call, int error, std::size_t nth);
    Armed(const Armed&) = delete;
    Armed& operator=(const Armed&) = delete;
    ~Armed();

    /// There were as many calls: one has failed.
    bool has_struck() const noexcept;
};

/// For the calls put in place of the system's: whether this one is to fail. Sets errno if so.
bool strikes(std::string_view call) noexcept;
/// Whether any call of this name is to fail.
bool is_armed(std::string_view call) noexcept;

/// Blocks of memory allocated and not yet freed, in an executable that counts them.
std::size_t live_blocks() noexcept;

}  // namespace faults
