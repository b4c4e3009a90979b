#pragma once

#include <string>
#include <string_view>
#include <system_error>

namespace hawser::transport {

/// Errors of mbedTLS as a category of std::error_code.
const std::error_category& tls_category() noexcept;

/// "unknown_ca (48)": the alert by its name (RFC 8446, section 6), and the option that governs it. TLS 1.3 sends those about a client's
/// certificate when for the client the handshake is over.
std::string alert_text(int alert);

/// Why a handshake failed with this error of mbedTLS, and the option that governs it. `alert`: the one that was received.
std::string handshake_failure(int error, int alert, bool is_server);

/// Why a record was refused with this error of mbedTLS. `is_key_update`: what the record last read held.
std::string record_failure(int error, bool is_key_update);

/// What a peer speaks that begins with these bytes instead of a TLS record; empty when it cannot be told.
std::string other_protocol(std::string_view first_bytes, bool is_server);

}  // namespace hawser::transport
