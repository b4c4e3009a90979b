#include "endpoint/blocking_client.hpp"

#include <utility>

#include "types/time.hpp"

namespace hawser::endpoint {

/// Runs the loop until the condition holds; false when it does not within the limit, or cannot any more.
template <typename Condition>
bool BlockingClient::wait_for(Condition&& condition, Seconds limit) {
    const auto self = shared_from_this();
    const TimePoint deadline = later(core().fresh_now(), limit);
    waiting_ = true;
    bool alive = true;
    for (bool first = true; !condition() && alive; first = false) {
        const Seconds left = deadline - core().fresh_now();
        if (left <= Seconds(0) && !first) break;
        try {
            alive = core().run_once(std::max(left, Seconds(0)));
        } catch (...) {
            waiting_ = false;
            throw;
        }
    }
    waiting_ = false;
    return condition();
}

void BlockingClient::throw_failure(const char* what) {
    if (failure_) throw Error(*failure_);
    throw Error(Errc::connection_closed, uri().str() + ": " + what);
}

void BlockingClient::connect() {
    if (in_callback()) return ClientBase::connect();
    if (is_open()) return;
    failure_.reset();
    ClientBase::connect();
    // Dialing and the handshake each have their own bound.
    const Configuration& bounds = configuration();
    const bool decided = wait_for([this] { return !is_connecting(); }, bounds.timeout + bounds.handshake_timeout + Seconds(1));
    if (is_open()) return;
    if (!decided) disconnect();
    throw_failure("the connection ended before the opening handshake was complete");
}

void BlockingClient::disconnect() {
    ClientBase::disconnect();
    if (!in_callback()) core().run_deferred();
}

SendStatus BlockingClient::send(const MessageView& message) {
    if (in_callback()) return ClientBase::send(message);
    if (!is_connected()) connect();
    const SendStatus status = link()->send(message);
    if (status != SendStatus::ok && status != SendStatus::backpressure) return status;
    core().run_deferred();
    wait_for([this] { return !is_connected() || link()->buffered_amount() == 0; }, configuration().timeout + Seconds(1));
    if (failure_ && !is_connected()) throw_failure("the connection ended");
    return SendStatus::ok;
}

SendStatus BlockingClient::close(CloseCode code, std::string_view reason) {
    const SendStatus status = ClientBase::close(code, reason);
    if (in_callback() || status == SendStatus::refused) return status;
    core().run_deferred();
    wait_for([this] { return !is_connected(); }, configuration().timeout + configuration().close_timeout + Seconds(1));
    return status;
}

Message BlockingClient::receive() {
    if (in_callback()) throw Error(Errc::reentrant, "receive() inside a callback of the same client would wait for itself");
    if (inbox_.empty() && !link()) connect();
    if (inbox_.empty() && link()) {
        link()->hold(false);
        const bool decided = wait_for([this] { return !inbox_.empty() || !is_connected(); }, configuration().timeout);
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
