#include "transport/tls.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <hawser/error.hpp>

#include "transport/gather.hpp"
#include "transport/peer_name.hpp"
#include "transport/tls_buffers.hpp"
#include "transport/tls_capture.hpp"
#include "transport/tls_chain.hpp"
#include "transport/tls_context.hpp"
#include "transport/tls_failure.hpp"
#include "transport/tls_output.hpp"
#include "transport/tls_records.hpp"
#include "types/fork.hpp"

namespace hawser::transport {
namespace {

/// So much is decrypted in one read: then the others get their turn.
constexpr std::size_t read_quantum = 64 * 1024;
/// More is not received for one handshake: a message of it has at most 16 KiB, and few are as long as that.
constexpr std::size_t max_handshake_size = 64 * 1024;
/// RFC 8446, section 5.1.
constexpr std::size_t max_record_size = 16 * 1024;
/// TLS 1.3's message Certificate with one (RFC 8446, section 4.4.2).
constexpr std::size_t least_hidden_certificate = 4 + 1 + 3 + 3 + 128 + 2;
constexpr std::string_view plain_http_answer =
    "HTTP/1.1 400 This Port Speaks TLS\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 43\r\n\r\n"
    "This port speaks TLS: ask for it by wss://\n";

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
    bool holds_output() const noexcept override { return !output_.is_empty(); }
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
    int advance_handshake();
    void leave_verification();
    int verify_hidden();
    int check_input();
    int refuse(int alert, int error);
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
    std::string left_over_;  // received, and not yet taken by mbedTLS
    TlsOutput output_{*inner_};
    ReadAhead* ahead_ = nullptr;  // of the read under way
    std::string failure_;         // why TLS failed
    std::error_code error_{};     // of read() once it has failed
    TlsRecords records_;
    int alert_ = 0;  // to be sent for a handshake that we refuse
    Origin origin_;
    Readiness interest_ = Readiness::none;
    State state_ = State::handshaking;
    bool input_ended_ = false;  // the socket's
    bool close_notified_ = false;
    bool outcome_told_ = false;
    bool leaves_verification_ = false;  // mbedTLS does
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
        const Lent lent(output_.batch(), batch);
        result = advance_handshake();
        output_.flush_batch();
    }
    output_.flush();
    if (is_server() && context_->take_ticket_accepted()) peer_.session = "resumed";
    if (result == 0) {
        established();
        return true;
    }
    if (result != MBEDTLS_ERR_SSL_WANT_READ || output_.error()) handshake_failed(result);
    return false;
}

int TlsTransport::advance_handshake() {
    mbedtls_ssl_context& ssl = *ssl_->get();
    int result = 0;
    while ((result == 0 || mbedtls::is_new_ticket(result)) && !mbedtls::is_handshake_over(ssl)) {
        const bool is_shown_next = mbedtls::awaits_hidden_certificates(ssl, is_server());
        if (is_shown_next && !is_server()) leave_verification();
        result = mbedtls_ssl_handshake_step(&ssl);
        if (result == 0) records_.set_useful();
        if (result == 0 && is_shown_next && leaves_verification_) result = verify_hidden();
    }
    if (result != 0 || verifier_.accepts(mbedtls_ssl_get_peer_cert(&ssl))) return result;
    constexpr int certificate_required = 116;
    const bool is_shown = mbedtls_ssl_get_peer_cert(&ssl) != nullptr;
    const int missing = mbedtls::is_tls13(ssl) ? certificate_required : MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE;
    return refuse(is_shown ? MBEDTLS_SSL_ALERT_MSG_ACCESS_DENIED : missing, MBEDTLS_ERR_X509_CERT_VERIFY_FAILED);
}

/// Has mbedTLS read the peer's certificates, and not verify them: their cost is not bounded yet.
void TlsTransport::leave_verification() {
    leaves_verification_ = true;
    mbedtls::leave_verification(*ssl_->get());
}

