#include "transport/tls_failure.hpp"

#include <mbedtls/error.h>

#include "support/catch.hpp"
#include "transport/mbedtls_shim.hpp"

using namespace hawser::transport;

TEST_CASE("tls failure: alerts have names") {
    CHECK(alert_text(50) == "decode_error (50)");
    CHECK(alert_text(116) == "certificate_required (116): it does not accept our certificate (ssl option \"local_cert\")");
    CHECK(alert_text(0) == "close_notify (0)");
    CHECK(alert_text(200) == "unknown (200)");
}

TEST_CASE("tls failure: an alert says who sent it, and which option may help") {
    const auto text = [](int alert, bool is_server) {
        return handshake_failure(MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE, {.alert = alert}, is_server);
    };
    CHECK(text(48, true) ==
          "the client ended it with the alert unknown_ca (48): it does not accept our certificate (ssl option \"local_cert\")");
    CHECK(text(116, false).find("the server ended it with the alert certificate_required (116)") == 0);
    CHECK(text(40, false).find("ciphers") != std::string::npos);
    CHECK(text(70, false).find(mbedtls::has_tls13() ? "min_proto_version" : "has no TLS 1.3") != std::string::npos);
    CHECK((text(40, false).find("TLS 1.3") != std::string::npos) != mbedtls::has_tls13());
    CHECK(text(40, true).find("TLS 1.3") == std::string::npos);
    CHECK(text(120, false).find("alpn_protocols") != std::string::npos);
    CHECK(text(80, false) == "the server ended it with the alert internal_error (80)");
}

TEST_CASE("tls failure: other errors are mbedTLS's, in words") {
    CHECK(handshake_failure(MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE, {}, true).find("verify_peer") != std::string::npos);
    CHECK(handshake_failure(MBEDTLS_ERR_SSL_ALLOC_FAILED, {.cut_message_size = 20'000}, true) == "Memory allocation failed");
    CHECK(tls_category().message(MBEDTLS_ERR_SSL_ALLOC_FAILED) == "Memory allocation failed");
}

TEST_CASE("tls failure: a message that mbedTLS does not take is told with its size") {
    const auto text = [](std::size_t size) {
        return handshake_failure(MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE, {.cut_message_size = size}, false);
    };
    CHECK(text(0) == mbedtls::error_text(MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE));
    CHECK(text(16383).find("in several records, which") != std::string::npos);
    CHECK(text(16384).find("in several records, which") != std::string::npos);
    for (const int error : {MBEDTLS_ERR_SSL_BAD_INPUT_DATA, MBEDTLS_ERR_ERROR_CORRUPTION_DETECTED}) {
        CHECK(handshake_failure(error, {.cut_message_size = 16384}, false) == mbedtls::error_text(error));
        CHECK(handshake_failure(error, {.cut_message_size = 16385}, false) == text(16385));
    }
    CHECK(text(16385) == "the server sent a message of 16385 bytes (its certificates, most likely) which is too long: " +
                             mbedtls::library_name() + " takes no more than 16384");
}

TEST_CASE("tls failure: a certificate that cannot be read is told with the reason") {
    const auto text = [](int error) { return handshake_failure(error, {}, false); };
    const std::string unread = "a certificate that the server sent cannot be read: ";
    CHECK(text(MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG).starts_with(unread + "its key or its signature is of a kind that mbedTLS "));
    CHECK(text(MBEDTLS_ERR_PK_UNKNOWN_PK_ALG).starts_with(unread + "its key or its signature is of a kind that mbedTLS "));
    CHECK(text(MBEDTLS_ERR_X509_INVALID_EXTENSIONS + MBEDTLS_ERR_ASN1_UNEXPECTED_TAG)
              .starts_with(unread + "it has a critical extension that mbedTLS "));
    CHECK(text(MBEDTLS_ERR_X509_INVALID_EXTENSIONS) == unread + mbedtls::error_text(MBEDTLS_ERR_X509_INVALID_EXTENSIONS));
    CHECK(text(MBEDTLS_ERR_X509_INVALID_DATE) == unread + mbedtls::error_text(MBEDTLS_ERR_X509_INVALID_DATE));
    CHECK(text(MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) == mbedtls::error_text(MBEDTLS_ERR_X509_CERT_VERIFY_FAILED));
}

TEST_CASE("tls failure: a record with new keys is told from others that are unexpected") {
    CHECK(record_failure(MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, true) ==
          "the peer goes on to new keys (KeyUpdate), which " + mbedtls::library_name() + " cannot follow");
    CHECK(record_failure(MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, false) == "An unexpected message was received from our peer");
    CHECK(record_failure(MBEDTLS_ERR_SSL_INVALID_MAC, true) == "Verification of the message MAC failed");
}

TEST_CASE("tls failure: plain HTTP is told by its first bytes") {
    for (const char* bytes : {"GET /", "HEAD ", "POST ", "OPTIO"}) CHECK_FALSE(other_protocol(bytes, true).empty());
    CHECK(other_protocol("HTTP/", true).empty());
    CHECK_FALSE(other_protocol("HTTP/", false).empty());
    CHECK(other_protocol("GET /", false).empty());
    CHECK(other_protocol("\x16\x03\x01", true).empty());
    CHECK(other_protocol("", true).empty());
}
