#pragma once

// Whatever differs between the versions of mbedTLS is here and in the .cpp, and nowhere else: 2.28 and 3.6.

#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hawser::transport::mbedtls {

/// One of mbedTLS's structures, initialised and freed. It never moves: others point to it.
template <typename T, auto Initialize, auto Release>
class Owned {
public:
    Owned() noexcept { Initialize(&value_); }
    ~Owned() { Release(&value_); }
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;

    T* get() noexcept { return &value_; }
    const T* get() const noexcept { return &value_; }

private:
    T value_;
};

using Certificates = Owned<mbedtls_x509_crt, mbedtls_x509_crt_init, mbedtls_x509_crt_free>;
using RevocationLists = Owned<mbedtls_x509_crl, mbedtls_x509_crl_init, mbedtls_x509_crl_free>;
using PrivateKey = Owned<mbedtls_pk_context, mbedtls_pk_init, mbedtls_pk_free>;
using Config = Owned<mbedtls_ssl_config, mbedtls_ssl_config_init, mbedtls_ssl_config_free>;
using Ssl = Owned<mbedtls_ssl_context, mbedtls_ssl_init, mbedtls_ssl_free>;
using Session = Owned<mbedtls_ssl_session, mbedtls_ssl_session_init, mbedtls_ssl_session_free>;
using TicketKeys = Owned<mbedtls_ssl_ticket_context, mbedtls_ssl_ticket_init, mbedtls_ssl_ticket_free>;

inline std::string_view view(const mbedtls_x509_buf& buffer) noexcept { return {reinterpret_cast<const char*>(buffer.p), buffer.len}; }

/// Versions of TLS that may be spoken.
enum class Version { tls12, tls13 };

/// "2.28.3": of the library that is loaded.
std::string loaded_version();
/// "mbedTLS 2.28.3".
std::string library_name();
/// Whether the library can speak TLS 1.3.
bool has_tls13() noexcept;
/// Whether a server can leave the choice of the ciphersuite to the client.
bool has_client_order() noexcept;

/// To be called before anything else. Throws std::runtime_error.
void initialize();
/// The operating system's generator, drawn afresh each time: there is no state that a fork could duplicate.
int random(void* unused, unsigned char* out, std::size_t size) noexcept;

void set_random(mbedtls_ssl_config& config) noexcept;
void set_versions(mbedtls_ssl_config& config, Version least, Version most) noexcept;
/// The curves of the key exchange, the fastest first; none below 256 bits.
void set_curves(mbedtls_ssl_config& config) noexcept;
/// Who chooses the ciphersuite: the server, or the client where has_client_order().
void set_server_order(mbedtls_ssl_config& config, bool servers) noexcept;
/// New keys for session tickets; 0 or an error. Where mbedTLS asks for it, has the client told of each ticket.
int set_tickets(mbedtls_ssl_config& config, TicketKeys& keys, bool is_server) noexcept;

/// Server: no tickets from which a session is resumed without the client's certificate: those of TLS 1.3 have no room for it.
void withhold_bare_tickets(mbedtls_ssl_config& config) noexcept;

/// `bytes` is a key as PEM or DER, with a NUL behind it; 0 or an error.
int parse_key(mbedtls_pk_context& key, std::string_view bytes, const std::string& passphrase) noexcept;
/// Whether parse_key() failed because the key is encrypted in a way that the library does not know.
bool is_unknown_encryption(int error) noexcept;
bool is_pair(const mbedtls_x509_crt& certificate, const mbedtls_pk_context& key) noexcept;
/// Of the certificate's own key.
struct KeyTraits {
    bool is_rsa = false;
    std::size_t bits = 0;
    std::size_t exponent_bits = 0;  ///< RSA
    std::string curve{};            ///< its name; empty when the key is none of an elliptic curve
    bool is_common_curve = false;   ///< P-256 or P-384
};
KeyTraits key_traits(const mbedtls_x509_crt& certificate);
/// Whether mbedTLS takes the names of a subject and an issuer for the same, or might: it does not tell capitals from small letters.
bool is_same_name(const mbedtls_x509_name& a, const mbedtls_x509_name& b) noexcept;
/// Of the certificate's own key: "RSA, 2048 bits", "EC, 256 bits".
std::string key_text(const mbedtls_x509_crt& certificate);
/// "SHA1", "SHA256" …, as the certificate was signed with.
std::string signature_hash(const mbedtls_x509_crt& certificate);

bool is_handshake_over(const mbedtls_ssl_context& ssl) noexcept;
/// Whether the peer's certificates come next, encrypted: TLS 1.3.
bool awaits_hidden_certificates(const mbedtls_ssl_context& ssl, bool is_server) noexcept;
/// They are to be read and not verified.
void leave_verification(mbedtls_ssl_context& ssl) noexcept;
/// What they were, before the handshake is complete.
mbedtls_x509_crt* hidden_certificates(mbedtls_ssl_context& ssl) noexcept;
bool is_tls13(const mbedtls_ssl_context& ssl) noexcept;

/// A session ticket came: not an error, the call is to be repeated.
bool is_new_ticket(int result) noexcept;
/// The alert that made a call fail with MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE.
int alert_of(const mbedtls_ssl_context& ssl) noexcept;
/// Whether the record last read asks to go on with other keys (RFC 8446, section 4.6.3).
bool is_key_update(const mbedtls_ssl_context& ssl) noexcept;
/// The size of the handshake message of which the record last read had a part only; 0 when it had all of it.
std::size_t cut_message_size(const mbedtls_ssl_context& ssl) noexcept;
/// The certificates (DER) of the message that was read last; none when that is not the peer's certificates.
std::vector<std::string_view> certificates_received(const mbedtls_ssl_context& ssl);
/// Server: whether this error may be about the form of the client's first message.
bool is_refused_hello(int error) noexcept;
/// Server: whether the client's first message, which was read last, offers nothing but ciphersuites of TLS 1.3.
bool offers_only_tls13(const mbedtls_ssl_context& ssl) noexcept;
/// What about a certificate keeps mbedTLS from reading it, as far as its texts do not tell; none: the error is about something else.
enum class CertificateFault { none, algorithm, critical_extension, other };
CertificateFault certificate_fault(int error) noexcept;
/// What keeps two peers from a handshake, as far as mbedTLS tells.
enum class Mismatch { none, ciphersuite, version, certificate, protocol };
Mismatch mismatch_of(int error) noexcept;
/// What an error of mbedTLS means, without the library's prefix.
std::string error_text(int error);

}  // namespace hawser::transport::mbedtls
