#pragma once

#include <mbedtls/x509_crt.h>

#include <string>
#include <string_view>

#include "transport/tls_verify.hpp"

namespace hawser::transport {

class Authorities;

/// So many certificates a peer may show.
inline constexpr int max_chain_length = 10;

/// What makes a chain of certificates, the peer's own first, too expensive to verify: told before any signature is checked, with the bound
/// and the option that governs it. Empty when nothing does.
std::string excess_of(const mbedtls_x509_crt& chain, const VerifyRules& rules, const Authorities& trusted);

/// The same of the body of TLS 1.2's message Certificate (RFC 5246, section 7.4.2). What of it cannot be read is for mbedTLS to refuse.
std::string excess_of(std::string_view message, const VerifyRules& rules, const Authorities& trusted);

}  // namespace hawser::transport
