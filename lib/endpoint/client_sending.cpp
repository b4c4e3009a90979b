#include <algorithm>
#include <string>
#include <utility>

#include "endpoint/client_base.hpp"
#include "protocol/writer.hpp"

// What is sent before there is an open connection waits here. What was taken leaves, or on_error hears how much did not.

namespace hawser::endpoint {

SendStatus ClientBase::send(const MessageView& message) {
    if (is_open()) return link_->send(message);
    if (is_over() || is_close_queued_) return SendStatus::closed;
    const auto self = shared_from_this();
    // One that comes back by itself does so in its own time.
    const bool is_ending = backoff_ && wanted_ && !links_.empty();
    if (!is_connecting() && reconnect_timer_ == 0 && !is_ending) ClientBase::connect();
    return is_open() ? link_->send(message) : enqueue(message);
}

/// Whether such a message may be sent at all; if not, the application is told.
bool ClientBase::is_sendable(const MessageView& message) {
    const auto objection = protocol::object_to(message);
    if (objection) report(Error(objection->code, "a message was not sent: " + objection->what));
    return !objection;
}

SendStatus ClientBase::enqueue(const MessageView& message) {
    if (!is_sendable(message)) return SendStatus::refused;
    if (queued_bytes_ + kept_size(message.length()) > configuration().max_buffered_amount) return SendStatus::dropped;
    keep(message);
    if (queued_bytes_ <= configuration().high_water_mark) return SendStatus::ok;
    drain_due_ = true;
    return SendStatus::backpressure;
}

void ClientBase::keep(const MessageView& message) {
    queue_.emplace_back(message);
    queued_bytes_ += kept_size(message.length());
}

/// What a hook throws at one message is dealt with as in any callback, and the others follow. What is left when the link does not take
/// any more goes with the next, or is dropped at its end: what was lost by then is told with that.
void ClientBase::send_queue(Link& link) {
    if (std::exchange(drain_due_, false)) link.expect_drain();
    {
        const FlagScope sending(is_sending_);
        while (!queue_.empty() && link_.get() == &link && link.takes_messages()) {
            const Message message = std::move(queue_.front());
            queue_.pop_front();
            queued_bytes_ -= kept_size(message.length());
            SendStatus status = SendStatus::closed;
            link.call([&](connection::Owner&) { status = link.send(message); });
            // One that was refused has been told.
            if (status != SendStatus::closed && status != SendStatus::dropped) continue;
            ++(!link.takes_messages() ? lost_.ended : link.has_room(message) ? lost_.kept : lost_.crowded);
        }
    }
    if (queue_.empty()) is_close_queued_ = false;
    if (queue_.empty() || link_.get() != &link) tell_lost();
}

void ClientBase::drop_queue() {
    const auto is_message = [](const Message& message) { return message.opcode() != Opcode::close; };
    lost_.unconnected += static_cast<std::size_t>(std::count_if(queue_.begin(), queue_.end(), is_message));
    queue_.clear();
    queued_bytes_ = 0;
    drain_due_ = is_close_queued_ = false;
    tell_lost();
}

/// Once for all that happened to the queue.
void ClientBase::tell_lost() {
    if (is_sending_) return;
    Lost lost = std::exchange(lost_, {});
    if (lost.ended != 0) lost.ended += std::exchange(lost.unconnected, 0);
    const std::size_t count = lost.kept + lost.crowded + lost.ended + lost.unconnected;
    if (count == 0) return;
    std::string why;
    const auto add = [&](std::size_t part, const char* reason) {
        if (part == 0) return;
        why += (why.empty() ? "" : ", ") + std::string(reason);
        if (part != count) why += " (" + std::to_string(part) + ")";
    };
    add(lost.kept, count == 1 ? "a middleware kept it" : "a middleware kept them");
    add(lost.crowded, "there was no room");
    add(lost.ended, "the connection ended");
    add(lost.unconnected, "there is no connection");
    report(Error(Errc::connection_failure, std::to_string(count) + (count == 1 ? " queued message for " : " queued messages for ") +
                                               uri().str() + (count == 1 ? " was not sent: " : " were not sent: ") + why));
}

SendStatus ClientBase::close(CloseCode code, std::string_view reason) {
    const MessageView message{Opcode::close, reason, code};
    if (is_open()) {
        const SendStatus status = link_->send(message);
        if (status != SendStatus::refused) wanted_ = false;
        return status;
    }
    if (!is_under_way() || is_close_queued_) return SendStatus::closed;
    if (!is_sendable(message)) return SendStatus::refused;
    if (queue_.empty()) {
        disconnect();
        return SendStatus::ok;
    }
    // What was sent before leaves first.
    keep(message);
    is_close_queued_ = true;
    wanted_ = false;
    return SendStatus::ok;
}

}  // namespace hawser::endpoint