int TlsTransport::verify_hidden() {
    mbedtls_x509_crt& chain = *mbedtls::hidden_certificates(*ssl_->get());
    if (std::string excess = excess_of(chain, context_->settings().rules, context_->authorities()); !excess.empty()) {
        verifier_.refuse(excess);
        return refuse(MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN, MBEDTLS_ERR_X509_CERT_VERIFY_FAILED);
    }
    std::uint32_t flags = 0;
    const int result = context_->verify(chain, verifier_, flags);
    return result != 0 ? refuse(alert_for(flags), result) : 0;
}

int TlsTransport::refuse(int alert, int error) {
    alert_ = alert;
    return error;
}

void TlsTransport::established() {
    const mbedtls_ssl_context& ssl = *ssl_->get();
    state_ = State::open;
    records_.end_handshake();
    info_ = std::make_unique<TlsInfo>(describe(ssl, context_->settings()));
    info_->resumed = is_server() ? !peer_.session.empty() : !verifier_.was_called();
    if (!is_server()) context_->keep_session(peer_.session, ssl);
}

/// What the peer began with; of what is not TLS more of it, as far as it is there.
std::string TlsTransport::beginning() {
    std::string first(records_.first_bytes());
    if (is_tls(first)) return first;
    std::array<char, 64> more;
    return first.append(more.data(), receive(more).bytes);
}

std::string TlsTransport::explain(int error, std::string_view first) {
    if (std::string other = other_protocol(first, is_server()); !other.empty()) return other;
    if (records_.is_idle_too_long()) return idle_text();
    if (records_.handshake_size() > max_handshake_size)
        return "the peer sent more than " + std::to_string(max_handshake_size) + " bytes for it";
    if (output_.error()) return output_.error().message();
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
    if (is_server() && input_ended_ && records_.handshake_size() == 0) {
        state_ = State::ended;
        return;
    }
    const std::string first = beginning(), why = explain(error, first);
    if (is_server() && is_http_request(first)) {
        output_.clear();
        output_.take(plain_http_answer);  // in the client's own language
    }
    // mbedTLS leaves this one without an alert (RFC 5246, section 7.4.6).
    if (error == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE) alert_ = MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE;
    if (alert_ != 0) mbedtls_ssl_send_alert_message(ssl_->get(), MBEDTLS_SSL_ALERT_LEVEL_FATAL, static_cast<unsigned char>(alert_));
    part();
    const std::error_code of_socket = error_ ? error_ : output_.error();
    fail("the TLS handshake failed: " + why, of_socket ? of_socket : std::error_code(error, tls_category()));
}

/// So that the peer gets our last words: what is left unread would have the socket's end take them back.
void TlsTransport::part() {
    std::array<char, 4096> rest;
    for (int i = 0; i < 16 && inner_->read(rest).status == IoResult::Status::done; ++i) {
    }
    if (output_.is_empty()) inner_->shutdown_write();
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
            records_.set_useful();
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
    if (state_ == State::open) return output_.error() ? IoResult::failed(output_.error()) : IoResult::would_block();
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
        const bool is_key_update = mbedtls::is_key_update(*ssl_->get());
        fail(
            "a TLS record from the peer was refused: " + (records_.is_idle_too_long() ? idle_text() : record_failure(error, is_key_update)),
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
        if (tls.records_.is_idle_too_long())
            return tls.refuse(MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE, MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE);
        const IoResult result = tls.receive({reinterpret_cast<char*>(into), size});
        switch (result.status) {
            case IoResult::Status::done: break;
            case IoResult::Status::would_block: return MBEDTLS_ERR_SSL_WANT_READ;
            case IoResult::Status::end: tls.input_ended_ = true; return 0;
            case IoResult::Status::failed: tls.error_ = result.error(); return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
        }
        tls.records_.take({reinterpret_cast<const char*>(into), result.bytes});
        const int error = tls.state_ == State::handshaking ? tls.check_input() : 0;
        return error != 0 ? error : static_cast<int>(result.bytes);
    } catch (...) {
        return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    }
}

