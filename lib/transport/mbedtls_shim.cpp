#include "transport/mbedtls_shim.hpp"

#include <mbedtls/error.h>
#include <mbedtls/pem.h>
#include <mbedtls/pkcs12.h>
#include <mbedtls/pkcs5.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <stdexcept>

#include "types/text.hpp"

#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#endif

namespace hawser::transport::mbedtls {
namespace {

// The most that getentropy(2) gives at once.
constexpr std::size_t entropy_batch = 256;
// So long a ticket is good for: a day at most is what RFC 5077, section 5.6, has in mind.
constexpr std::uint32_t ticket_lifetime = 86'400;

using Number = Owned<mbedtls_mpi, mbedtls_mpi_init, mbedtls_mpi_free>;

#if MBEDTLS_VERSION_MAJOR >= 3
bool start_psa() { return psa_crypto_init() == PSA_SUCCESS; }
#else
bool start_psa() { return true; }
#endif

}  // namespace

std::string loaded_version() {
    std::array<char, 16> version{};  // it asks for 9
    mbedtls_version_get_string(version.data());
    return version.data();
}

std::string library_name() { return "mbedTLS " + loaded_version(); }

bool has_tls13() noexcept {
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    return true;
#else
    return false;
#endif
}

bool has_client_order() noexcept {
#if MBEDTLS_VERSION_MAJOR >= 3
    return true;
#else
    return false;
#endif
}

void initialize() {
    // Never undone: other connections, and the application itself, may use it.
    static std::once_flag once;
    static bool is_started = false;
    std::call_once(once, [] { is_started = start_psa(); });
    if (!is_started) throw std::runtime_error(library_name() + " cannot start its cryptography (psa_crypto_init)");
}

int random(void*, unsigned char* out, std::size_t size) noexcept {
    while (size != 0) {
        const std::size_t batch = std::min(size, entropy_batch);
        if (getentropy(out, batch) != 0) return -1;
        out += batch;
        size -= batch;
    }
    return 0;
}

void set_random(mbedtls_ssl_config& config) noexcept { mbedtls_ssl_conf_rng(&config, random, nullptr); }

void set_versions(mbedtls_ssl_config& config, Version least, Version most) noexcept {
#if MBEDTLS_VERSION_MAJOR >= 3
    const auto number = [](Version version) { return version == Version::tls13 ? MBEDTLS_SSL_VERSION_TLS1_3 : MBEDTLS_SSL_VERSION_TLS1_2; };
    mbedtls_ssl_conf_min_tls_version(&config, number(least));
    mbedtls_ssl_conf_max_tls_version(&config, number(most));
#else
    // Its highest is TLS 1.2, and that is the lowest that is allowed.
    static_cast<void>(least);
    static_cast<void>(most);
    mbedtls_ssl_conf_min_version(&config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_max_version(&config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
}

void set_curves(mbedtls_ssl_config& config) noexcept {
#if MBEDTLS_VERSION_MAJOR >= 3
    static constexpr std::uint16_t curves[] = {MBEDTLS_SSL_IANA_TLS_GROUP_X25519,    MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
                                               MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_SECP521R1,
                                               MBEDTLS_SSL_IANA_TLS_GROUP_BP256R1,   MBEDTLS_SSL_IANA_TLS_GROUP_BP384R1,
                                               MBEDTLS_SSL_IANA_TLS_GROUP_BP512R1,   MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
    mbedtls_ssl_conf_groups(&config, curves);
#else
    // Its own order has the slowest first, and the server's order counts.
    static constexpr mbedtls_ecp_group_id curves[] = {MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_SECP384R1,
                                                      MBEDTLS_ECP_DP_SECP521R1,  MBEDTLS_ECP_DP_BP256R1,   MBEDTLS_ECP_DP_BP384R1,
                                                      MBEDTLS_ECP_DP_BP512R1,    MBEDTLS_ECP_DP_NONE};
    mbedtls_ssl_conf_curves(&config, curves);
#endif
}

void set_server_order([[maybe_unused]] mbedtls_ssl_config& config, [[maybe_unused]] bool servers) noexcept {
#if MBEDTLS_VERSION_MAJOR >= 3
    mbedtls_ssl_conf_preference_order(&config,
                                      servers ? MBEDTLS_SSL_SRV_CIPHERSUITE_ORDER_SERVER : MBEDTLS_SSL_SRV_CIPHERSUITE_ORDER_CLIENT);
#endif
}

int set_tickets(mbedtls_ssl_config& config, TicketKeys& keys, bool is_server) noexcept {
    if (!is_server) {
        mbedtls_ssl_conf_session_tickets(&config, MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
#if defined(MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED)
        mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(&config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
        return 0;
    }
    return mbedtls_ssl_ticket_setup(keys.get(), random, nullptr, MBEDTLS_CIPHER_AES_256_GCM, ticket_lifetime);
}

void withhold_bare_tickets([[maybe_unused]] mbedtls_ssl_config& config) noexcept {
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    mbedtls_ssl_conf_new_session_tickets(&config, 0);
#endif
}

int parse_key(mbedtls_pk_context& key, std::string_view bytes, const std::string& passphrase) noexcept {
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    const auto* password = passphrase.empty() ? nullptr : reinterpret_cast<const unsigned char*>(passphrase.data());
    // Of PEM the NUL behind it counts, of DER it does not.
    const std::size_t size = bytes.size() + (bytes.find("-----BEGIN ") != std::string_view::npos);
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_pk_parse_key(&key, data, size, password, passphrase.size(), random, nullptr);
#else
    return mbedtls_pk_parse_key(&key, data, size, password, passphrase.size());
#endif
}

bool is_unknown_encryption(int error) noexcept {
    switch (error) {
        case MBEDTLS_ERR_PKCS5_FEATURE_UNAVAILABLE:
        case MBEDTLS_ERR_PKCS12_FEATURE_UNAVAILABLE:
        case MBEDTLS_ERR_PEM_UNKNOWN_ENC_ALG:
        case MBEDTLS_ERR_PEM_FEATURE_UNAVAILABLE:
        case MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE: return true;
        default: return false;
    }
}

bool is_pair(const mbedtls_x509_crt& certificate, const mbedtls_pk_context& key) noexcept {
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_pk_check_pair(&certificate.pk, &key, random, nullptr) == 0;
#else
    return mbedtls_pk_check_pair(&certificate.pk, &key) == 0;
#endif
}

namespace {

mbedtls_ecp_group_id curve_of(const mbedtls_pk_context& key) noexcept {
    if (!mbedtls_pk_can_do(&key, MBEDTLS_PK_ECKEY)) return MBEDTLS_ECP_DP_NONE;
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_pk_ec(key)->MBEDTLS_PRIVATE(grp).id;
#else
    return mbedtls_pk_ec(key)->grp.id;
#endif
}

std::size_t exponent_bits(const mbedtls_pk_context& key) noexcept {
    Number exponent;
    mbedtls_rsa_export(mbedtls_pk_rsa(key), nullptr, nullptr, nullptr, nullptr, exponent.get());
    return mbedtls_mpi_bitlen(exponent.get());
}

}  // namespace

KeyTraits key_traits(const mbedtls_x509_crt& certificate) {
    const mbedtls_pk_context& key = certificate.pk;
    KeyTraits traits;
    traits.bits = mbedtls_pk_get_bitlen(&key);
    traits.is_rsa = mbedtls_pk_can_do(&key, MBEDTLS_PK_RSA) != 0;
    if (traits.is_rsa) traits.exponent_bits = exponent_bits(key);
    const mbedtls_ecp_group_id curve = curve_of(key);
    traits.is_common_curve = curve == MBEDTLS_ECP_DP_SECP256R1 || curve == MBEDTLS_ECP_DP_SECP384R1;
    if (const mbedtls_ecp_curve_info* info = mbedtls_ecp_curve_info_from_grp_id(curve)) traits.curve = info->name;
    return traits;
}

bool is_same_name(const mbedtls_x509_name& a, const mbedtls_x509_name& b) noexcept {
    const mbedtls_x509_name *one = &a, *other = &b;
    for (; one && other; one = one->next, other = other->next)
        if (view(one->oid) != view(other->oid) || !equals_ignoring_case(view(one->val), view(other->val))) return false;
    return !one && !other;
}

std::string key_text(const mbedtls_x509_crt& certificate) {
    return mbedtls_pk_get_name(&certificate.pk) + std::string(", ") + std::to_string(mbedtls_pk_get_bitlen(&certificate.pk)) + " bits";
}

std::string signature_hash(const mbedtls_x509_crt& certificate) {
#if MBEDTLS_VERSION_MAJOR >= 3
    const mbedtls_md_type_t type = certificate.MBEDTLS_PRIVATE(sig_md);
#else
    const mbedtls_md_type_t type = certificate.sig_md;
#endif
    const std::array<std::pair<mbedtls_md_type_t, const char*>, 6> names = {{{MBEDTLS_MD_MD5, "MD5"},
                                                                             {MBEDTLS_MD_SHA1, "SHA-1"},
                                                                             {MBEDTLS_MD_SHA224, "SHA-224"},
                                                                             {MBEDTLS_MD_SHA256, "SHA-256"},
                                                                             {MBEDTLS_MD_SHA384, "SHA-384"},
                                                                             {MBEDTLS_MD_SHA512, "SHA-512"}}};
    const auto found = std::find_if(names.begin(), names.end(), [&](const auto& one) { return one.first == type; });
    return found != names.end() ? found->second : "a hash of type " + std::to_string(static_cast<int>(type));
}

bool is_handshake_over(const mbedtls_ssl_context& ssl) noexcept {
#if MBEDTLS_VERSION_MAJOR >= 3
    return ssl.MBEDTLS_PRIVATE(state) >= MBEDTLS_SSL_HANDSHAKE_OVER;
#else
    return ssl.state == MBEDTLS_SSL_HANDSHAKE_OVER;
#endif
}

bool is_tls13([[maybe_unused]] const mbedtls_ssl_context& ssl) noexcept {
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_ssl_get_version_number(&ssl) == MBEDTLS_SSL_VERSION_TLS1_3;
#else
    return false;
#endif
}

bool awaits_hidden_certificates([[maybe_unused]] const mbedtls_ssl_context& ssl, [[maybe_unused]] bool is_server) noexcept {
#if MBEDTLS_VERSION_MAJOR >= 3
    return is_tls13(ssl) && ssl.MBEDTLS_PRIVATE(state) == (is_server ? MBEDTLS_SSL_CLIENT_CERTIFICATE : MBEDTLS_SSL_SERVER_CERTIFICATE);
#else
    return false;
#endif
}

void leave_verification(mbedtls_ssl_context& ssl) noexcept { mbedtls_ssl_set_hs_authmode(&ssl, MBEDTLS_SSL_VERIFY_NONE); }

mbedtls_x509_crt* hidden_certificates([[maybe_unused]] mbedtls_ssl_context& ssl) noexcept {
#if MBEDTLS_VERSION_MAJOR >= 3
    return ssl.MBEDTLS_PRIVATE(session_negotiate)->MBEDTLS_PRIVATE(peer_cert);
#else
    return nullptr;
#endif
}

bool is_new_ticket([[maybe_unused]] int result) noexcept {
#if defined(MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
    return result == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET;
#else
    return false;
#endif
}

namespace {

/// What was read last, behind its record's header.
const unsigned char* last_message(const mbedtls_ssl_context& ssl) noexcept {
#if MBEDTLS_VERSION_MAJOR >= 3
    return ssl.MBEDTLS_PRIVATE(in_msg);
#else
    return ssl.in_msg;
#endif
}

}  // namespace

int alert_of(const mbedtls_ssl_context& ssl) noexcept {
    const unsigned char* message = last_message(ssl);
    return message ? message[1] : -1;
}

bool is_key_update([[maybe_unused]] const mbedtls_ssl_context& ssl) noexcept {
#if MBEDTLS_VERSION_MAJOR >= 3
    constexpr unsigned char key_update = 24;
    const bool is_handshake = ssl.MBEDTLS_PRIVATE(in_msgtype) == MBEDTLS_SSL_MSG_HANDSHAKE;
    return is_tls13(ssl) && is_handshake && last_message(ssl)[0] == key_update;
#else
    return false;
#endif
}

std::size_t cut_message_size(const mbedtls_ssl_context& ssl) noexcept {
#if MBEDTLS_VERSION_MAJOR >= 3
    const std::size_t size = ssl.MBEDTLS_PRIVATE(in_hslen), here = ssl.MBEDTLS_PRIVATE(in_msglen);
#else
    const std::size_t size = ssl.in_hslen, here = ssl.in_msglen;
#endif
    return size > here ? size : 0;
}

std::vector<std::string_view> certificates_received(const mbedtls_ssl_context& ssl) {
#if MBEDTLS_VERSION_MAJOR >= 3
    const bool is_tls13 = mbedtls_ssl_get_version_number(&ssl) == MBEDTLS_SSL_VERSION_TLS1_3;
    const std::size_t size = ssl.MBEDTLS_PRIVATE(in_hslen);
#else
    const bool is_tls13 = false;
    const std::size_t size = ssl.in_hslen;
#endif
    const unsigned char* const message = last_message(ssl);
    constexpr std::size_t head = 4;
    if (!message || size <= head || size > MBEDTLS_SSL_IN_CONTENT_LEN || message[0] != MBEDTLS_SSL_HS_CERTIFICATE) return {};
    std::string_view rest(reinterpret_cast<const char*>(message) + head, size - head);
    // RFC 5246, section 7.4.2; in RFC 8446, section 4.4.2, a context stands before the list, and extensions behind each.
    const auto take = [&](std::size_t size_bytes) {
        std::size_t length = 0;
        for (std::size_t i = 0; i < std::min(size_bytes, rest.size()); ++i) length = length << 8 | static_cast<unsigned char>(rest[i]);
        rest.remove_prefix(std::min(size_bytes, rest.size()));
        const std::string_view taken = rest.substr(0, length);
        rest.remove_prefix(taken.size());
        return taken;
    };
    if (is_tls13) take(1);
    rest = take(3);
    std::vector<std::string_view> certificates;
    while (!rest.empty()) {
        certificates.push_back(take(3));
        if (is_tls13) take(2);
    }
    return certificates;
}

bool is_refused_hello(int error) noexcept {
#if MBEDTLS_VERSION_MAJOR >= 3
    return error == MBEDTLS_ERR_SSL_DECODE_ERROR || error == MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE;
#else
    return error == MBEDTLS_ERR_SSL_BAD_HS_CLIENT_HELLO;
#endif
}

bool offers_only_tls13(const mbedtls_ssl_context& ssl) noexcept {
    const unsigned char* const hello = last_message(ssl);
    // RFC 5246, section 7.4.1.2: type and length, version, random, session, ciphersuites of two bytes each.
    constexpr std::size_t session_at = 4 + 2 + 32;
    if (!hello || hello[0] != MBEDTLS_SSL_HS_CLIENT_HELLO) return false;
    const auto number = [&](std::size_t at) { return static_cast<std::size_t>(hello[at] << 8 | hello[at + 1]); };
    const std::size_t size = std::min<std::size_t>(4 + number(2), MBEDTLS_SSL_IN_CONTENT_LEN);
    const std::size_t suites_at = session_at + 1 + hello[session_at];
    const std::size_t suites_end = suites_at + 2 + number(suites_at);
    if (suites_end > size) return false;
    for (std::size_t at = suites_at + 2; at + 1 < suites_end; at += 2) {
        const bool is_grease = (number(at) & 0x0F0F) == 0x0A0A;               // RFC 8701
        const bool is_signal = number(at) == 0x00FF || number(at) == 0x5600;  // RFC 5746, RFC 7507
        if (hello[at] != 0x13 && !is_grease && !is_signal) return false;
    }
    return true;
}

CertificateFault certificate_fault(int error) noexcept {
    constexpr int module_bits = 0x7F80;  // the lower ones are those of a cause
    const int kind = -(-error & module_bits);
    switch (kind) {
        case MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG:
        case MBEDTLS_ERR_PK_UNKNOWN_PK_ALG:
        case MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE: return CertificateFault::algorithm;
        case MBEDTLS_ERR_X509_FEATURE_UNAVAILABLE: return CertificateFault::critical_extension;
        case MBEDTLS_ERR_X509_INVALID_EXTENSIONS:
            return error == kind + MBEDTLS_ERR_ASN1_UNEXPECTED_TAG ? CertificateFault::critical_extension : CertificateFault::other;
        default: break;
    }
    const bool is_x509 = kind < MBEDTLS_ERR_X509_FEATURE_UNAVAILABLE && kind > MBEDTLS_ERR_X509_CERT_VERIFY_FAILED;
    return is_x509 ? CertificateFault::other : CertificateFault::none;
}

Mismatch mismatch_of(int error) noexcept {
    switch (error) {
#if MBEDTLS_VERSION_MAJOR >= 3
        case MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE: return Mismatch::ciphersuite;
        case MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION: return Mismatch::version;
        case MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL: return Mismatch::protocol;
#else
        case MBEDTLS_ERR_SSL_NO_CIPHER_CHOSEN:
        case MBEDTLS_ERR_SSL_NO_USABLE_CIPHERSUITE: return Mismatch::ciphersuite;
        case MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION: return Mismatch::version;
        case MBEDTLS_ERR_SSL_CERTIFICATE_REQUIRED:
#endif
        case MBEDTLS_ERR_SSL_PRIVATE_KEY_REQUIRED: return Mismatch::certificate;
        default: return Mismatch::none;
    }
}

std::string error_text(int error) {
    std::array<char, 256> text{};
    mbedtls_strerror(error, text.data(), text.size());
    const std::string_view whole = text.data();
    const std::size_t prefix = whole.find(" - ");
    return std::string(prefix == std::string_view::npos ? whole : whole.substr(prefix + 3));
}

}  // namespace hawser::transport::mbedtls
