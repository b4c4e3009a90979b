#include "reactor/deadline_heap.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "support/catch.hpp"

using namespace hawser;
using namespace std::chrono_literals;
using reactor::DeadlineHeap;

namespace {

struct Mark final : reactor::Deadline {
    void on_deadline() override {}
};

constexpr TimePoint start{1h};

std::vector<reactor::Deadline*> take_all(DeadlineHeap& heap, TimePoint now) {
    std::vector<reactor::Deadline*> taken;
    while (reactor::Deadline* due = heap.take_due(now)) taken.push_back(due);
    return taken;
}

}  // namespace

TEST_CASE("deadline heap: takes out what is due, the earliest first, and nothing else", "[deadline_heap]") {
    DeadlineHeap heap;
    Mark a, b, c;
    CHECK(heap.set(b, start + 2s));
    CHECK(heap.set(a, start + 1s));
    CHECK_FALSE(heap.set(c, start + 3s));
    CHECK(heap.first() == start + 1s);
    CHECK(take_all(heap, start + 1s - 1ns).empty());
    CHECK(take_all(heap, start + 2s) == std::vector<reactor::Deadline*>{&a, &b});
    CHECK(a.at() == TimePoint::max());
    CHECK(heap.first() == start + 3s);
    CHECK_FALSE(heap.set(c, TimePoint::max()));
    CHECK(heap.empty());
    CHECK(heap.first() == TimePoint::max());
}

TEST_CASE("deadline heap: one that is moved later stays where it is until its old time comes", "[deadline_heap]") {
    DeadlineHeap heap;
    Mark a;
    heap.set(a, start + 1s);
    CHECK_FALSE(heap.set(a, start + 5s));
    CHECK(a.at() == start + 5s);
    CHECK(heap.first() == start + 1s);
    CHECK(heap.take_due(start + 1s) == nullptr);
    CHECK(heap.first() == start + 5s);
    CHECK(heap.take_due(start + 5s) == &a);
}

TEST_CASE("deadline heap: what is armed for a time that is served already waits for the next", "[deadline_heap]") {
    DeadlineHeap heap;
    Mark a;
    heap.set(a, start);
    CHECK(heap.take_due(start) == &a);
    heap.set(a, start - 1s);
    CHECK(heap.take_due(start) == nullptr);
    CHECK(heap.take_due(start + 1ns) == &a);
}

TEST_CASE("deadline heap: keeps the order whatever is armed, moved and disarmed", "[deadline_heap]") {
    DeadlineHeap heap;
    std::mt19937 random(7);
    std::vector<Mark> marks(200);
    for (int step = 0; step < 20'000; ++step) {
        const auto at = start + std::chrono::milliseconds(1 + random() % 1000);
        heap.set(marks[random() % marks.size()], random() % 4 == 0 ? TimePoint::max() : at);
    }
    std::vector<TimePoint> expected;
    for (const Mark& mark : marks)
        if (mark.at() != TimePoint::max()) expected.push_back(mark.at());
    std::sort(expected.begin(), expected.end());
    std::vector<TimePoint> taken;
    for (TimePoint now = start; now <= start + 1s; now += 1ms) taken.insert(taken.end(), take_all(heap, now).size(), now);
    CHECK(taken == expected);
    CHECK(expected.size() > 100);
    CHECK(heap.empty());
}
