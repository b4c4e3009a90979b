#include "transport/tls.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <hawser/error.hpp>

#include "transport/gather.hpp"
#include "transport/peer_name.hpp"
#include "transport/tls_buffers.hpp"
#include "transport/tls_capture.hpp"
#include "transport/tls_context.hpp"
#include "transport/tls_failure.hpp"
#include "types/fork.hpp"

namespace hawser::transport {
namespace {

/// So much is decrypted in one read: then the others get their turn.
constexpr std::size_t read_quantum = 64 * 1024;
/// More is not received for one handshake: a message of it has at most 16 KiB, and few are as long as that.
constexpr std::size_t max_handshake_size = 64 * 1024;
/// Output that the socket does not take: a handshake's flight, or one record. Beyond it there are alerts only, as answers to
/// a peer that does not read.
constexpr std::size_t max_held_output = 128 * 1024;
/// RFC 8446, section 5.1.
constexpr std::size_t max_record_size = 16 * 1024;
constexpr std::string_view plain_http_answer =
    "HTTP/1.1 400 This Port Speaks TLS\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 43\r\n\r\n"
    "This port speaks TLS: ask for it by wss://\n";

/// mbedTLS gives its output to this and never hears that the socket is full: what that does not take is kept here. So no
/// call of mbedTLS has ever to be repeated with the same bytes, and nothing is lost when it is not.
class TlsTransport final : public Transport, private Transport::Observer {
public:
    using Observer = Transport::Observer;
    TlsTransport(std::unique_ptr<Transport> inner, std::shared_ptr<TlsContext> context, TlsPeer peer);
    ~TlsTransport() { TlsTransport::close(); }

    IoResult read(std::span<char> into) override;
    IoResult write(std::span<const iovec> slices) override;
    IoResult shutdown_write() override;
    void close() noexcept override;
    bool pending() const noexcept override;
    void watch(Observer& observer, Readiness interest) override;
    bool holds_output() const noexcept override { return !output_.empty(); }
    const TlsInfo* tls() const noexcept override { return info_.get(); }
    bool is_handshaking() const noexcept override { return state_ == State::handshaking; }
    std::string tls_failure() const override { return failure_; }
    std::string name() const override { return inner_->name(); }
    std::string remote_name() const override { return inner_->remote_name(); }

private:
    enum class State : std::uint8_t { handshaking, open, ended, failed, closed };

    void on_transport_ready(Readiness readiness) override;
    void rewatch();
    bool is_server() const noexcept { return context_->role() == TlsRole::server; }

    // The handshake.
    int set_up();
    int set_up_name();
    bool shake_hands();
    void established();
    void handshake_failed(int error);
    std::string beginning();
    std::string explain(int error, std::string_view first);
    void part();

    // mbedTLS's input and output.
    IoResult receive(std::span<char> into);
    IoResult decrypt(std::span<char> into);
    static int receive_input(void* self, unsigned char* into, std::size_t size) noexcept;
    static int send_output(void* self, const unsigned char* bytes, std::size_t size) noexcept;
    int take_output(std::string_view bytes);
    std::size_t send_now(std::string_view bytes);
    void hold(std::string_view bytes);
    void flush_batch();
    bool flush_output();
    /// Whether the socket takes more, as far as is known.
    bool has_room() const noexcept { return !write_error_ && output_.empty(); }
    std::size_t encrypt(std::span<const char> bytes);
    void record_failed(int error);
    void fail(std::string what, std::error_code error);
    IoResult outcome();

