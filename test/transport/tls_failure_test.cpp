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

TEST_CASE("tls failure: a client's first message is told that is too long, or comes in parts") {
    const auto text = [](int error, std::size_t here, std::size_t body, char type = 1) {
        const std::string first = {22,
                                   3,
                                   1,
                                   static_cast<char>(here >> 8),
                                   static_cast<char>(here),
                                   type,
                                   static_cast<char>(body >> 16),
                                   static_cast<char>(body >> 8),
                                   static_cast<char>(body)};
        return handshake_failure(error, {.first_bytes = first}, true);
    };
    const int refused = mbedtls::is_refused_hello(MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE) ? MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE : -0x7900;
    REQUIRE(mbedtls::is_refused_hello(refused));
    CHECK(text(MBEDTLS_ERR_SSL_ALLOC_FAILED, 16384, 16381).starts_with("the client's first message (ClientHello) has 16385 bytes, and "));
    CHECK(text(refused, 16384, 16380) == mbedtls::error_text(refused));
    CHECK(text(refused, 16383, 16380).find("(ClientHello) comes in several records, which ") != std::string::npos);
    CHECK(text(refused, 16383, 16379) == mbedtls::error_text(refused));
    CHECK(text(refused, 16384, 16381, 2) == mbedtls::error_text(refused));
    CHECK(text(refused, 3, 0).find("comes in several records") != std::string::npos);
    CHECK(text(MBEDTLS_ERR_SSL_ALLOC_FAILED, 3, 0) == mbedtls::error_text(MBEDTLS_ERR_SSL_ALLOC_FAILED));
    for (const char* cut : {"", "\x16\x03\x01\x40", "\x16\x03\x01\x40\x10\x01\x01\x01"})
        CHECK(handshake_failure(refused, {.first_bytes = cut}, true) == mbedtls::error_text(refused));
}

TEST_CASE("tls failure: what is not TLS is told by its first bytes") {
    const std::string at_server = "the client does not speak TLS on this port: it begins with ",
                      at_client = "the server does not speak TLS on this port: it begins with ";
    CHECK(other_protocol("SSH-2.0-OpenSSH_9.2\r\nmore", false) == at_client + "\"SSH-2.0-OpenSSH_9.2\"");
    CHECK(other_protocol("220 ", false) == at_client + "\"220 \"");
    CHECK(other_protocol("SSH-2", true) == at_server + "\"SSH-2\"");
    CHECK(other_protocol("a\"\xC3", true) == at_server + R"("a\"")");
    CHECK(other_protocol(std::string(5, '\0'), true) == at_server + "a byte of 0");
    CHECK(other_protocol("\xFF", false) == at_client + "a byte of 255");
    const std::string ssl2 = "the client begins with a hello of SSL 2";
    CHECK(other_protocol("\x80\x2e\x01\x03\x01", true).starts_with(ssl2));
    CHECK(other_protocol({"\x80\x2e\x01\0\2", 5}, true).starts_with(ssl2));
    CHECK(other_protocol("\x80\x2e\x01\x03", true) == at_server + "a byte of 128");
    CHECK(other_protocol("\x80\x2e\x02\x03\x01", true) == at_server + "a byte of 128");
    for (const char* bytes : {"PROXY TCP4 192.0.2.1", "\r\n\r\n"})
        CHECK(other_protocol(bytes, true).find("PROXY protocol") != std::string::npos);
    for (char type = 20; type <= 24; ++type) {
        CHECK(is_tls({&type, 1}));
        CHECK(other_protocol({&type, 1}, true).empty());
        CHECK(other_protocol({&type, 1}, false).empty());
    }
    for (const char* bytes : {"\x13", "\x19", "\x96", "G"}) CHECK_FALSE(is_tls(bytes));
    CHECK(is_tls(""));
}

TEST_CASE("tls failure: plain HTTP is told by its first bytes") {
    for (const char* bytes : {"GET /", "HEAD ", "POST ", "OPTIO"}) CHECK_FALSE(other_protocol(bytes, true).empty());
    CHECK(other_protocol("HTTP/", true).find("plain HTTP") == std::string::npos);
    CHECK(other_protocol("HTTP/", false).find("plain HTTP") != std::string::npos);
    CHECK(other_protocol("GET /", true).find("plain HTTP") != std::string::npos);
    CHECK(other_protocol("GET /", false).find("plain HTTP") == std::string::npos);
    CHECK(is_http_request("GET / HTTP/1.1"));
    CHECK_FALSE(is_http_request("SSH-2.0"));
}
