#pragma once

#include <mbedtls/ssl.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

namespace hawser::transport {

/// Errors of mbedTLS as a category of std::error_code.
const std::error_category& tls_category() noexcept;

/// "unknown_ca (48)": the alert by its name (RFC 8446, section 6), and the option that governs it. TLS 1.3 sends those about a client's
/// certificate when for the client the handshake is over.
std::string alert_text(int alert);

/// What is known of a handshake that failed, besides the error.
struct HandshakeTraces {
    int alert = -1;                    ///< that was received
    std::size_t cut_message_size = 0;  ///< of a message of which the record last read had a part only
    bool offers_only_tls13 = false;    ///< the client did
    std::string_view first_bytes{};    ///< of the peer: those the heads of its first record and message
    std::string unread_certificates{};
};

/// Why a handshake failed with this error of mbedTLS, and the option that governs it.
std::string handshake_failure(int error, const HandshakeTraces& traces, bool is_server);

/// Why mbedTLS cannot read a certificate, told of it as "it".
std::string certificate_failure(int error);

/// Why a record was refused with this error of mbedTLS. `is_key_update`: what the record last read held.
std::string record_failure(int error, bool is_key_update);

/// What a certificate of the peer's chain is called: its own is number 0.
std::string certificate_label(std::size_t number, bool is_server);
/// "certificate 1 of the chain cannot be read: …", for each of which this is so, when the message read last was the peer's chain.
std::string unread_certificates(const mbedtls_ssl_context& ssl, bool is_server);

/// Whether these may be the first bytes of TLS.
bool is_tls(std::string_view first_bytes) noexcept;
bool is_http_request(std::string_view first_bytes) noexcept;
/// What a peer speaks that begins with these bytes instead of a TLS record, or how it begins; empty when that may be TLS.
std::string other_protocol(std::string_view first_bytes, bool is_server);

}  // namespace hawser::transport
