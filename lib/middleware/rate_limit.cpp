#include <hawser/reactor.hpp>
#include <hawser/stock_middlewares.hpp>

#include <algorithm>
#include <optional>

namespace hawser {

namespace {

constexpr const char* meta_key = "hawser.rate_limit";

/// What one connection has left; below 0 it has taken an advance.
struct Budget {
    TimePoint refilled{};
    double messages = 0;
    double bytes = 0;
    std::optional<TimePoint> resume_at{};
};

void refill(Budget& budget, const RateLimits& limits, TimePoint now) {
    const double elapsed = Seconds(now - budget.refilled).count();
    budget.refilled = now;
    budget.messages = std::min(budget.messages + elapsed * limits.messages_per_second, limits.messages_per_second * limits.burst.count());
    budget.bytes = std::min(budget.bytes + elapsed * limits.bytes_per_second, limits.bytes_per_second * limits.burst.count());
}

/// How long it takes until nothing is owed.
Seconds debt(const Budget& budget, const RateLimits& limits) {
    Seconds wait{0};
    if (limits.messages_per_second > 0) wait = std::max(wait, Seconds(-budget.messages / limits.messages_per_second));
    if (limits.bytes_per_second > 0) wait = std::max(wait, Seconds(-budget.bytes / limits.bytes_per_second));
    return wait;
}

}  // namespace

RateLimit::RateLimit(RateLimits limits) : limits_(limits) {
    if (!(limits_.messages_per_second >= 0) || !(limits_.bytes_per_second >= 0) || !(limits_.burst >= Seconds(0)))
        throw Error(Errc::invalid_option, "a rate or the burst of RateLimit is negative");
}

void RateLimit::incoming(Connection& connection, const MessageView& message, const Next& next) {
    const TimePoint now = connection.reactor().now();
    if (!connection.meta<Budget>(meta_key)) {
        const double burst = limits_.burst.count();
        connection.set_meta(meta_key, Budget{now, limits_.messages_per_second * burst, limits_.bytes_per_second * burst});
    }
    Budget& budget = *connection.meta<Budget>(meta_key);
    refill(budget, limits_, now);
    budget.messages -= 1;
    budget.bytes -= static_cast<double>(message.length());
    const Seconds wait = debt(budget, limits_);
    if (wait > Seconds(0)) {
        if (limits_.policy == RateLimits::Policy::close) throw CloseRequested(CloseCode::policy_violation, "too many messages");
        connection.pause();
        budget.resume_at = now + std::chrono::duration_cast<TimePoint::duration>(wait);
        connection.tick_after(wait);
    }
    next(message);
}

void RateLimit::tick(Connection& connection, const TickNext& next) {
    Budget* budget = connection.meta<Budget>(meta_key);
    if (budget && budget->resume_at) {
        const TimePoint now = connection.reactor().now();
        if (now < *budget->resume_at) {
            connection.tick_after(*budget->resume_at - now);
        } else {
            budget->resume_at.reset();
            connection.resume();
        }
    }
    next();
}

}  // namespace hawser
