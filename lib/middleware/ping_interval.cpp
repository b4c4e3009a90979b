#include <hawser/reactor.hpp>
#include <hawser/stock_middlewares.hpp>

#include <algorithm>
#include <utility>

namespace hawser {

namespace {

constexpr const char* meta_key = "hawser.ping_interval";

/// What is known of one connection.
struct Watch {
    TimePoint last_received{};
    TimePoint next_check{};
    std::optional<TimePoint> pinged{};
};

TimePoint later(TimePoint from, Seconds delay) { return from + std::chrono::duration_cast<TimePoint::duration>(delay); }

/// Has the connection's tick hooks run at `when`.
void check_at(Connection& connection, Watch& watch, TimePoint when) {
    watch.next_check = when;
    Reactor& reactor = connection.reactor();
    const Seconds delay = std::max(Seconds(when - reactor.now()), Seconds(0));
    reactor.after(delay, [weak = connection.weak_from_this()] {
        if (const ConnectionPtr watched = weak.lock(); watched && watched->is_connected()) watched->tick();
    });
}

}  // namespace

PingInterval::PingInterval(std::optional<Seconds> interval, Seconds pong_timeout) : interval_(interval), pong_timeout_(pong_timeout) {
    if (interval_ && !(*interval_ > Seconds(0))) throw Error(Errc::invalid_option, "the interval of PingInterval must be more than 0");
    if (!(pong_timeout_ > Seconds(0))) throw Error(Errc::invalid_option, "the pong timeout of PingInterval must be more than 0");
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
        watch->pinged.reset();
    }
    next(message);
}

void PingInterval::tick(Connection& connection, const TickNext& next) {
    check(connection);
    next();
}

void PingInterval::check(Connection& connection) const {
    Watch* watch = connection.meta<Watch>(meta_key);
    const TimePoint now = connection.reactor().now();
    if (!watch || now < watch->next_check || !connection.is_readable()) return;
    const Seconds interval = interval_.value_or(connection.timeout());
    if (watch->pinged) {
        const Seconds silence = now - watch->last_received;
        throw Error(Errc::ping_timeout, connection.remote_name() + ": nothing came for " + std::to_string(silence.count()) +
                                            " s, nor a pong to the ping that was sent: the peer is taken for dead");
    }
    const TimePoint due = later(watch->last_received, interval);
    if (now < due) return check_at(connection, *watch, due);
    watch->pinged = now;
    check_at(connection, *watch, later(now, pong_timeout_));
    connection.ping();
}

}  // namespace hawser
