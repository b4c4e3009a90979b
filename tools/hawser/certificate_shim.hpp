#pragma once

// What differs between the versions of mbedTLS for those who make keys and certificates: 2.28 and 3.6. The library itself
// only reads them.

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

#include <cstddef>
#include <string>

namespace hawser::command {

/// A new key on the curve of the NIST with as many bits, 256 or 384. 0 or an error; so with all of these.
int make_ec_key(mbedtls_pk_context& key, unsigned bits) noexcept;
int make_rsa_key(mbedtls_pk_context& key, unsigned bits) noexcept;
/// `serial`: the number's bytes, the highest first.
int set_serial(mbedtls_x509write_cert& certificate, std::string serial) noexcept;
/// Writes DER at the end of `buffer`; its size, or an error.
int write_der(mbedtls_x509write_cert& certificate, unsigned char* buffer, std::size_t size) noexcept;
/// Signs a SHA-256 digest; `written` is the signature's size.
int sign(mbedtls_pk_context& key, const unsigned char* digest, unsigned char* signature, std::size_t size, std::size_t& written) noexcept;

}  // namespace hawser::command
