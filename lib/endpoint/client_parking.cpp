#include <algorithm>
#include <sstream>
#include <utility>

#include "endpoint/client_base.hpp"

// Persistent connections: what becomes of one whose client has gone, and how another takes it over.

namespace hawser::endpoint {

/// A connection without a client. If none comes, it ends with the reactor, whoever has a handle of it. It is read until a message comes,
/// so that its end is seen; that message is kept, and what follows waits in the socket.
struct ClientBase::Parked final : connection::Owner, std::enable_shared_from_this<Parked> {
    Parked(reactor::Core& core, std::shared_ptr<Link> parked) noexcept : core_(core), link(std::move(parked)) {}
    ~Parked() {
        if (link) link->orphan();
    }
    Parked(const Parked&) = delete;
    Parked& operator=(const Parked&) = delete;

    std::shared_ptr<connection::Owner> pin() override { return shared_from_this(); }
    Response answer(Link&, const Request&) override { return {}; }
    Response answer_page(Link&, const Request&) override { return {}; }
    void on_open(Link&) override {}
    void on_message(Link& from, const MessageView& message) override {
        if (is_control(message.opcode)) return;
        kept = std::make_unique<Message>(message);
        from.hold(true);
    }
    void on_drain(Link&) override {}
    void want_ticks() override {}
    void on_error(Link&, const Error&) override {}
    void on_reconnect(Link& from, const ReconnectRequested&) override { from.disconnect(); }
    void on_end(Link&, const Disconnect&) override {
        std::erase_if(core_.parked(), [this](const auto& entry) { return entry.second.get() == this; });
    }

private:
    reactor::Core& core_;

public:
    std::shared_ptr<Link> link;
    std::unique_ptr<const Message> kept;
    bool is_shown = false;  // to the client that has taken it over: on_handshake has been called
};

std::string ClientBase::parking_key() const {
    std::ostringstream key;
    key << uri().str() << '\n' << uri().user() << '\n' << uri().password() << '\n' << options_.unix_path << '\n';
    for (const Header& field : request_headers()) key << field.name << ':' << field.value << '\n';
    for (const auto& [wrapper, options] : configuration().context.options())
        for (const auto& [name, value] : options) {
            key << wrapper << '.' << name << '=';
            std::visit(
                [&](const auto& content) {
                    using Content = std::decay_t<decltype(content)>;
                    if constexpr (std::is_same_v<Content, std::vector<std::string>>)
                        for (const auto& one : content) key << one << ',';
                    else if constexpr (std::is_same_v<Content, std::map<std::string, std::string>>)
                        for (const auto& [from, to] : content) key << from << '>' << to << ',';
                    else if constexpr (!std::is_same_v<Content, std::monostate>)
                        key << content;
                },
                value);
            key << '\n';
        }
    return key.str();
}

/// Leaves the open connection with the reactor, for the next client that wants the like.
void ClientBase::park() {
    if (!link_ || !link_->is_readable() || !link_->takes_messages()) return;
    links_.erase(std::find(links_.begin(), links_.end(), link_));
    const auto parked = std::make_shared<Parked>(core(), std::exchange(link_, nullptr));
    // What was kept for us is for the next.
    if (const auto before = std::exchange(unparked_, nullptr)) parked->kept = std::move(before->kept);
    core().parked().emplace(parking_key(), parked);
    parked->link->set_owner(parked.get());
    // The client's own middlewares go with it.
    parked->link->set_chain(stock_chain());
    parked->link->hold(parked->kept != nullptr);
}

bool ClientBase::unpark() {
    auto& parked = core().parked();
    for (auto found = parked.find(parking_key()); found != parked.end(); found = parked.find(parking_key())) {
        const auto place = std::static_pointer_cast<Parked>(found->second);
        const auto link = std::exchange(place->link, nullptr);
        parked.erase(found);
        if (!link->is_readable() || !link->takes_messages()) {
            link->orphan();
            continue;
        }
        link->hold(true);
        link->set_owner(this);
        link->set_chain(chain_);
        link->set_settings(settings_);
        adopt(link);
        unparked_ = place;
        take_over_later();
        return true;
    }
    return false;
}

/// on_handshake must not be called from within connect(), nor a listener from within start().
void ClientBase::take_over_later() {
    core().post([weak = weak_from_this(), place = unparked_] {
        const auto self = std::static_pointer_cast<ClientBase>(weak.lock());
        if (self && self->unparked_ == place) self->take_over();
    });
}

/// Shows the application the connection, and what arrived while it was nobody's, unless it is stopped. Then it is read.
void ClientBase::take_over() {
    const auto place = unparked_;
    const auto link = link_;
    const auto is_ours = [&] { return unparked_ == place && link->is_connected(); };
    if (is_ours() && !std::exchange(place->is_shown, true)) link->call([&](connection::Owner& owner) { owner.on_open(*link); });
    if (!is_ours() || !running_) return;
    unparked_.reset();
    if (place->kept) deliver(place->kept->view());
    if (running_ && !unparked_) link->hold(false);
}

/// Shows our middlewares and listeners a message that has passed the connection's own middlewares already.
void ClientBase::deliver(const MessageView& message) {
    const connection::HookListPtr list = chain_->of(connection::Chain::incoming_hook(message.opcode));
    link_->deliver_later(list, list ? list->list.size() : 0, message);
}

}  // namespace hawser::endpoint
