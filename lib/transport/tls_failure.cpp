#include "transport/tls_failure.hpp"

#include <mbedtls/error.h>
#include <mbedtls/ssl.h>

#include <algorithm>
#include <array>
#include <utility>

#include "transport/mbedtls_shim.hpp"
#include "types/text.hpp"

namespace hawser::transport {
namespace {

class Category final : public std::error_category {
public:
    const char* name() const noexcept override { return "mbedtls"; }
    std::string message(int value) const override { return mbedtls::error_text(value); }
};

constexpr std::array<std::pair<int, const char*>, 30> alerts = {{
    {0, "close_notify"},
    {10, "unexpected_message"},
    {20, "bad_record_mac"},
    {21, "decryption_failed"},
    {22, "record_overflow"},
    {40, "handshake_failure"},
    {41, "no_certificate"},
    {42, "bad_certificate"},
    {43, "unsupported_certificate"},
    {44, "certificate_revoked"},
    {45, "certificate_expired"},
    {46, "certificate_unknown"},
    {47, "illegal_parameter"},
    {48, "unknown_ca"},
    {49, "access_denied"},
    {50, "decode_error"},
    {51, "decrypt_error"},
    {70, "protocol_version"},
    {71, "insufficient_security"},
    {80, "internal_error"},
    {86, "inappropriate_fallback"},
    {90, "user_canceled"},
    {100, "no_renegotiation"},
    {109, "missing_extension"},
    {110, "unsupported_extension"},
    {112, "unrecognized_name"},
    {113, "bad_certificate_status_response"},
    {115, "unknown_psk_identity"},
    {116, "certificate_required"},
    {120, "no_application_protocol"},
}};

}  // namespace

const std::error_category& tls_category() noexcept {
    static const Category category;
    return category;
}

std::string alert_text(int alert) {
    const auto found = std::find_if(alerts.begin(), alerts.end(), [&](const auto& one) { return one.first == alert; });
    const std::string text = (found != alerts.end() ? found->second : "unknown") + std::string(" (") + std::to_string(alert) + ")";
    const bool is_about_certificate = (alert >= 41 && alert <= 46) || alert == 48 || alert == 116;
    if (is_about_certificate) return text + ": it does not accept our certificate (ssl option \"local_cert\")";
    switch (alert) {
        case 40: return text + ": nothing in common, or a certificate that it misses (ssl options \"ciphers\" and \"local_cert\")";
        case 70:
            return mbedtls::has_tls13() ? text + " (ssl options \"min_proto_version\" and \"max_proto_version\")"
                                        : text + ": it does not speak TLS 1.2, and " + mbedtls::library_name() + " has no TLS 1.3";
        case 112: return text + ": it has no certificate for this name (ssl option \"peer_name\")";
        case 120: return text + " (ssl option \"alpn_protocols\")";
        default: return text;
    }
}

namespace {

std::string mismatch(int error, const HandshakeTraces& traces, const std::string& peer) {
    switch (mbedtls::mismatch_of(error)) {
        case mbedtls::Mismatch::ciphersuite:
            if (traces.offers_only_tls13)
                return "the client speaks TLS 1.3 alone, which " + (mbedtls::has_tls13()
                                                                        ? "ssl option \"max_proto_version\" or \"crypto_method\" rules out"
                                                                        : mbedtls::library_name() + " does not have");
            return "no ciphersuite in common with " + peer +
                   ", or none for the certificate's key (ssl options \"ciphers\" and \"local_cert\")";
        case mbedtls::Mismatch::version:
            return "no version of TLS in common with " + peer + " (ssl options \"min_proto_version\" and \"max_proto_version\")";
        case mbedtls::Mismatch::certificate: return "there is no certificate for what " + peer + " asked for (ssl option \"local_cert\")";
        case mbedtls::Mismatch::protocol: return "no protocol in common with " + peer + " (ssl option \"alpn_protocols\")";
        case mbedtls::Mismatch::none: break;
    }
    return {};
}

/// A client's first message that mbedTLS does not take for its size, or for the records that it comes in (RFC 8446, section 5.1).
std::string hello_failure(int error, std::string_view first_bytes) {
    constexpr std::size_t record_head = 5, message_head = 4;
    if (first_bytes.size() < record_head || first_bytes[0] != MBEDTLS_SSL_MSG_HANDSHAKE) return {};
    const auto byte = [&](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(first_bytes[at])); };
    const std::string what = "the client's first message (ClientHello) ";
    const std::size_t here = byte(3) << 8 | byte(4);
    if (here >= message_head) {
        if (first_bytes.size() < record_head + message_head || byte(record_head) != MBEDTLS_SSL_HS_CLIENT_HELLO) return {};
        const std::size_t size = message_head + (byte(6) << 16 | byte(7) << 8 | byte(8));
        if (size > MBEDTLS_SSL_IN_CONTENT_LEN)
            return what + "has " + std::to_string(size) + " bytes, and " + mbedtls::library_name() + " takes no more than " +
                   std::to_string(MBEDTLS_SSL_IN_CONTENT_LEN) + ": the client has to send fewer extensions, or shorter ones";
        if (size <= here) return {};
    }
    if (!mbedtls::is_refused_hello(error)) return {};
    return what + "comes in several records, which " + mbedtls::library_name() + " cannot put together: the client has to send it in one";
}

/// A message that mbedTLS does not take for its size: a chain of certificates is the only one that long.
std::string size_failure(int error, std::size_t size, const std::string& peer) {
    const bool is_refused = error == MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE && size != 0;
    // 3.6 puts parts together until its buffer is full.
    const bool is_overflow = error == MBEDTLS_ERR_SSL_BAD_INPUT_DATA || error == MBEDTLS_ERR_ERROR_CORRUPTION_DETECTED;
    const bool is_too_long = (is_refused || is_overflow) && size > MBEDTLS_SSL_IN_CONTENT_LEN;
    if (!is_refused && !is_too_long) return {};
    const std::string what = peer + " sent a message of " + std::to_string(size) + " bytes (its certificates, most likely) ";
    if (is_too_long)
        return what + "which is too long: " + mbedtls::library_name() + " takes no more than " + std::to_string(MBEDTLS_SSL_IN_CONTENT_LEN);
    return what + "in several records, which " + mbedtls::library_name() + " cannot put together";
}

/// Of a record (RFC 5246, section 6.2.1; RFC 6520, section 6).
constexpr char last_record_type = 24;

/// RFC 5246, appendix E.2: a size with its first bit set, the type, and a version of TLS or SSL 2's own.
bool is_ssl2_hello(std::string_view first_bytes) noexcept {
    if (first_bytes.size() < 5 || (static_cast<unsigned char>(first_bytes[0]) & 0x80U) == 0 || first_bytes[2] != 1) return false;
    return first_bytes[3] == 3 || first_bytes.substr(3, 2) == std::string_view("\0\2", 2);
}

std::size_t find_unprintable(std::string_view text) noexcept {
    const auto found = std::find_if(text.begin(), text.end(), [](char c) { return c < ' ' || c >= 0x7F; });
    return static_cast<std::size_t>(found - text.begin());
}

}  // namespace

