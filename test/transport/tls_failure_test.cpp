#include "transport/tls_failure.hpp"

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
    const auto text = [](int alert, bool is_server) { return handshake_failure(MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE, alert, is_server); };
    CHECK(text(48, true) ==
          "the client ended it with the alert unknown_ca (48): it does not accept our certificate (ssl option \"local_cert\")");
    CHECK(text(116, false).find("the server ended it with the alert certificate_required (116)") == 0);
    CHECK(text(40, false).find("ciphers") != std::string::npos);
    CHECK(text(70, false).find("min_proto_version") != std::string::npos);
    CHECK(text(120, false).find("alpn_protocols") != std::string::npos);
    CHECK(text(80, false) == "the server ended it with the alert internal_error (80)");
}

TEST_CASE("tls failure: other errors are mbedTLS's, in words") {
    CHECK(handshake_failure(MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE, 0, true).find("verify_peer") != std::string::npos);
    CHECK(handshake_failure(MBEDTLS_ERR_SSL_ALLOC_FAILED, 0, true) == "Memory allocation failed");
    CHECK(tls_category().message(MBEDTLS_ERR_SSL_ALLOC_FAILED) == "Memory allocation failed");
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