    std::unique_ptr<Transport> inner_;
    std::shared_ptr<TlsContext> context_;  // outlives ssl_
    TlsPeer peer_;
    Verifier verifier_;
    std::unique_ptr<mbedtls::Ssl> ssl_;
    std::unique_ptr<TlsInfo> info_;
    Observer* observer_ = nullptr;
    std::string left_over_;          // received, and not yet taken by mbedTLS
    std::string output_;             // encrypted, and not yet taken by the socket
    ReadAhead* ahead_ = nullptr;     // of the read under way
    RecordBatch* batch_ = nullptr;   // of the handshake's flight or the write under way
    std::string failure_;            // why TLS failed
    std::error_code error_{};        // of read() once it has failed
    std::error_code write_error_{};  // of the socket; what has arrived may be read all the same
    std::array<char, 9> first_bytes_{};  // the head of a record, and of a message
    std::uint32_t handshake_size_ = 0;
    Origin origin_;
    Readiness interest_ = Readiness::none;
    State state_ = State::handshaking;
    bool input_ended_ = false;  // the socket's
    bool close_notified_ = false;
    bool outcome_told_ = false;
};

TlsTransport::TlsTransport(std::unique_ptr<Transport> inner, std::shared_ptr<TlsContext> context, TlsPeer peer)
    : inner_(std::move(inner)),
      context_(std::move(context)),
      peer_(std::move(peer)),
      verifier_(context_->settings().rules, context_->settings().has_peer_name ? context_->settings().peer_name : peer_.host,
                &context_->authorities()),
      ssl_(std::make_unique<mbedtls::Ssl>()) {
    if (const int result = set_up(); result != 0 && state_ != State::failed)
        fail("the TLS handshake cannot begin: " + mbedtls::error_text(result), {result, tls_category()});
}

int TlsTransport::set_up() {
    mbedtls_ssl_context& ssl = *ssl_->get();
    if (const int result = mbedtls_ssl_setup(&ssl, &context_->config()); result != 0) return result;
    mbedtls_ssl_set_bio(&ssl, this, send_output, receive_input, nullptr);
    mbedtls_ssl_set_verify(&ssl, Verifier::callback, &verifier_);
    return is_server() ? 0 : set_up_name();
}

int TlsTransport::set_up_name() {
    const TlsSettings& settings = context_->settings();
    const std::string name(without_root(settings.has_peer_name ? settings.peer_name : peer_.host));
    if (name.empty() && settings.rules.verify_peer && settings.rules.verify_name) {
        fail(
            "the TLS handshake failed: there is no name to check the server's certificate against (give ssl option \"peer_name\", or "
            "set \"verify_peer_name\" to false)",
            make_error_code(Errc::tls_failed));
    }
    // An address is no host name (RFC 6066, section 3). Null says that it is left out on purpose: the name is checked by us.
    const bool sends_name = settings.send_name && !name.empty() && !is_ip_literal(name);
    const int result = mbedtls_ssl_set_hostname(ssl_->get(), sends_name ? name.c_str() : nullptr);
    if (result == 0) context_->offer_session(peer_.session, *ssl_->get());
    return result;
}

// The handshake.

/// Goes on with it; returns whether it is complete.
bool TlsTransport::shake_hands() {
    if (state_ != State::handshaking) return state_ != State::failed;
    context_->take_ticket_accepted();
    RecordBatch batch;
    int result = 0;
    {
        const Lent lent(batch_, batch);
        do {
            result = mbedtls_ssl_handshake(ssl_->get());
        } while (mbedtls::is_new_ticket(result));
        flush_batch();
    }
    flush_output();
    if (is_server() && context_->take_ticket_accepted()) peer_.session = "resumed";
    if (result == 0) {
        established();
        return true;
    }
    if (result != MBEDTLS_ERR_SSL_WANT_READ || write_error_) handshake_failed(result);
    return false;
}

void TlsTransport::established() {
    const mbedtls_ssl_context& ssl = *ssl_->get();
    state_ = State::open;
    info_ = std::make_unique<TlsInfo>(describe(ssl, context_->settings()));
    info_->resumed = is_server() ? !peer_.session.empty() : !verifier_.was_called();
    if (!is_server()) context_->keep_session(peer_.session, ssl);
}

/// What the peer began with; of what is not TLS more of it, as far as it is there.
std::string TlsTransport::beginning() {
    std::string first(first_bytes_.data(), std::min<std::size_t>(handshake_size_, first_bytes_.size()));
    if (is_tls(first)) return first;
    std::array<char, 64> more;
    return first.append(more.data(), receive(more).bytes);
}

std::string TlsTransport::explain(int error, std::string_view first) {
    if (std::string other = other_protocol(first, is_server()); !other.empty()) return other;
    if (handshake_size_ > max_handshake_size) return "the peer sent more than " + std::to_string(max_handshake_size) + " bytes for it";
    if (write_error_) return write_error_.message();
    if (error_) return error_.message();
    if (input_ended_) return "the peer closed the connection";
    // What is found behind the callback: the key's use, its curve.
    if (verifier_.was_called() && context_->settings().rules.verify_peer) verifier_.add(mbedtls_ssl_get_verify_result(ssl_->get()));
    const mbedtls_ssl_context& ssl = *ssl_->get();
    const std::string unread = unread_certificates(ssl, is_server());
    if (!verifier_.failures().empty() && error != MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE)
        return verifier_.failures() + (verifier_.misses_issuer() && !unread.empty() ? "; " + unread : "");
    const HandshakeTraces traces{mbedtls::alert_of(ssl), mbedtls::cut_message_size(ssl), is_server() && mbedtls::offers_only_tls13(ssl),
                                 first, unread};
    return handshake_failure(error, traces, is_server());
}

void TlsTransport::handshake_failed(int error) {
    context_->forget_session(peer_.session);
    // A port probe says nothing: that is no failure.
    if (is_server() && input_ended_ && handshake_size_ == 0) {
        state_ = State::ended;
        return;
    }
    const std::string first = beginning(), why = explain(error, first);
    if (is_server() && is_http_request(first)) {
        output_.clear();
        take_output(plain_http_answer);  // in the client's own language
    }
    // mbedTLS leaves this one without an alert (RFC 5246, section 7.4.6).
    if (error == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE)
        mbedtls_ssl_send_alert_message(ssl_->get(), MBEDTLS_SSL_ALERT_LEVEL_FATAL, MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE);
    part();
    const std::error_code of_socket = error_ ? error_ : write_error_;
    fail("the TLS handshake failed: " + why, of_socket ? of_socket : std::error_code(error, tls_category()));
}

/// So that the peer gets our last words: what is left unread would have the socket's end take them back.
void TlsTransport::part() {
    std::array<char, 4096> rest;
    for (int i = 0; i < 16 && inner_->read(rest).status == IoResult::Status::done; ++i) {
    }
    if (output_.empty()) inner_->shutdown_write();
}

// Reading.

IoResult TlsTransport::read(std::span<char> into) {
    if (!shake_hands() && state_ == State::handshaking) return IoResult::would_block();
    ReadAhead ahead(left_over_);
    const Lent lent(ahead_, ahead);
    IoResult result = decrypt(into);
    if (result.status == IoResult::Status::would_block) result.bytes = ahead.total();
    left_over_ = std::string(ahead.rest());  // of which the rest may have been a part
    return result;
}

IoResult TlsTransport::decrypt(std::span<char> into) {
    std::size_t size = 0;
    const std::size_t wanted = std::min(into.size(), read_quantum);
    while (state_ == State::open && size < wanted) {
        const int result = mbedtls_ssl_read(ssl_->get(), reinterpret_cast<unsigned char*>(into.data() + size), into.size() - size);
        if (result > 0) {
            size += static_cast<std::size_t>(result);
            ahead_->set_useful();
        } else if (mbedtls::is_new_ticket(result)) {
            context_->keep_session(peer_.session, *ssl_->get());
        } else if (result == MBEDTLS_ERR_SSL_WANT_READ) {
            // A ticket of TLS 1.3 is announced by this too, and held by mbedTLS: no event will come for it, nor for what is behind it.
            if (mbedtls_ssl_check_pending(ssl_->get()) == 0) break;
        } else if (result != 0 || input_ended_) {  // an empty record is 0 too
            record_failed(result);
        }
    }
    return size != 0 ? IoResult::done(size) : outcome();
}

/// What there is to say when there is nothing to read.
IoResult TlsTransport::outcome() {
    if (state_ == State::open) return write_error_ ? IoResult::failed(write_error_) : IoResult::would_block();
    outcome_told_ = true;
    return state_ == State::ended ? IoResult::end() : IoResult::failed(error_);
}

void TlsTransport::record_failed(int error) {
    if (error == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        state_ = State::ended;
    } else if (input_ended_) {
        fail("the connection was cut off: it ended without TLS's close_notify, so that what came before may be incomplete",
             make_error_code(Errc::connection_closed));
    } else if (error_) {
        state_ = State::failed;  // the socket's failure, not one of TLS
    } else if (error == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        fail("the peer ended TLS with the alert " + alert_text(mbedtls::alert_of(*ssl_->get())), {error, tls_category()});
    } else {
        // mbedTLS leaves this one without an alert (RFC 8446, section 6.2).
        if (error == MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE)
            mbedtls_ssl_send_alert_message(ssl_->get(), MBEDTLS_SSL_ALERT_LEVEL_FATAL, MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE);
        fail("a TLS record from the peer was refused: " + record_failure(error, mbedtls::is_key_update(*ssl_->get())),
             {error, tls_category()});
    }
}

void TlsTransport::fail(std::string what, std::error_code error) {
    state_ = State::failed;
    failure_ = std::move(what);
    error_ = error;
}

bool TlsTransport::pending() const noexcept {
    if (state_ == State::open) return !left_over_.empty() || mbedtls_ssl_check_pending(ssl_->get()) != 0;
    return (state_ == State::ended || state_ == State::failed) && !outcome_told_;
}

int TlsTransport::receive_input(void* self, unsigned char* into, std::size_t size) noexcept {
    auto& tls = *static_cast<TlsTransport*>(self);
    try {
        const IoResult result = tls.receive({reinterpret_cast<char*>(into), size});
        switch (result.status) {
            case IoResult::Status::done: break;
            case IoResult::Status::would_block: return MBEDTLS_ERR_SSL_WANT_READ;
            case IoResult::Status::end: tls.input_ended_ = true; return 0;
            case IoResult::Status::failed: tls.error_ = result.error(); return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
        }
        if (tls.state_ == State::handshaking) {
            for (std::size_t i = 0; i < result.bytes && tls.handshake_size_ + i < tls.first_bytes_.size(); ++i)
                tls.first_bytes_[tls.handshake_size_ + i] = static_cast<char>(into[i]);
            tls.handshake_size_ += static_cast<std::uint32_t>(result.bytes);
            if (tls.handshake_size_ > max_handshake_size) return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
        }
        return static_cast<int>(result.bytes);
    } catch (...) {
        return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    }
}

IoResult TlsTransport::receive(std::span<char> into) {
    if (!ahead_) return inner_->read(into);
    if (ahead_->rest().empty()) {
        if (ahead_->is_enough()) return IoResult::would_block();
        const IoResult result = inner_->read(ahead_->room());
        if (result.status != IoResult::Status::done) return result;
        ahead_->received(result.bytes);
    }
    return IoResult::done(ahead_->take(into));
}

// Writing.

IoResult TlsTransport::write(std::span<const iovec> slices) {
    if (state_ == State::closed) return IoResult::failed(std::make_error_code(std::errc::bad_file_descriptor));
    if (!shake_hands() && state_ == State::handshaking) return IoResult::would_block();
    if (!flush_output()) return IoResult::would_block();
    if (write_error_) return IoResult::failed(write_error_);
    if (state_ == State::failed) return IoResult::failed(error_);
    if (state_ == State::closed) return IoResult::failed(std::make_error_code(std::errc::bad_file_descriptor));
    std::array<char, max_record_size> room;
    // One byte less in TLS 1.3: another record would be made of it.
    const int record_size = std::clamp(mbedtls_ssl_get_max_out_record_payload(ssl_->get()), 1, static_cast<int>(room.size()));
    Gatherer gatherer(slices);
    std::size_t size = 0;
    RecordBatch batch;
    const Lent lent(batch_, batch);
    while (has_room()) {
        const std::span<const char> bytes = gatherer.next(std::span(room).first(static_cast<std::size_t>(record_size)));
        if (bytes.empty()) break;
        const std::size_t taken = encrypt(bytes);
        size += taken;
        if (taken < bytes.size()) break;
    }
    flush_batch();
    if (write_error_) return IoResult::failed(write_error_);
    return size != 0 ? IoResult::done(size) : IoResult::would_block();
}

/// Returns how many of the bytes have become records: all, unless the socket is full or something failed.
std::size_t TlsTransport::encrypt(std::span<const char> bytes) {
    std::size_t size = 0;
    while (size < bytes.size() && has_room()) {
        const int result = mbedtls_ssl_write(ssl_->get(), reinterpret_cast<const unsigned char*>(bytes.data()) + size, bytes.size() - size);
        if (result > 0) {
            size += static_cast<std::size_t>(result);
        } else if (!mbedtls::is_new_ticket(result) && !write_error_) {
            write_error_ = {result, tls_category()};
        }
    }
    return size;
}

int TlsTransport::send_output(void* self, const unsigned char* bytes, std::size_t size) noexcept {
    try {
        return static_cast<TlsTransport*>(self)->take_output({reinterpret_cast<const char*>(bytes), size});
    } catch (...) {
        return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    }
}

int TlsTransport::take_output(std::string_view bytes) {
    if (batch_ && output_.empty() && batch_->append(bytes)) {
        if (batch_->is_full()) flush_batch();
    } else if (!write_error_) {
        hold(bytes.substr(output_.empty() ? send_now(bytes) : 0));
    }
    return write_error_ ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : static_cast<int>(bytes.size());
}

/// Returns how many bytes the socket took.
std::size_t TlsTransport::send_now(std::string_view bytes) {
    if (bytes.empty()) return 0;
    const std::array slice = {iovec{const_cast<char*>(bytes.data()), bytes.size()}};  // it is only read
    const IoResult result = inner_->write(slice);
    if (result.status == IoResult::Status::failed) write_error_ = result.error();
    return result.bytes;
}

/// Keeps what the socket did not take.
void TlsTransport::hold(std::string_view bytes) {
    if (!write_error_ && output_.size() + bytes.size() > max_held_output) write_error_ = make_error_code(std::errc::no_buffer_space);
    if (write_error_ || bytes.empty()) return;
    try {
        output_.append(bytes);
    } catch (const std::bad_alloc&) {
        write_error_ = make_error_code(std::errc::not_enough_memory);
    }
}

void TlsTransport::flush_batch() {
    const std::string_view bytes = batch_->view();
    hold(bytes.substr(send_now(bytes)));
    batch_->clear();
}

/// Returns whether nothing is held any more.
bool TlsTransport::flush_output() {
    while (!output_.empty()) {
        const std::size_t sent = send_now(output_);
        if (sent == 0 && !write_error_) return false;
        output_.erase(0, write_error_ ? output_.size() : sent);
    }
    if (output_.capacity() > std::string().capacity()) output_ = std::string();
    return true;
}

IoResult TlsTransport::shutdown_write() {
    if (!std::exchange(close_notified_, true) && (state_ == State::open || state_ == State::ended)) mbedtls_ssl_close_notify(ssl_->get());
    if (!flush_output()) return IoResult::would_block();
    if (write_error_) return IoResult::failed(write_error_);
    return inner_->shutdown_write();
}

void TlsTransport::close() noexcept {
    if (state_ == State::closed) return;
    try {
        // A child that drops what it inherited must not speak on its parent's connection.
        const bool may_speak = origin_.is_here() && (state_ == State::open || state_ == State::ended) && info_;
        const bool is_clean = may_speak && flush_output();
        if (is_clean && !close_notified_) mbedtls_ssl_close_notify(ssl_->get());
    } catch (...) {
        // Without memory it ends without a close_notify.
    }
    state_ = State::closed;
    ssl_.reset();
    output_ = std::string();
    inner_->close();
}

// Events.

void TlsTransport::watch(Observer& observer, Readiness interest) {
    observer_ = &observer;
    interest_ = interest;
    rewatch();
}

void TlsTransport::rewatch() {
    auto interest = static_cast<unsigned>(interest_);
    if (state_ == State::handshaking) interest = static_cast<unsigned>(Readiness::readable);
    if (!output_.empty()) interest |= static_cast<unsigned>(Readiness::writable);
    inner_->watch(*this, static_cast<Readiness>(interest));
}

void TlsTransport::on_transport_ready(Readiness readiness) {
    auto told = static_cast<unsigned>(readiness);
    if (!flush_output()) told &= ~static_cast<unsigned>(Readiness::writable);
    // The observer has long been told that these bytes were written: it learns of it by reading.
    if (write_error_) told |= static_cast<unsigned>(Readiness::readable);
    if (state_ == State::handshaking) {
        shake_hands();
        // The observer has to hear of the outcome, and what was put off may be done now.
        told = static_cast<unsigned>(state_ == State::handshaking ? Readiness::none : Readiness::both);
    } else {
        told &= static_cast<unsigned>(interest_);
    }
    rewatch();
    if (told != 0) observer_->on_transport_ready(static_cast<Readiness>(told));
}

}  // namespace

std::unique_ptr<Transport> make_tls(std::unique_ptr<Transport> inner, std::shared_ptr<TlsContext> context, TlsPeer peer) {
    return std::make_unique<TlsTransport>(std::move(inner), std::move(context), std::move(peer));
}

}  // namespace hawser::transport
