#pragma once

#include <hawser/connection.hpp>

#include "transport/tls_settings.hpp"

namespace hawser::transport {

/// What a complete handshake came to; of the peer's certificates what the settings ask for.
TlsInfo describe(const mbedtls_ssl_context& ssl, const TlsSettings& settings);

/// A certificate as PEM (RFC 7468).
std::string pem_of(const mbedtls_x509_crt& certificate);

}  // namespace hawser::transport