/// Of the handshake: 0, or the error that mbedTLS is to see instead of the bytes.
int TlsTransport::check_input() {
    if (records_.handshake_size() > max_handshake_size) return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    // A certificate has 128 bytes at least, says mbedTLS. A client that shows none says so in fewer.
    const bool is_hidden = is_server() && mbedtls::awaits_hidden_certificates(*ssl_->get(), true);
    if (is_hidden && records_.hidden_size() >= least_hidden_certificate) leave_verification();
    const std::string shown = records_.take_certificates();
    if (shown.empty()) return 0;
    const std::string excess = excess_of(shown, context_->settings().rules, context_->authorities());
    if (excess.empty()) return 0;
    verifier_.refuse(excess);
    return refuse(MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN, MBEDTLS_ERR_X509_CERT_VERIFY_FAILED);
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
    if (!output_.flush()) return IoResult::would_block();
    if (output_.error()) return IoResult::failed(output_.error());
    if (state_ == State::failed) return IoResult::failed(error_);
    if (state_ == State::closed) return IoResult::failed(std::make_error_code(std::errc::bad_file_descriptor));
    std::array<char, max_record_size> room;
    // One byte less in TLS 1.3: another record would be made of it.
    const int record_size = std::clamp(mbedtls_ssl_get_max_out_record_payload(ssl_->get()), 1, static_cast<int>(room.size()));
    Gatherer gatherer(slices);
    std::size_t size = 0;
    RecordBatch batch;
    const Lent lent(output_.batch(), batch);
    while (output_.has_room()) {
        const std::span<const char> bytes = gatherer.next(std::span(room).first(static_cast<std::size_t>(record_size)));
        if (bytes.empty()) break;
        const std::size_t taken = encrypt(bytes);
        size += taken;
        if (taken < bytes.size()) break;
    }
    output_.flush_batch();
    if (output_.error()) return IoResult::failed(output_.error());
    return size != 0 ? IoResult::done(size) : IoResult::would_block();
}

/// Returns how many of the bytes have become records: all, unless the socket is full or something failed.
std::size_t TlsTransport::encrypt(std::span<const char> bytes) {
    std::size_t size = 0;
    while (size < bytes.size() && output_.has_room()) {
        const int result = mbedtls_ssl_write(ssl_->get(), reinterpret_cast<const unsigned char*>(bytes.data()) + size, bytes.size() - size);
        if (result > 0) {
            size += static_cast<std::size_t>(result);
        } else if (!mbedtls::is_new_ticket(result) && !output_.error()) {
            output_.fail({result, tls_category()});
        }
    }
    return size;
}

int TlsTransport::send_output(void* self, const unsigned char* bytes, std::size_t size) noexcept {
    try {
        const bool is_taken = static_cast<TlsTransport*>(self)->output_.take({reinterpret_cast<const char*>(bytes), size});
        return is_taken ? static_cast<int>(size) : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    } catch (...) {
        return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    }
}

IoResult TlsTransport::shutdown_write() {
    if (!std::exchange(close_notified_, true) && (state_ == State::open || state_ == State::ended)) mbedtls_ssl_close_notify(ssl_->get());
    if (!output_.flush()) return IoResult::would_block();
    if (output_.error()) return IoResult::failed(output_.error());
    return inner_->shutdown_write();
}

void TlsTransport::close() noexcept {
    if (state_ == State::closed) return;
    try {
        // A child that drops what it inherited must not speak on its parent's connection.
        const bool may_speak = origin_.is_here() && (state_ == State::open || state_ == State::ended) && info_;
        const bool is_clean = may_speak && output_.flush();
        if (is_clean && !close_notified_) mbedtls_ssl_close_notify(ssl_->get());
    } catch (...) {
        // Without memory it ends without a close_notify.
    }
    state_ = State::closed;
    ssl_.reset();
    output_.clear();
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
    if (!output_.is_empty()) interest |= static_cast<unsigned>(Readiness::writable);
    inner_->watch(*this, static_cast<Readiness>(interest));
}

void TlsTransport::on_transport_ready(Readiness readiness) {
    auto told = static_cast<unsigned>(readiness);
    if (!output_.flush()) told &= ~static_cast<unsigned>(Readiness::writable);
    // The observer has long been told that these bytes were written: it learns of it by reading.
    if (output_.error()) told |= static_cast<unsigned>(Readiness::readable);
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