std::string certificate_failure(int error) {
    switch (mbedtls::certificate_fault(error)) {
        case mbedtls::CertificateFault::algorithm:
            return "its key or its signature is of a kind that " + mbedtls::library_name() + " does not know (Ed25519, say)";
        case mbedtls::CertificateFault::critical_extension:
            return "it has a critical extension that " + mbedtls::library_name() + " does not read (name constraints, say)";
        default: return mbedtls::error_text(error);
    }
}

std::string handshake_failure(int error, const HandshakeTraces& traces, bool is_server) {
    const std::string peer = is_server ? "the client" : "the server";
    if (error == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        const std::string text = peer + " ended it with the alert " + alert_text(traces.alert);
        constexpr int handshake_failure_alert = 40;
        const bool may_want_tls13 = !is_server && traces.alert == handshake_failure_alert && !mbedtls::has_tls13();
        return may_want_tls13 ? text + "; or it wants TLS 1.3, which " + mbedtls::library_name() + " does not have" : text;
    }
    if (error == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE) return "the client sent no certificate, which ssl option \"verify_peer\" asks for";
    if (std::string text = mismatch(error, traces, peer); !text.empty()) return text;
    if (std::string text = is_server ? hello_failure(error, traces.first_bytes) : std::string(); !text.empty()) return text;
    if (std::string text = size_failure(error, traces.cut_message_size, peer); !text.empty()) return text;
    if (mbedtls::certificate_fault(error) == mbedtls::CertificateFault::none) return mbedtls::error_text(error);
    if (!traces.unread_certificates.empty()) return traces.unread_certificates;
    return "a certificate that " + peer + " sent cannot be read: " + certificate_failure(error);
}

