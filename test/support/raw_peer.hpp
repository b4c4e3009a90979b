#pragma once

#include <memory>
#include <string>

#include "support/tls_pair.hpp"
#include "transport/tls_context.hpp"

namespace support::tls {

/// One end of TLS by mbedTLS alone, to send what ours never does; the other end is ours.
class RawPeer {
public:
    /// Its role is the context's.
    RawPeer(const std::shared_ptr<TlsContext>& context, const std::shared_ptr<TlsContext>& at_ours) : context_(context) {
        REQUIRE(mbedtls_ssl_setup(ssl_.get(), &context->config()) == 0);
        REQUIRE(mbedtls_ssl_set_hostname(ssl_.get(), context->role() == TlsRole::client ? "localhost" : nullptr) == 0);
        mbedtls_ssl_set_bio(ssl_.get(), this, send, receive, nullptr);
        ours = make_tls(std::make_unique<PipeTransport>(to_ours, from_ours), at_ours, {"localhost", "localhost:1"});
    }

    /// As far as it goes; whether it is complete at our end.
    bool shake_hands() {
        char byte = 0;
        for (int i = 0; i < 100 && ours->is_handshaking(); ++i) {
            step();
            ours->read({&byte, 1});
        }
        step();
        return ours->tls() != nullptr;
    }
    /// Goes on with the handshake; whether that is complete.
    bool step() {
        const int result = mbedtls_ssl_handshake(ssl_.get());
        if (result == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) alert_ = mbedtls::alert_of(*ssl_.get());
        return result == 0;
    }
    void write(const std::string& bytes) {
        mbedtls_ssl_write(ssl_.get(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    }
    void warn() { mbedtls_ssl_send_alert_message(ssl_.get(), MBEDTLS_SSL_ALERT_LEVEL_WARNING, MBEDTLS_SSL_ALERT_MSG_USER_CANCELED); }
    /// The alert that it got, or mbedTLS's error.
    int alert() {
        unsigned char byte = 0;
        int result = 0;
        do {
            result = mbedtls_ssl_read(ssl_.get(), &byte, 1);
            // A ticket of TLS 1.3 makes it want more, though there is.
        } while (result > 0 || mbedtls::is_new_ticket(result) || (result == MBEDTLS_ERR_SSL_WANT_READ && has_input()));
        if (result == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) alert_ = mbedtls::alert_of(*ssl_.get());
        return alert_ != -1 ? alert_ : result;
    }
    /// Reads what there is: sessions come that way too.
    void take_tickets() {
        char byte = 0;
        ours->read({&byte, 1});
        alert();
    }
    mbedtls_ssl_context& ssl() { return *ssl_.get(); }

    std::shared_ptr<PipeLane> to_ours = std::make_shared<PipeLane>(), from_ours = std::make_shared<PipeLane>();
    std::unique_ptr<Transport> ours;

private:
    bool has_input() const { return !from_ours->bytes.empty() || mbedtls_ssl_check_pending(ssl_.get()) != 0; }
    static int send(void* self, const unsigned char* bytes, std::size_t size) {
        auto& lane = *static_cast<RawPeer*>(self)->to_ours;
        lane.bytes.append(reinterpret_cast<const char*>(bytes), size);
        lane.total += size;
        return static_cast<int>(size);
    }
    static int receive(void* self, unsigned char* into, std::size_t size) {
        std::string& bytes = static_cast<RawPeer*>(self)->from_ours->bytes;
        if (bytes.empty()) return MBEDTLS_ERR_SSL_WANT_READ;
        size = bytes.copy(reinterpret_cast<char*>(into), size);
        bytes.erase(0, size);
        return static_cast<int>(size);
    }

    std::shared_ptr<TlsContext> context_;  // outlives ssl_
    mbedtls::Ssl ssl_;
    int alert_ = -1;
};

}  // namespace support::tls
