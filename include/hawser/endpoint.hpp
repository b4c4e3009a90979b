#pragma once

#include <functional>
#include <memory>

#include <hawser/configuration.hpp>
#include <hawser/connection.hpp>
#include <hawser/error.hpp>
#include <hawser/export.hpp>
#include <hawser/middleware.hpp>
#include <hawser/reactor.hpp>

namespace hawser {

namespace endpoint {
class Base;
}

/// What an endpoint tells the application, one function an event. Each may be empty.
struct Listeners {
    /// A message arrived; the view dies when the function returns. What takes a MessageView by value will do, too.
    using OnMessage = std::function<void(Connection&, const MessageView&)>;
    /// The opening handshake is complete: what was asked, and what was answered.
    using OnHandshake = std::function<void(Connection&, const Request&, const Response&)>;
    /// The connection has ended, and how.
    using OnDisconnect = std::function<void(Connection&, const Disconnect&)>;
    /// Something failed; the connection is null when there is none (yet, or any more).
    using OnError = std::function<void(Connection*, const Error&)>;
    /// What waited has been sent, but for the low-water mark.
    using OnDrain = std::function<void(Connection&)>;
    /// The tick interval passed.
    using OnTick = std::function<void()>;
};

/// What Client and Server have in common. Members are changed at any time, in a callback too; a listener that is
/// replaced while it runs runs to its end. Destroying an endpoint, in its own callback too, drops its connections
/// and calls no listener any more.
class HAWSER_API Endpoint {
public:
    Endpoint(const Endpoint&) = delete;
    Endpoint& operator=(const Endpoint&) = delete;

    /// Whose thread this is. Not to be asked once the reactor is gone.
    Reactor& reactor() const noexcept;
    /// The settings; the reference dies with the next change.
    const Configuration& configuration() const noexcept;
    /// Bounds each wait.
    Seconds timeout() const noexcept { return configuration().timeout; }
    /// Largest payload of a frame that is sent.
    std::size_t frame_size() const noexcept { return configuration().frame_size; }
    /// The options of the layers below.
    const Context& context() const noexcept { return configuration().context; }
    /// One of them; null when it has no value. The pointer dies with the next change.
    const OptionValue* get_option(std::string_view wrapper, std::string_view name) const { return context().get_option(wrapper, name); }

protected:
    /// @cond
    explicit Endpoint(std::shared_ptr<endpoint::Base> base) noexcept;
    ~Endpoint();

    void listen_message(Opcode opcode, Listeners::OnMessage function);
    void listen_any_message(Listeners::OnMessage function);
    void listen_handshake(Listeners::OnHandshake function);
    void listen_connect(Listeners::OnHandshake function);
    void listen_disconnect(Listeners::OnDisconnect function);
    void listen_error(Listeners::OnError function);
    void listen_drain(Listeners::OnDrain function);
    void listen_tick(Listeners::OnTick function);
    void append_middleware(std::shared_ptr<Middleware> middleware);
    void apply_configuration(Configuration configuration);
    void apply_context(Context context);

