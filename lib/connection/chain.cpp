#include "connection/chain.hpp"

#include <utility>

#include "connection/link.hpp"

namespace hawser::connection {

/// Where a handshake message stands in a chain.
struct HttpStep {
    std::weak_ptr<Link> link;
    HookListPtr list;
    std::size_t position;
    Hook direction;
    bool settled = false;

    /// The link, once: null when the step was taken before, or the connection has ended.
    std::shared_ptr<Link> take() {
        const bool taken = std::exchange(settled, true);
        const auto present = taken ? nullptr : link.lock();
        return present && present->is_connected() ? present : nullptr;
    }
};

namespace {

constexpr bool has_passed_all(Hook direction, const HookList& list, std::size_t position) {
    return direction == Hook::http_incoming ? position == 0 : position == list.list.size();
}

std::shared_ptr<Link> as_link(Connection& link) { return std::static_pointer_cast<Link>(link.shared_from_this()); }

}  // namespace

Chain::Chain(Middlewares middlewares) : middlewares_(std::move(middlewares)) {
    for (std::size_t i = 0; i < hook_count; ++i) {
        HookList wanting;
        for (const auto& middleware : middlewares_)
            if (includes(middleware->hooks(), static_cast<Hook>(1u << i))) wanting.list.push_back(middleware);
        if (!wanting.list.empty()) hooks_[i] = std::make_shared<const HookList>(std::move(wanting));
    }
}

SendStatus Chain::incoming(Link& link, const HookListPtr& list, std::size_t position, const MessageView& message) {
    if (position == 0) return link.deliver(message);
    list->list[position - 1]->incoming(link, message, Next(link, list, position - 1, true));
    return link.is_connected() ? SendStatus::ok : SendStatus::closed;
}

SendStatus Chain::outgoing(Link& link, const HookListPtr& list, std::size_t position, const MessageView& message) {
    if (position == list->list.size()) return link.transmit(message);
    return list->list[position]->outgoing(link, message, Next(link, list, position + 1, false));
}

void Chain::tick(Link& link, const HookListPtr& list, std::size_t position) {
    if (position < list->list.size()) list->list[position]->tick(link, TickNext(link, list, position + 1));
}

void Chain::http(Link& link, Hook direction, const HookListPtr& list, std::size_t position, HttpMessage message) {
    const bool incoming = direction == Hook::http_incoming;
    if (!list || has_passed_all(direction, *list, position))
        return incoming ? link.received_http(std::move(message)) : link.send_http(std::move(message));
    Middleware& middleware = *list->list[incoming ? position - 1 : position];
    const std::size_t beyond = incoming ? position - 1 : position + 1;
    const auto step = std::make_shared<HttpStep>(HttpStep{as_link(link), list, beyond, direction});
    if (incoming)
        middleware.http_incoming(link, std::move(message), HttpNext(step));
    else
        middleware.http_outgoing(link, std::move(message), HttpNext(step));
    if (!step->settled && step.use_count() == 1) link.dropped_http();
}

}  // namespace hawser::connection

namespace hawser {

using connection::Chain;
using connection::Link;

SendStatus Next::operator()(const MessageView& message) const {
    return incoming_ ? Chain::incoming(link_, list_, position_, message) : Chain::outgoing(link_, list_, position_, message);
}

LaterNext Next::later() const {
    LaterNext later;
    later.connection_ = link_.weak_from_this();
    later.list_ = list_;
    later.position_ = position_;
    later.incoming_ = incoming_;
    return later;
}

SendStatus LaterNext::operator()(Message message) const {
    const ConnectionPtr connection = connection_.lock();
    if (!connection || !connection->is_connected()) return SendStatus::closed;
    Link& link = static_cast<Link&>(*connection);
    // This may be gone before the rest of the chain has run.
    const auto list = list_;
    return incoming_ ? link.deliver_later(list, position_, message) : link.send_through(list, position_, message);
}

void TickNext::operator()() const { Chain::tick(link_, list_, position_); }

void HttpNext::operator()(HttpMessage message) const {
    const auto link = step_->take();
    if (!link) return;
    if (link->is_in_turn())
        Chain::http(*link, step_->direction, step_->list, step_->position, std::move(message));
    else
        link->run_handshake(step_->direction, step_->list, step_->position, std::move(message));
}

void HttpNext::respond(Response response) const {
    const auto link = step_->take();
    if (!link) return;
    if (step_->direction != Hook::http_incoming || link->role() != protocol::Role::server)
        throw Error(Errc::client_failed,
                    "HttpNext::respond() was called where there is no request to answer: it is for a server's http_incoming");
    link->answer_http(std::move(response));
}

HttpNext HttpNext::later() const { return *this; }

}  // namespace hawser
