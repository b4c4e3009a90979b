#pragma once

#include <cstddef>
#include <vector>

#include "reactor/loop.hpp"

namespace hawser::reactor {

/// Deadlines, the earliest in front. One that is moved later stays where it is, and costs nothing, until the time it is
/// kept under has come.
class DeadlineHeap {
public:
    bool empty() const noexcept { return entries_.empty(); }
    /// When take_due() has something to do next; TimePoint::max() when it is empty.
    TimePoint first() const noexcept { return empty() ? TimePoint::max() : entries_.front().key; }

    /// Sets the deadline's time; TimePoint::max() takes it out. Returns whether first() may be earlier now.
    bool set(Deadline& deadline, TimePoint at);
    /// Disarms and returns one whose time has come, or null. Those that are armed meanwhile wait for a later `now`.
    Deadline* take_due(TimePoint now);

private:
    struct Entry {
        TimePoint key;  // never later than the deadline's own time, but for those armed for a time that is served already
        Deadline* deadline;
    };

    TimePoint key_of(TimePoint at) const noexcept;
    void put(std::size_t place, Entry entry) noexcept;
    void rise(std::size_t place, Entry entry) noexcept;
    void sink(std::size_t place, Entry entry) noexcept;
    void erase(std::size_t place) noexcept;

    std::vector<Entry> entries_;
    TimePoint served_until_ = TimePoint::min();
};

}  // namespace hawser::reactor