std::string record_failure(int error, bool is_key_update) {
    const bool is_refused_update = error == MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE && is_key_update;
    return is_refused_update ? "the peer goes on to new keys (KeyUpdate), which " + mbedtls::library_name() + " cannot follow"
                             : mbedtls::error_text(error);
}

std::string certificate_label(std::size_t number, bool is_server) {
    if (number != 0) return "certificate " + std::to_string(number) + " of the chain";
    return is_server ? "the client's certificate" : "the server's certificate";
}

std::string unread_certificates(const mbedtls_ssl_context& ssl, bool is_server) {
    std::string text;
    std::size_t number = 0;
    for (const std::string_view der : mbedtls::certificates_received(ssl)) {
        mbedtls::Certificates parsed;
        const int result = mbedtls_x509_crt_parse_der(parsed.get(), reinterpret_cast<const unsigned char*>(der.data()), der.size());
        if (result != 0)
            text += (text.empty() ? "" : "; ") + certificate_label(number, is_server) + " cannot be read: " + certificate_failure(result);
        ++number;
    }
    return text;
}

bool is_tls(std::string_view first_bytes) noexcept {
    return first_bytes.empty() || (first_bytes[0] >= MBEDTLS_SSL_MSG_CHANGE_CIPHER_SPEC && first_bytes[0] <= last_record_type);
}

bool is_http_request(std::string_view first_bytes) noexcept {
    constexpr std::array methods = {"GET ", "HEAD ", "POST ", "PUT ", "OPTIO", "DELET", "CONNE", "PATCH", "TRACE"};
    return std::any_of(methods.begin(), methods.end(), [&](const char* method) { return first_bytes.starts_with(method); });
}

std::string other_protocol(std::string_view first_bytes, bool is_server) {
    if (is_tls(first_bytes)) return {};
    if (!is_server && first_bytes.starts_with("HTTP/"))
        return "the server speaks plain HTTP on this port: is it for ws:// instead of wss://?";
    if (is_server && is_http_request(first_bytes))
        return "the client speaks plain HTTP on a port for TLS: it should ask for wss:// instead of ws://";
    if (is_server && (first_bytes.starts_with("PROXY") || first_bytes.starts_with("\r\n\r\n")))
        return "the client is a proxy that begins with the PROXY protocol, which is not spoken here";
    if (is_server && is_ssl2_hello(first_bytes))
        return "the client begins with a hello of SSL 2, as old software does: it has to speak TLS 1.2 or later";
    const std::string_view line = first_bytes.substr(0, find_unprintable(first_bytes));
    const std::string what = std::string(is_server ? "the client" : "the server") + " does not speak TLS on this port: it begins with ";
    return what + (line.empty() ? "a byte of " + std::to_string(static_cast<unsigned char>(first_bytes[0])) : cited(line));
}

}  // namespace hawser::transport
