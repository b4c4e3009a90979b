#pragma once

#include <atomic>

namespace hawser {

/// The process that something was made in. A child of fork() has copies of what its parent made: it may drop them, but the parent's
/// connections and files are not its own to end or remove, nor are the parent's secrets its own to use.
class Origin {
public:
    /// The present process.
    Origin() noexcept : forks_(count()) {}
    /// False in a child that was forked since.
    bool is_here() const noexcept { return forks_ == forks.load(std::memory_order_relaxed); }

private:
    /// How many forks lie between the first process that asked and this one. Changed in the child of a fork() alone, where no other
    /// thread is.
    static std::atomic<unsigned> forks;
    /// Has forks counted from now on.
    static unsigned count() noexcept;

    unsigned forks_;
};

}  // namespace hawser
