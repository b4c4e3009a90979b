#include "endpoint/blocking_client.hpp"

#include <algorithm>
#include <utility>

#include "types/time.hpp"

namespace hawser::endpoint {

/// Runs the loop until the condition holds; false when it does not within the limit, or cannot any more.
template <typename Condition>
bool BlockingClient::wait_for(Condition&& condition, Seconds limit) {
    const TimePoint deadline = later(core().fresh_now(), limit);
    bool alive = true;
    for (bool first = true; !condition() && alive; first = false) {
        const Seconds left = deadline - core().fresh_now();
        if (left <= Seconds(0) && !first) break;
        alive = core().run_once(std::max(left, Seconds(0)));
    }
    return condition();
}

/// What an action puts off happens before the call goes on, also when the action throws.
template <typename Action>
void BlockingClient::settled(Action&& action) {
    both(action, [&] {
        if (!in_callback()) core().run_deferred();
    });
}

void BlockingClient::throw_failure(const char* what) {
    if (failure_) throw Error(*failure_);
    throw Error(Errc::connection_closed, uri().str() + ": " + what);
}

void BlockingClient::connect() {
    if (in_callback()) return ClientBase::connect();
    if (is_open()) return;
    const Call call(*this);
    failure_.reset();
    // One that comes back by itself does so in its own time.
    if (!is_waiting_to_reconnect()) ClientBase::connect();
    // Dialing and the handshake each have their own bound.
    const Seconds limit = configuration().timeout + configuration().handshake_timeout + Seconds(1);
    const auto has_failed = [this] { return failure_ && is_waiting_to_reconnect(); };
    const bool decided = wait_for([&] { return is_open() || !is_under_way() || has_failed(); }, limit);
    if (is_open()) return;
    if (!decided && !is_waiting_to_reconnect()) disconnect();
    throw_failure("the connection ended before the opening handshake was complete");
}

void BlockingClient::disconnect() {
    const Call call(*this);
    settled([&] { ClientBase::disconnect(); });
}

SendStatus BlockingClient::send(const MessageView& message) {
    if (in_callback()) return ClientBase::send(message);
    const Call call(*this);
    if (!is_open()) connect();
    const std::shared_ptr<Link> used = link();
    SendStatus status = SendStatus::closed;
    settled([&] { status = used->send(message); });
    if (status != SendStatus::ok && status != SendStatus::backpressure) return status;
    bool has_left = false;
    const auto is_decided = [&] {
        has_left = has_left || (used->is_connected() && used->buffered_amount() == 0);
        return has_left || !used->is_connected();
    };
    wait_for(is_decided, configuration().timeout + Seconds(1));
    if (has_left || used->is_connected()) return SendStatus::ok;
    if (failure_) throw_failure("the connection ended");
    return SendStatus::closed;
}

SendStatus BlockingClient::close(CloseCode code, std::string_view reason) {
    const Call call(*this);
    SendStatus status = SendStatus::closed;
    settled([&] { status = ClientBase::close(code, reason); });
    if (in_callback() || status == SendStatus::refused) return status;
    const Seconds limit = configuration().timeout + configuration().close_timeout + Seconds(1);
    wait_for([this] { return !is_connected() && !is_close_queued(); }, limit);
    return status;
}

Message BlockingClient::receive() {
    if (in_callback()) throw Error(Errc::reentrant, "receive() inside a callback of the same client would wait for itself");
    const Call call(*this);
    if (inbox_.empty() && !link() && !is_under_way()) {
        try {
            connect();
        } catch (const Error&) {
            // One that comes back by itself is waited for.
            if (!is_waiting_to_reconnect()) throw;
        }
    }
    if (inbox_.empty() && is_under_way()) {
        read_on();
        const bool decided = wait_for([this] { return !inbox_.empty() || !is_under_way(); }, configuration().timeout);
        if (!decided)
            throw Error(Errc::connection_timeout, uri().str() + ": no message came within " + seconds_text(configuration().timeout));
    }
    if (inbox_.empty()) throw_failure("the connection has ended");
    Message message = std::move(inbox_.front());
    inbox_.pop_front();
    inbox_bytes_ -= kept_size(message.length());
    return message;
}

void BlockingClient::on_message(Link& link, const MessageView& message) {
    // Beyond the bound come control frames alone, behind a Close: they are shown to the listeners.
    if (waiting_ && inbox_bytes_ <= configuration().max_buffered_amount) {
        inbox_.emplace_back(message);
        inbox_bytes_ += kept_size(message.length());
        if (inbox_bytes_ > configuration().max_buffered_amount) link.hold(true);
    }
    ClientBase::on_message(link, message);
}

void BlockingClient::on_error(Link& link, const Error& error) {
    if (error.level() == ErrorLevel::connection) failure_ = error;
    ClientBase::on_error(link, error);
}

void BlockingClient::on_connect_failed(const Error& error) {
    failure_ = error;
    ClientBase::on_connect_failed(error);
}

}  // namespace hawser::endpoint
