#include "connection/link.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

namespace hawser::connection {

namespace {

/// The one thing that all reactors of a process share: identities are unique among them.
std::uint64_t next_identity() noexcept {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

/// Reads in one turn, so that one busy connection does not keep the others waiting.
constexpr int read_budget = 16;
/// How often a turn sees to what its own callbacks brought about.
constexpr int settle_budget = 16;
/// Up to so many bytes leave together; what is longer by itself leaves alone.
constexpr std::size_t cork_limit = 64 * 1024;
/// What control frames may take beyond max_buffered_amount.
constexpr std::size_t control_reserve = 64 * 1024;

/// A middleware may have changed a prepared message.
bool is_same(const MessageView& prepared, const MessageView& message) noexcept {
    return prepared.opcode == message.opcode && prepared.content.data() == message.content.data() && prepared.length() == message.length();
}

}  // namespace

Link::Link(protocol::Role role, reactor::Core& core, Owner& owner, std::unique_ptr<transport::Transport> transport, Settings settings,
           ChainPtr chain)
    : shared_core_(core.shared_from_this()),
      core_(core),
      owner_(&owner),
      transport_(std::move(transport)),
      settings_(std::move(settings)),
      chain_(std::move(chain)),
      session_(role, *this, *this, core.entropy(), *settings_, core.fresh_now()),
      identity_(next_identity()) {}

Link::~Link() {
    if (!finished_) core_.loop().arm(*this, TimePoint::max());
}

void Link::begin() {
    turn([&] { read(); });
}

void Link::begin(Request request) {
    handshake_ = std::make_unique<Handshake>();
    turn([&] { begin_handshake(Hook::http_outgoing, std::move(request)); });
}

void Link::orphan() noexcept {
    owner_ = nullptr;
    session_.set_over();
    finish();
}

// The turn.

template <typename Work>
void Link::turn(Work&& work) {
    if (finished_) return;
    const auto self = shared_from_this();
    const auto owner = owner_ ? owner_->pin() : nullptr;
    in_turn_ = true;
    try {
        const reactor::Core::Turn turn(core_, *this);
        work();
        settle();
    } catch (const std::exception& error) {
        // What callbacks throw has been dealt with: this is the library's own, no memory left, say.
        core_.guard([&] { session_.transport_failed(error.what()); });
        session_.set_over();
        finish();
    }
    in_turn_ = false;
    if (again_ || session_.is_over() || (held_ & held_by_exception) != 0) schedule();
}

// A callback may run a borrowed loop. What this link hears there waits until its turn is over: two would be in each other's way. What it
// has corked leaves before the others cork theirs.

void Link::set_interrupted(bool interrupted) noexcept try {
    interrupted_ = interrupted;
    if (interrupted) flush();
} catch (const std::bad_alloc&) {
    session_.set_over();
}

void Link::on_transport_ready(Readiness readiness) {
    if (in_turn_) return transport_->watch(*this, Readiness::none);
    turn([&] {
        if (readiness != Readiness::readable) blocked_ = false;
        if (readiness != Readiness::writable) read();
    });
}

void Link::on_deadline() {
    if (in_turn_) return;
    turn([&] {
        // What has arrived counts, however late the loop comes to it.
        read();
        const TimePoint now = core_.fresh_now();
        session_.tick(now, transport_->is_handshaking());
        if (now < tick_at_ || (held_ & held_by_owner) != 0) return;
        tick_at_ = TimePoint::max();
        tick();
    });
}

void Link::run_deferred() {
    scheduled_ = false;
    if (in_turn_) return;
    if (core_.is_interrupted()) return schedule();
    turn([&] {
        set_hold(held_by_exception, false);
        if (again_ || transport_->pending()) read();
    });
}

void Link::schedule_turn() {
    if (scheduled_ || finished_) return;
    scheduled_ = true;
    core_.defer(std::static_pointer_cast<Link>(shared_from_this()));
}

void Link::settle() {
    int budget = settle_budget;
    while (settle_step() && --budget > 0) {
    }
    if (finished_) return;
    if (budget == 0) {
        again_ = true;
        // The last callback may have sent something: the cork is shared, and the next turn is another link's.
        flush();
    }
    wait();
}

/// Returns true when it should be called again: a callback ran, or the session went on.
bool Link::settle_step() {
    flush();
    if (is_failing()) {
        // What arrived before the socket broke is still delivered.
        read();
        session_.transport_failed(extras_->failure, Errc::connection_failure, extras_->failure_cause);
    }
    switch (session_.step(outbox_.empty())) {
        case protocol::Session::Step::disconnect:
            if (!session_.is_over() && transport_->holds_output()) {
                blocked_ = true;
                session_.write_blocked(core_.fresh_now());
            } else {
                finish();
            }
            return false;
        case protocol::Session::Step::shutdown_write: {
            const transport::IoResult result = transport_->shutdown_write();
            if (result.status == transport::IoResult::Status::would_block) blocked_ = true;
            if (result.status == transport::IoResult::Status::failed) transport_failed("closing the write half failed: ", result.error());
            if (result.status == transport::IoResult::Status::done) session_.write_shut();
            return result.status != transport::IoResult::Status::would_block;
        }
        case protocol::Session::Step::none: break;
    }
    return tell_drained();
}

/// Sets what the next turn is to wait for.
void Link::wait() {
    unsigned interest = 0;
    if (session_.wants_input()) interest |= static_cast<unsigned>(Readiness::readable);
    if (blocked_) interest |= static_cast<unsigned>(Readiness::writable);
    transport_->watch(*this, static_cast<Readiness>(interest));
    // Later than what is armed: seen to when that fires.
    const TimePoint next = next_deadline();
    if (next < at()) core_.loop().arm(*this, next);
}

/// While the owner has stopped there are no ticks.
TimePoint Link::next_deadline() const noexcept {
    const TimePoint next = session_.next_deadline();
    return (held_ & held_by_owner) != 0 || session_.is_over() ? next : std::min(next, tick_at_);
}

void Link::finish() {
    if (finished_) return;
    finished_ = true;
    session_.set_over();
    transport_->close();
    core_.loop().arm(*this, TimePoint::max());
    outbox_.clear();
    tail_.reset();
    session_.give_up_memory();
    corked_ = 0;
    if (Owner* owner = std::exchange(owner_, nullptr)) core_.guard([&] { owner->on_end(*this, session_.ending()); });
}

// The way in.

void Link::read() {
    if (again_) take_up();
    for (int budget = read_budget; budget > 0; --budget)
        if (!read_once()) return;
    // What the transport holds inside is not announced by the socket.
    if (transport_->pending()) again_ = true;
}

/// Returns whether there may be more to read.
bool Link::read_once() {
    if (!session_.wants_input() || again_) return false;
    const std::span<char> direct = !tail_ ? session_.direct_target(core_.spare()) : std::span<char>();
    if (!direct.empty()) {
        const transport::IoResult result = transport_->read(direct);
        if (!absorb(result)) return false;
        session_.receive_direct(result.bytes, core_.now());
        return may_give_more(result.bytes == direct.size());
    }
    const std::span<char> buffer = core_.receive_buffer();
    const std::size_t kept = restore_tail(buffer);
    const transport::IoResult result = transport_->read(buffer.subspan(kept));
    if (!absorb(result)) return false;
    feed(buffer.first(kept + result.bytes));
    return may_give_more(kept + result.bytes == buffer.size());
}

/// Whether another read is worth its call. Of a transport that fails there is no later.
bool Link::may_give_more(bool filled) const noexcept { return filled || transport_->pending() || is_failing(); }

/// Returns whether bytes were read.
bool Link::absorb(const transport::IoResult& result) {
    switch (result.status) {
        case transport::IoResult::Status::done: return true;
        case transport::IoResult::Status::would_block:
            if (result.bytes != 0) session_.heard(core_.now());
            return false;
        case transport::IoResult::Status::end: session_.receive_end(); return false;
        case transport::IoResult::Status::failed: transport_failed("reading failed: ", result.error()); return false;
    }
    return false;
}

void Link::feed(std::span<char> bytes) {
    const std::span<char> rest = bytes.subspan(session_.receive(bytes, core_.now()));
    if (rest.empty()) return tail_.reset();
    if (!tail_) tail_ = std::make_unique<Buffer>();
    tail_->clear();
    tail_->append({rest.data(), rest.size()});
}

/// Puts what was not taken back to where it was, and returns how much that is.
std::size_t Link::restore_tail(std::span<char> buffer) const noexcept {
    return tail_ ? tail_->view().copy(buffer.data(), buffer.size()) : 0;
}

/// Shows the session what it had not taken when it was stopped.
void Link::take_up() {
    again_ = false;
    if (!tail_ || !session_.wants_input()) return;
    const std::span<char> buffer = core_.receive_buffer();
    feed(buffer.first(restore_tail(buffer)));
}

void Link::set_hold(Hold reason, bool held) {
    if (finished_) return;
    const std::uint8_t before = held_;
    held_ = static_cast<std::uint8_t>(held ? held_ | reason : held_ & ~reason);
    if ((before == 0) == (held_ == 0)) return;
    session_.set_reading(held_ == 0, core_.now());
    again_ = held_ == 0;
    schedule();
}

void Link::pause() { set_hold(held_by_application, true); }
void Link::resume() { set_hold(held_by_application, false); }
void Link::hold(bool held) { set_hold(held_by_owner, held); }

SendStatus Link::deliver(const MessageView& message) {
    if (owner_ && is_connected()) owner_->on_message(*this, message);
    return is_connected() ? SendStatus::ok : SendStatus::closed;
}

SendStatus Link::deliver_later(const HookListPtr& list, std::size_t position, const MessageView& message) {
    call([&](Owner&) { Chain::incoming(*this, list, position, message); });
    return is_connected() ? SendStatus::ok : SendStatus::closed;
}

// What the session tells.

void Link::on_message(MessageView& message) {
    message.timestamp = core_.wall_clock();
    call([&](Owner&) {
        const HookListPtr& list = chain_->of(Chain::incoming_hook(message.opcode));
        if (!list)
            deliver(message);
        else
            Chain::incoming(*this, HookListPtr(list), list->list.size(), message);
    });
}

void Link::on_open() {
    call([&](Owner& owner) { owner.on_open(*this); });
    keep_heads();
}

// The way out.

SendStatus Link::send(const MessageView& message) {
    const HookListPtr& list = chain_->of(Chain::outgoing_hook(message.opcode));
    if (in_turn_ && !list) return transmit(message);
    if (!is_writable()) return SendStatus::closed;
    const ConnectionPtr self = shared_from_this();
    return list ? send_through(HookListPtr(list), 0, message) : transmit(message);
}

SendStatus Link::send(const PreparedMessage& message) {
    if (!is_writable()) return SendStatus::closed;
    const ConnectionPtr self = in_turn_ ? nullptr : shared_from_this();
    // Left again also when a middleware throws.
    struct Scope {
        const PreparedMessage*& slot;
        const PreparedMessage* before;
        ~Scope() { slot = before; }
    };
    const Scope scope{core_.prepared(), std::exchange(core_.prepared(), &message)};
    const HookListPtr& list = chain_->of(Chain::outgoing_hook(message.view().opcode));
    return list ? send_through(HookListPtr(list), 0, message.view()) : transmit(message.view());
}

SendStatus Link::transmit(const MessageView& message) try {
    if (!is_writable() || is_failing()) return SendStatus::closed;
    if (message.opcode == Opcode::pong && keep_pong(message)) return SendStatus::ok;
    if (!has_room(message)) return overflow(message);

    const PreparedMessage* prepared = core_.prepared();
    if (prepared && !is_same(prepared->view(), message)) prepared = nullptr;
    TimePoint now = core_.now();
    if (message.opcode == Opcode::close) {
        // A long callback must not shorten the closing handshake's time.
        now = core_.fresh_now();
        // The answer may have come already, and lie behind what was held back.
        if (held_ != 0) again_ = true;
    }
    const SendStatus status = session_.send(message, now, prepared);
    schedule();
    if (status != SendStatus::ok || buffered_amount() <= settings_->high_water_mark) return status;
    drain_due_ = true;
    return SendStatus::backpressure;
} catch (...) {
    // No memory left, say: nothing may follow a message that was compressed or written by half, which does not leave either.
    outbox_.clear();
    corked_ = 0;
    drop();
    throw;
}

bool Link::has_room(const MessageView& message) {
    const std::size_t limit = settings_->max_buffered_amount;
    if (buffered_amount() + message.length() <= limit) return true;
    flush();
    // The limit may be the largest number, to which nothing can be added.
    const std::size_t taken = buffered_amount() + message.length();
    return taken <= limit || (is_control(message.opcode) && taken - limit <= control_reserve);
}

SendStatus Link::overflow(const MessageView& message) {
    if (!is_control(message.opcode) && message.length() > settings_->max_buffered_amount) {
        on_error(Errc::message_too_big,
                 "a message was not sent: its " + std::to_string(message.length()) + " bytes are more than max_buffered_amount", nullptr,
                 {});
        return SendStatus::refused;
    }
    if (is_control(message.opcode) || settings_->overflow_policy == OverflowPolicy::drop) return SendStatus::dropped;
    fail_later("the peer does not read: " + std::to_string(buffered_amount()) + " bytes wait to be sent");
    return SendStatus::closed;
}

/// While the socket takes nothing, the newest pong stands for all (RFC 6455, section 5.5.3). None overtakes the one that waits.
bool Link::keep_pong(const MessageView& message) {
    const bool is_one_waiting = extras_ && extras_->has_waiting_pong;
    if (!is_one_waiting && (!blocked_ || queued_pongs_ < settings_->max_queued_pongs)) {
        if (blocked_) ++queued_pongs_;
        return false;
    }
    if (message.length() > protocol::max_control_payload) return false;
    extras().waiting_pong = message.content;
    extras().has_waiting_pong = true;
    return true;
}

char* Link::reserve(std::size_t size) {
    static_assert(max_reserve <= reactor::Core::cork_buffer_size);
    if (corked_ != 0 && corked_ + size > cork_limit) flush();
    if (in_turn_ && !interrupted_ && outbox_.empty()) {
        char* room = core_.cork_buffer().data() + corked_;
        corked_ += static_cast<std::uint32_t>(size);
        return room;
    }
    return outbox_.reserve(size);
}

void Link::write(std::span<const iovec> slices) {
    flush();
    std::size_t taken = outbox_.empty() ? write_now(slices) : 0;
    for (const iovec& slice : slices) {
        const std::size_t skipped = std::min(taken, slice.iov_len);
        taken -= skipped;
        outbox_.append(std::string_view(static_cast<const char*>(slice.iov_base), slice.iov_len).substr(skipped));
    }
}

void Link::write_shared(const std::shared_ptr<const std::string>& bytes) {
    if (corked_ != 0) flush();
    outbox_.append_shared(bytes);
}

/// Sends what waits, as far as the socket takes it.
void Link::flush() {
    if (const std::size_t size = std::exchange(corked_, 0u); size != 0) {
        char* cork = core_.cork_buffer().data();
        const std::size_t taken = write_now(std::array{iovec{cork, size}});
        outbox_.append({cork + taken, size - taken});
    }
    std::array<iovec, 64> slices;
    while (!outbox_.empty() && may_write()) outbox_.consume(write_now({slices.data(), outbox_.describe(slices)}));
    if (!outbox_.empty() || !may_write()) return;
    queued_pongs_ = 0;
    if (!extras_ || !std::exchange(extras_->has_waiting_pong, false)) return;
    session_.send({Opcode::pong, extras_->waiting_pong}, core_.now());
    flush();
}

/// Returns how many bytes the socket took. What it did not take blocks the way out until it is writable.
std::size_t Link::write_now(std::span<const iovec> slices) {
    if (!may_write()) return 0;
    std::size_t size = 0;
    for (const iovec& slice : slices) size += slice.iov_len;
    const transport::IoResult result = transport_->write(slices);
    if (result.status == transport::IoResult::Status::failed) {
        fail_later("writing failed: " + result.error().message(), result.error());
        return 0;
    }
    blocked_ = result.bytes < size;
    if (result.bytes != 0) session_.write_progress(core_.now());
    if (blocked_) session_.write_blocked(core_.fresh_now());
    return result.bytes;
}

/// Returns whether on_drain was called. On a connection that is closing there is no room any more: its successor tells.
bool Link::tell_drained() {
    if (!drain_due_ || buffered_amount() > settings_->low_water_mark || !is_writable()) return false;
    drain_due_ = false;
    call([&](Owner& owner) { owner.on_drain(*this); });
    return true;
}

void Link::disconnect() {
    closed_here_ = true;
    drop();
}

/// Ends the connection at once, without a word of who wanted that. What was sent before leaves, as far as the socket takes it.
void Link::drop() {
    if (finished_) return;
    flush();
    session_.set_over();
    transport_->close();
    outbox_.clear();
    corked_ = 0;
    schedule();
}

void Link::close_read() {
    session_.close_read();
    if (session_.is_over()) disconnect();
    schedule();
}

void Link::close_write() {
    session_.close_write();
    if (session_.is_over()) disconnect();
    schedule();
}

}  // namespace hawser::connection
