#include <hawser/reactor.hpp>
#include <hawser/stock_middlewares.hpp>

#include <algorithm>
#include <utility>

namespace hawser {

namespace {

constexpr const char* meta_key = "hawser.ping_interval";

constexpr Seconds longest_time = std::chrono::hours(24 * 3650);

/// What is known of one connection.
struct Watch {
    TimePoint last_received{};
    TimePoint next_check{};
    bool pinged = false;
};

TimePoint later(TimePoint from, Seconds delay) { return from + std::chrono::duration_cast<TimePoint::duration>(delay); }

/// Has the connection's tick hooks run at `when`.
void check_at(Connection& connection, Watch& watch, TimePoint when) {
    watch.next_check = when;
    connection.tick_after(std::max(Seconds(when - connection.reactor().now()), Seconds(0)));
}

}  // namespace

PingInterval::PingInterval(std::optional<Seconds> interval, Seconds pong_timeout) : interval_(interval), pong_timeout_(pong_timeout) {
    const auto is_valid = [](Seconds seconds) { return seconds > Seconds(0) && seconds <= longest_time; };
    if (!is_valid(interval_.value_or(longest_time)) || !is_valid(pong_timeout_))
        throw Error(Errc::invalid_option, "the interval and the pong timeout of PingInterval must be more than 0, and at most 10 years");
}

void PingInterval::begin(Connection& connection) const {
    Watch watch;
    watch.last_received = connection.reactor().now();
    connection.set_meta(meta_key, watch);
    check_at(connection, *connection.meta<Watch>(meta_key), later(watch.last_received, interval_.value_or(connection.timeout())));
}

// The last thing before messages: the client has received the response, the server sends it.

void PingInterval::http_incoming(Connection& connection, HttpMessage message, const HttpNext& next) {
    if (std::holds_alternative<Response>(message)) begin(connection);
    next(std::move(message));
}

void PingInterval::http_outgoing(Connection& connection, HttpMessage message, const HttpNext& next) {
    if (std::holds_alternative<Response>(message)) begin(connection);
    next(std::move(message));
}

void PingInterval::incoming(Connection& connection, const MessageView& message, const Next& next) {
    if (Watch* watch = connection.meta<Watch>(meta_key)) {
        watch->last_received = connection.reactor().now();
        // What was waited for has come: the next silence is counted from here.
        if (std::exchange(watch->pinged, false))
            check_at(connection, *watch, later(watch->last_received, interval_.value_or(connection.timeout())));
    }
    next(message);
}

void PingInterval::tick(Connection& connection, const TickNext& next) {
    check(connection);
    next();
}

void PingInterval::check(Connection& connection) const {
    Watch* watch = connection.meta<Watch>(meta_key);
    if (!watch || !connection.is_readable() || !connection.is_writable()) return;
    const TimePoint now = connection.reactor().now();
    if (now < watch->next_check) return check_at(connection, *watch, watch->next_check);
    if (connection.is_paused()) {
        // What the peer says is not heard: the silence is not its own.
        watch->last_received = now;
        watch->pinged = false;
    }
    if (watch->pinged) {
        const Seconds silence = now - watch->last_received;
        throw Error(Errc::ping_timeout, connection.remote_name() + ": nothing came for " + std::to_string(silence.count()) +
                                            " s, nor a pong to the ping that was sent: the peer is taken for dead");
    }
    const TimePoint due = later(watch->last_received, interval_.value_or(connection.timeout()));
    if (now < due) return check_at(connection, *watch, due);
    watch->pinged = true;
    check_at(connection, *watch, later(now, pong_timeout_));
    connection.ping();
}

}  // namespace hawser
