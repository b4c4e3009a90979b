#include "reactor/deadline_heap.hpp"

#include <algorithm>

namespace hawser::reactor {

bool DeadlineHeap::set(Deadline& deadline, TimePoint at) {
    const bool is_placed = deadline.place_ != Deadline::unplaced;
    if (at == TimePoint::max()) {
        if (is_placed) erase(deadline.place_);
        deadline.at_ = at;
        return false;
    }
    const std::size_t place = is_placed ? deadline.place_ : entries_.size();
    if (!is_placed) entries_.emplace_back();
    deadline.at_ = at;
    const TimePoint key = key_of(at);
    if (is_placed && entries_[place].key <= key) return false;
    rise(place, {key, &deadline});
    return deadline.place_ == 0;
}

Deadline* DeadlineHeap::take_due(TimePoint now) {
    served_until_ = std::max(served_until_, now);
    while (first() <= now) {
        Deadline& deadline = *entries_.front().deadline;
        if (deadline.at() <= now) {
            erase(0);
            deadline.at_ = TimePoint::max();
            return &deadline;
        }
        sink(0, {deadline.at(), &deadline});
    }
    return nullptr;
}

TimePoint DeadlineHeap::key_of(TimePoint at) const noexcept { return std::max(at, served_until_ + TimePoint::duration(1)); }

void DeadlineHeap::put(std::size_t place, Entry entry) noexcept {
    entries_[place] = entry;
    entry.deadline->place_ = static_cast<std::uint32_t>(place);
}

void DeadlineHeap::rise(std::size_t place, Entry entry) noexcept {
    for (; place != 0; place = (place - 1) / 2) {
        const Entry& parent = entries_[(place - 1) / 2];
        if (parent.key <= entry.key) break;
        put(place, parent);
    }
    put(place, entry);
}

void DeadlineHeap::sink(std::size_t place, Entry entry) noexcept {
    for (std::size_t child = 2 * place + 1; child < entries_.size(); child = 2 * place + 1) {
        if (child + 1 < entries_.size() && entries_[child + 1].key < entries_[child].key) ++child;
        if (entry.key <= entries_[child].key) break;
        put(place, entries_[child]);
        place = child;
    }
    put(place, entry);
}

void DeadlineHeap::erase(std::size_t place) noexcept {
    entries_[place].deadline->place_ = Deadline::unplaced;
    const Entry last = entries_.back();
    entries_.pop_back();
    if (place == entries_.size()) return;
    if (last.key < entries_[place].key)
        rise(place, last);
    else
        sink(place, last);
}

}  // namespace hawser::reactor
