#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/endpoint.hpp>

#include "connection/link.hpp"
#include "reactor/core.hpp"
#include "transport/tls.hpp"

namespace hawser::endpoint {

using connection::Link;

/// Something is under way, as a flag says. A nested one leaves that as it is.
class FlagScope {
public:
    explicit FlagScope(bool& flag) noexcept : flag_(flag), before_(std::exchange(flag, true)) {}
    ~FlagScope() { flag_ = before_; }
    FlagScope(const FlagScope&) = delete;
    FlagScope& operator=(const FlagScope&) = delete;

private:
    bool& flag_;
    const bool before_;
};

/// Does `then` also when `first` throws, which is thrown on behind it: for the application's calls, that throw what they call. Where the
/// loop calls, Core::guard() does.
template <typename First, typename Then>
void both(First&& first, Then&& then) {
    try {
        first();
    } catch (...) {
        then();
        throw;
    }
    then();
}

/// What Client and Server share: listeners, middlewares, settings, the tick. Links keep it alive during their turns,
/// so that the application may destroy an endpoint in its own callback.
class Base : public connection::Owner, private reactor::Dependent, public std::enable_shared_from_this<Base> {
public:
    Base(Reactor& reactor, Configuration configuration, transport::TlsRole role);
    virtual ~Base();
    Base(const Base&) = delete;
    Base& operator=(const Base&) = delete;

    Reactor& reactor() const noexcept { return reactor_; }
    const Configuration& configuration() const noexcept { return *settings_; }
    virtual void set_configuration(Configuration configuration);
    /// Other options. Those that are there already, set again, ask for their files to be read anew.
    void set_context(Context context);

    /// The application is done with it, or its reactor goes: links are dropped, and no listener is called any more.
    void end() noexcept;
    bool is_over() const noexcept { return is_over_; }

    template <typename Function>
    using Slot = std::shared_ptr<const Function>;
    /// Replaces a listener; one that is running is kept until it has returned.
    template <typename Function>
    void listen(Slot<Function>& slot, Function function) {
        if (depth_ != 0 && slot) retired_.push_back(std::move(slot));
        slot = function ? std::make_shared<const Function>(std::move(function)) : nullptr;
    }
    struct Slots {
        Slot<Listeners::OnMessage> text{}, binary{}, ping{}, pong{}, close{}, any_message{};
        Slot<Listeners::OnHandshake> handshake{}, connect{};
        Slot<Listeners::OnDisconnect> disconnect{};
        Slot<Listeners::OnError> error{};
        Slot<Listeners::OnDrain> drain{};
        Slot<Listeners::OnTick> tick{};
    };
    Slots slots{};
    Slot<Listeners::OnMessage>& message_slot(Opcode opcode) noexcept;

    void add_middleware(std::shared_ptr<Middleware> middleware);
    bool remove_middleware(const Middleware& middleware);
    bool remove_close_handler() { return remove_middleware(*close_handler_); }
    bool remove_ping_responder() { return remove_middleware(*ping_responder_); }
    /// Starts or stops the tick's timer, after a change of what needs it.
    void update_tick();

    std::shared_ptr<connection::Owner> pin() override { return shared_from_this(); }
    void on_open(Link& link) override;
    void on_message(Link& link, const MessageView& message) override;
    void on_drain(Link& link) override;
    void want_ticks() override;
    void on_error(Link& link, const Error& error) override;
    void on_end(Link& link, const Disconnect& ending) override;

protected:
    /// The links, those in their handshake included.
    virtual std::vector<std::shared_ptr<Link>> all_links() const = 0;
    /// Ticks are due: started, and not stopped.
    virtual bool is_ticking() const noexcept = 0;
    /// Lets go of all that belongs to the reactor.
    virtual void abandon();
    // What the application throws to steer the endpoint where no link is concerned. Called where that was caught.
    virtual void on_close_requested(const CloseRequested& request);
    virtual void on_reconnect_requested(const ReconnectRequested&) {}

    /// What every connection has from the start: the answers to a Close and to a ping.
    connection::ChainPtr stock_chain() const;
    /// Null until it is needed.
    const std::shared_ptr<transport::TlsContext>& tls() const noexcept { return tls_; }
    /// Makes what the "ssl" options ask for, from their files. Throws, and keeps the old, for those that cannot be.
    void load_tls();
    bool is_identity_due() const noexcept { return is_identity_due_; }
    /// Takes up a certificate, key and passphrase that were set one after the other. Returns, once, why they do not fit together; then the
    /// old ones stay.
    std::optional<Error> settle_identity();
    /// Calls a listener, if there is one.
    template <typename Function, typename... Arguments>
    void emit(const Slot<Function>& slot, Arguments&&... arguments) {
        if (!slot) return;
        const Dispatch dispatch(*this);
        (*slot)(std::forward<Arguments>(arguments)...);
    }
    /// Tells an error that belongs to no link.
    void report(const Error& error);
    void log(LogLevel level, std::string_view message, LogFields fields = {}) const noexcept {
        // It may be replaced by what it calls.
        if (const std::shared_ptr<Logger> logger = settings_->logger) logger->log(level, message, fields);
    }

    /// A timer of the reactor's that keeps the endpoint while it calls.
    TimerId start_timer(Seconds delay, Seconds repeat, std::function<void()> function);
    reactor::Core& core() const noexcept { return *core_; }

    Reactor& reactor_;  // gone when this is over
    const std::shared_ptr<reactor::Core> core_;
    Link::Settings settings_;
    connection::ChainPtr chain_;

private:
    /// One call of a listener: what is replaced meanwhile lives until the outermost one is over.
    class Dispatch {
    public:
        explicit Dispatch(Base& base) noexcept : base_(base) { ++base_.depth_; }
        ~Dispatch() {
            if (--base_.depth_ == 0 && !base_.retired_.empty()) base_.drop_retired();
        }
        Dispatch(const Dispatch&) = delete;
        Dispatch& operator=(const Dispatch&) = delete;

    private:
        Base& base_;
    };

    void update_tls(const Context& context);
    bool changes_ssl(const Configuration& configuration) const;
    void end_failed(Link& link);
    void on_reactor_end() noexcept override { end(); }
    template <typename Callback>
    void steered(Callback&& callback);
    void drop_retired() noexcept;
    void set_middlewares(connection::Middlewares middlewares);
    void tick();

    std::shared_ptr<CloseHandler> close_handler_;
    std::shared_ptr<PingResponder> ping_responder_;
    const transport::TlsRole role_;
    std::shared_ptr<transport::TlsContext> tls_;  // made when it is needed, and when its options have changed
    bool is_identity_due_ = false;                // certificate and key were set, and do not fit together yet
    TimerId tick_timer_ = 0;
    bool links_tick_ = false;  // there was one with tick hooks of its own
    bool is_over_ = false;
    unsigned depth_ = 0;
    std::vector<std::shared_ptr<const void>> retired_;
};

}  // namespace hawser::endpoint
