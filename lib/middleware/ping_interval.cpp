#include <hawser/reactor.hpp>
#include <hawser/stock_middlewares.hpp>

#include <algorithm>
#include <utility>

#include "middleware/meta_key.hpp"

namespace hawser {

namespace {

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
    const MetaKey meta_key(this);
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
    if (Watch* watch = connection.meta<Watch>(MetaKey(this))) {
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
    if (!connection.is_readable() || !connection.is_writable()) return;
    Watch* watch = connection.meta<Watch>(MetaKey(this));
    // It was added behind the handshake.
    if (!watch) return begin(connection);
    const TimePoint now = connection.reactor().now();
    if (now < watch->next_check) return check_at(connection, *watch, watch->next_check);
    const bool was_away = now - watch->next_check > pong_timeout_;
    // A peer in the middle of a long frame cannot answer, but it is heard (RFC 6455, section 5.4).
    if (connection.last_received() > watch->last_received) {
        watch->last_received = connection.last_received();
        watch->pinged = false;
    }
    if (connection.is_paused() || was_away) {
        // What the peer says is not heard, or was not while this was taken out: the silence is not its own.
        watch->last_received = now;
        watch->pinged = false;
    }
    if (watch->pinged) {
        const Seconds silence = now - watch->last_received;
        throw Error(Errc::ping_timeout, connection.remote_name() + ": nothing came for " + std::to_string(silence.count()) +
                                            " s, nor a pong to the ping that was sent: the peer is taken for dead")
            .with_cause(std::make_error_code(std::errc::timed_out));
    }
    const TimePoint due = later(watch->last_received, interval_.value_or(connection.timeout()));
    if (now < due) return check_at(connection, *watch, due);
    watch->pinged = true;
    check_at(connection, *watch, later(now, pong_timeout_));
    connection.ping();
}

}  // namespace hawser
