#pragma once

#include <any>
#include <map>
#include <memory>
#include <string>

#include <hawser/connection.hpp>

#include "connection/chain.hpp"
#include "connection/heads.hpp"
#include "connection/outbox.hpp"
#include "connection/owner.hpp"
#include "protocol/session.hpp"
#include "reactor/core.hpp"
#include "transport/transport.hpp"

namespace hawser::connection {

/// Whether there may be the Close that is asked for (RFC 6455, sections 5.5 and 7.4). If not, the callback that asks has failed.
bool is_possible(const CloseRequested& request);

/// The connection: joins a transport, a session, a chain and an outbox.
///
/// Whatever happens to it happens in a turn: the socket is ready, a deadline has come, or deferred work is due. A turn
/// keeps the link and its owner alive, corks what is sent, and ends with settle(), which sends it, does what the session
/// asks for, and sets what to wait for next. Calls from outside a turn only schedule one.
class Link final : public Connection,
                   public reactor::Deferred,
                   private reactor::TurnTaker,
                   private protocol::Session::Events,
                   private protocol::Output,
                   private transport::Transport::Observer,
                   private reactor::Deadline {
public:
    using Settings = std::shared_ptr<const Configuration>;

    Link(protocol::Role role, reactor::Core& core, Owner& owner, std::unique_ptr<transport::Transport> transport, Settings settings,
         ChainPtr chain);
    ~Link() override;

    /// Server: waits for the request.
    void begin();
    /// Client: sends the request, through the middlewares.
    void begin(Request request);
    /// The owner goes: the socket is closed, and nobody is told.
    void orphan() noexcept;
    /// Gives the link another owner, or none, without ending it: a persistent connection changes hands.
    void set_owner(Owner* owner) noexcept { owner_ = owner; }
    /// The owner's middlewares have changed.
    void set_chain(ChainPtr endpoint_chain);
    void set_settings(Settings settings);
    /// The owner stops or resumes reading, apart from what the application does by pause() and resume().
    void hold(bool held);
    bool was_open() const noexcept { return session_.was_open(); }
    /// The application began the closing handshake, or dropped the connection.
    bool closed_here() const noexcept { return closed_here_ || session_.close_began_here(); }
    /// Goes on with what another link's application kept.
    void take_meta(Link& other);
    /// Tells the application, or the log alone, and ends the connection if the error is of that level.
    void fail(const Error& error, bool tells = true);
    /// Calls the application; what it throws is dealt with, and then false is returned.
    template <typename Callback>
    bool call(Callback&& callback);
    /// The owner has answered `backpressure` itself: on_drain comes when no more than the low-water mark waits.
    void expect_drain() noexcept { drain_due_ = true; }
    bool is_drain_due() const noexcept { return drain_due_; }
    /// What is sent may leave: this neither ends nor is about to fail.
    bool takes_messages() const noexcept { return is_writable() && !is_failing(); }
    /// Whether a message does not exceed max_buffered_amount, if need be behind a flush.
    bool has_room(const MessageView& message);
    /// Place in the owner's list.
    std::uint32_t index = 0;
    /// The owner counts it among its connections.
    bool admitted = false;

    SendStatus send(const MessageView& message) override;
    SendStatus send(const PreparedMessage& message) override;
    bool is_connected() const noexcept override { return !session_.is_over(); }
    bool is_readable() const noexcept override { return session_.is_readable() && !session_.is_over(); }
    bool is_writable() const noexcept override { return session_.is_writable() && !session_.is_over(); }
    TimePoint last_received() const noexcept override { return session_.last_received(); }
    void disconnect() override;
    void close_read() override;
    void close_write() override;
    std::size_t buffered_amount() const noexcept override { return (outbox_.empty() ? 0 : outbox_.size()) + corked_; }
    void pause() override;
    void resume() override;
    bool is_paused() const noexcept override { return (held_ & held_by_application) != 0; }
    Reactor& reactor() const noexcept override { return core_.reactor(); }
    std::uint64_t identity() const noexcept override { return identity_; }
    std::string name() const override { return transport_->name(); }
    std::string remote_name() const override { return transport_->remote_name(); }
    const TlsInfo* tls() const noexcept override { return transport_->tls(); }
    const Request* handshake_request() const noexcept override;
    const Response* handshake_response() const noexcept override;
    void tick() override;
    void tick_after(Seconds delay) override;
    void add_middleware(std::shared_ptr<Middleware> middleware) override;
    bool remove_middleware(const Middleware& middleware) override;
    void use_compression(const DeflateOptions& options) override;
    const Configuration& configuration() const noexcept override { return *settings_; }
    void set_configuration(Configuration configuration) override;

    /// What a callback has thrown, as on_error is told of it; called where that was caught.
    Error exception_as_error() const;

    // Where the chain ends.
    SendStatus deliver(const MessageView& message);
    /// Runs the rest of a chain that a hook has put off.
    SendStatus deliver_later(const HookListPtr& list, std::size_t position, const MessageView& message);
    SendStatus transmit(const MessageView& message);
    /// Runs an outgoing chain from this position on. What a hook throws to steer the connection, or as an error of it, is dealt with;
    /// any other exception is the caller's.
    SendStatus send_through(const HookListPtr& list, std::size_t position, const MessageView& message);
    /// Runs a chain from this position on; what the application throws fails the handshake.
    void run_handshake(Hook direction, const HookListPtr& list, std::size_t position, HttpMessage message);
    void received_http(HttpMessage message);
    void send_http(HttpMessage message);
    /// A handshake hook answers a request.
    void answer_http(Response response);
    /// A handshake hook dropped the message.
    void dropped_http();
    bool is_in_turn() const noexcept { return in_turn_; }
    protocol::Role role() const noexcept { return session_.role(); }

private:
    struct Handshake {
        std::unique_ptr<Heads> heads = std::make_unique<Heads>();
        std::string packed{};  // after the handshake, until somebody asks for the heads
        bool is_page = false;
        bool has_response = false;
    };
    /// What few connections need.
    struct Extras {
        std::map<std::string, std::any, std::less<>> meta{};
        Middlewares own_middlewares{};
        ChainPtr endpoint_chain{};  ///< set when there are own middlewares
        std::string failure{};      ///< what broke while the application was in a call
        std::error_code failure_cause{};
        std::string waiting_pong{};  ///< the newest, when too many are queued already
        bool has_waiting_pong = false;
    };
    enum Hold : std::uint8_t { held_by_application = 1, held_by_owner = 2, held_by_exception = 4 };

    // The turn.
    template <typename Work>
    void turn(Work&& work);
    void on_transport_ready(Readiness readiness) override;
    void on_deadline() override;
    void run_deferred() override;
    void set_interrupted(bool interrupted) noexcept override;
    void schedule() {
        if (!in_turn_) schedule_turn();
    }
    void schedule_turn();
    void settle();
    bool settle_step();
    void wait();
    TimePoint next_deadline() const noexcept;
    void finish();

    // The way in.
    void read();
    bool read_once();
    bool may_give_more(bool filled) const noexcept;
    bool absorb(const transport::IoResult& result);
    void feed(std::span<char> bytes);
    std::size_t restore_tail(std::span<char> buffer) const noexcept;
    void take_up();
    void set_hold(Hold reason, bool held);
    void caught();
    void treat_exception(bool tells);
    void callback_failed(bool tells);
    void tell_or_log(const Error& error, bool tells);
    void tell(const Error& error);
    void received_request(Request request, bool is_page);
    void begin_handshake(Hook direction, HttpMessage message);
    void proceed();
    void keep_heads();
    const Heads* heads() const noexcept;

    // The way out.
    char* reserve(std::size_t size) override;
    void write(std::span<const iovec> slices) override;
    void write_shared(const std::shared_ptr<const std::string>& bytes) override;
    SendStatus overflow(const MessageView& message);
    bool keep_pong(const MessageView& message);
    void flush();
    std::size_t write_now(std::span<const iovec> slices);
    void fail_later(std::string what, std::error_code cause = {});
    void drop();
    void transport_failed(const char* step, std::error_code error);
    bool is_failing() const noexcept { return extras_ && !extras_->failure.empty(); }
    bool may_write() const noexcept { return !blocked_ && !is_failing() && !session_.is_over(); }
    bool tell_drained();

    // What the session tells.
    void on_request(Request request) override;
    void on_page_request(Request request) override;
    void on_response(Response response) override;
    void on_open() override;
    void on_message(MessageView& message) override;
    void on_error(Errc code, std::string what, const Response* response, std::error_code cause) override;

    std::any& meta_slot(std::string_view key) override;
    const std::any* find_meta(std::string_view key) const noexcept override;
    Extras& extras();

    const std::shared_ptr<reactor::Core> shared_core_;  // a handle, or a call of it, may outlive the reactor
    reactor::Core& core_;
    Owner* owner_;
    std::unique_ptr<transport::Transport> transport_;
    Settings settings_;
    ChainPtr chain_;
    protocol::Session session_;
    std::unique_ptr<Buffer> tail_;  // received, and not taken yet
    Outbox outbox_;
    std::unique_ptr<Handshake> handshake_;
    std::unique_ptr<Extras> extras_;
    std::uint64_t identity_;
    TimePoint tick_at_ = TimePoint::max();  // tick_after()
    std::uint32_t corked_ = 0;              // bytes in the reactor's cork buffer
    std::uint16_t queued_pongs_ = 0;
    std::uint8_t held_ = 0;
    bool in_turn_ : 1 = false;
    bool scheduled_ : 1 = false;
    bool again_ : 1 = false;    // another turn is due before the loop sleeps: this one could not take all
    bool blocked_ : 1 = false;  // the socket took less than it was given
    bool drain_due_ : 1 = false;
    bool closed_here_ : 1 = false;  // by disconnect()
    bool finished_ : 1 = false;
    bool catching_ : 1 = false;     // what a callback threw is being dealt with
    bool interrupted_ : 1 = false;  // by another's turn, inside a callback of this one's
};

template <typename Callback>
bool Link::call(Callback&& callback) {
    if (!owner_) return true;
    // A turn keeps both alive.
    std::shared_ptr<Connection> self;
    std::shared_ptr<Owner> owner;
    if (!in_turn_) {
        self = shared_from_this();
        owner = owner_->pin();
    }
    bool complete = false;
    try {
        callback(*owner_);
        complete = true;
    } catch (...) {
        caught();
    }
    // The loop is about to break: what else has arrived waits until it runs again.
    if (core_.is_interrupted()) set_hold(held_by_exception, true);
    return complete;
}

}  // namespace hawser::connection