    std::shared_ptr<endpoint::Base> base_;
    /// @endcond

public:
    /// False when it was not added. The stock ones are removed by `remove_close_handler`, `remove_ping_responder`.
    bool remove_middleware(const Middleware& middleware);
    /// Without it the application answers a Close itself.
    bool remove_close_handler();
    /// Without it the application answers a ping itself.
    bool remove_ping_responder();
};

/// The calls of an endpoint that can be chained: each returns the endpoint itself.
template <typename Self>
class ChainedEndpoint : public Endpoint {
public:
    /// A whole text message arrived.
    Self& on_text(Listeners::OnMessage function) { return listen_message(Opcode::text, std::move(function)), self(); }
    /// A whole binary message arrived.
    Self& on_binary(Listeners::OnMessage function) { return listen_message(Opcode::binary, std::move(function)), self(); }
    /// A ping arrived. PingResponder answers it.
    Self& on_ping(Listeners::OnMessage function) { return listen_message(Opcode::ping, std::move(function)), self(); }
    /// A pong arrived.
    Self& on_pong(Listeners::OnMessage function) { return listen_message(Opcode::pong, std::move(function)), self(); }
    /// The peer's Close frame arrived; on_disconnect follows.
    Self& on_close(Listeners::OnMessage function) { return listen_message(Opcode::close, std::move(function)), self(); }
    /// A message of any kind arrived; called after the kind's own listener.
    Self& on_message(Listeners::OnMessage function) { return listen_any_message(std::move(function)), self(); }
    /// The opening handshake is complete: messages may be sent from here on.
    Self& on_handshake(Listeners::OnHandshake function) { return listen_handshake(std::move(function)), self(); }
    /// The same moment: called after `on_handshake`, unless that has ended the connection.
    Self& on_connect(Listeners::OnHandshake function) { return listen_connect(std::move(function)), self(); }
    /// The connection has ended: called exactly once for each that had on_handshake, as the last call for it.
    Self& on_disconnect(Listeners::OnDisconnect function) { return listen_disconnect(std::move(function)), self(); }
    /// Something failed. The connection is null when there is none (yet, or any more); the error names the peer.
    Self& on_error(Listeners::OnError function) { return listen_error(std::move(function)), self(); }
    /// After `SendStatus::backpressure`: no more than the low-water mark waits.
    Self& on_drain(Listeners::OnDrain function) { return listen_drain(std::move(function)), self(); }
    /// Every `Configuration::tick_interval`, while the endpoint runs: a client, while it has a connection or is about to.
    Self& on_tick(std::function<void(Self&)> function) {
        if (!function) return listen_tick({}), self();
        return listen_tick([this, function = std::move(function)] { function(self()); }), self();
    }

    /// Adds a middleware for all connections, present and future, behind those that are there.
    Self& add_middleware(std::shared_ptr<Middleware> middleware) { return append_middleware(std::move(middleware)), self(); }

    /// Settings of the endpoint and all its connections, present ones included (but for those that only a handshake
    /// uses). Throws `Errc::invalid_option`, and changes nothing then.
    Self& set_configuration(Configuration configuration) { return apply_configuration(std::move(configuration)), self(); }
    /// Where it writes what it does; null: nowhere.
    Self& set_logger(std::shared_ptr<Logger> logger) {
        return change([&](Configuration& c) { c.logger = std::move(logger); });
    }
    /// Bounds each wait; 0: nothing is waited for. Throws `Errc::invalid_option`.
    Self& set_timeout(Seconds timeout) {
        return change([&](Configuration& c) { c.timeout = timeout; });
    }
    Self& set_timeout(NoValue) = delete;
    /// Largest payload of a frame that is sent; at least 1. Throws `Errc::invalid_option`.
    Self& set_frame_size(std::size_t size) {
        return change([&](Configuration& c) { c.frame_size = size; });
    }
    /// Options of the layers below, for the next connection. Files that "ssl" options name are read anew when they have changed, also
    /// by options that are as they were. Throws `Errc::invalid_option`, and changes nothing then.
    Self& set_context(Context context) { return apply_context(std::move(context)), self(); }
    /// One option, as above. A certificate, its key and its passphrase may be set one after the other: whether they fit together is
    /// seen to at the next handshake, or by `reload_context()`.
    Self& set_option(std::string_view wrapper, std::string_view name, OptionValue value) {
        Context changed = context();
        changed.set_option(wrapper, name, std::move(value));
        return set_context(std::move(changed));
    }
    Self& set_option(std::string_view wrapper, std::string_view name, NoValue) = delete;

protected:
    /// @cond
    using Endpoint::Endpoint;
    ~ChainedEndpoint() = default;
    /// @endcond

private:
    Self& self() noexcept { return static_cast<Self&>(*this); }
    template <typename Change>
    Self& change(Change&& apply) {
        Configuration changed = configuration();
        apply(changed);
        return set_configuration(std::move(changed));
    }
};

}  // namespace hawser
