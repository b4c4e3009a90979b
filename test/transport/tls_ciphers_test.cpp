#include "transport/tls_ciphers.hpp"

#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>

#include <algorithm>

#include <hawser/context.hpp>
#include <hawser/error.hpp>

#include "support/catch.hpp"
#include "support/error_of.hpp"

using namespace hawser;
using namespace hawser::transport;

TEST_CASE("tls ciphers: IANA's names and OpenSSL's mean the same suites") {
    CHECK(find_ciphersuite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256") == MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256);
    CHECK(find_ciphersuite("TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256") == MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256);
    CHECK(find_ciphersuite("ECDHE-RSA-AES128-GCM-SHA256") == MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256);
    CHECK(find_ciphersuite("ECDHE-ECDSA-AES256-GCM-SHA384") == MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384);
    CHECK(find_ciphersuite("ECDHE-ECDSA-CHACHA20-POLY1305") == MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256);
    CHECK(find_ciphersuite("ECDHE-RSA-AES128-SHA256") == MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256);
    CHECK(find_ciphersuite("ECDHE-RSA-AES256-SHA") == MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA);
    CHECK(find_ciphersuite("ECDHE-ECDSA-AES128-CCM") == MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CCM);
    CHECK(find_ciphersuite("ECDHE-ECDSA-AES128-CCM8") == MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8);
#if MBEDTLS_VERSION_MAJOR < 4  // which has suites with ephemeral curves alone
    CHECK(find_ciphersuite("DHE-RSA-AES256-GCM-SHA384") == MBEDTLS_TLS_DHE_RSA_WITH_AES_256_GCM_SHA384);
    CHECK(find_ciphersuite("AES128-GCM-SHA256") == MBEDTLS_TLS_RSA_WITH_AES_128_GCM_SHA256);
    CHECK(find_ciphersuite("AES128-SHA") == MBEDTLS_TLS_RSA_WITH_AES_128_CBC_SHA);
#endif
}

TEST_CASE("tls ciphers: an unknown name is refused, and told") {
    for (const char* name : {"", "HIGH", "DEFAULT", "!aNULL", "TLS_", "TLS_NOTHING_WITH_IT", "ECDHE-RSA-RC4-SHA", "aes128-sha"}) {
        CAPTURE(name);
        CHECK(find_ciphersuite(name) == 0);
    }
    std::string unknown;
    CHECK(find_ciphersuites("AES128-SHA:AES256-SHA", unknown).size() == 2);
    CHECK(unknown.empty());
    CHECK(find_ciphersuites("AES128-SHA:FOO:BAR", unknown).empty());
    CHECK(unknown == "FOO");
    Context context;
    const std::string text = support::error_of(Errc::invalid_option, [&] { context.set_option("ssl", "ciphers", "AES128-SHA:HIGH"); });
    CHECK(text.find(R"("HIGH", which mbedTLS )") != std::string::npos);
    support::error_of(Errc::invalid_option, [&] { context.set_option("ssl", "ciphers", ""); });
    context.set_option("ssl", "ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256");
}

TEST_CASE("tls ciphers: by default all have forward secrecy and authenticated encryption") {
    const std::vector<int> suites = default_ciphersuites();
    CHECK(suites.size() >= 6);
    for (const int suite : suites) {
        const std::string name = mbedtls_ssl_get_ciphersuite_name(suite);
        CAPTURE(name);
        CHECK((name.find("ECDHE") != std::string::npos || name.starts_with("TLS1-3")));
        CHECK((name.find("GCM") != std::string::npos || name.find("CHACHA20") != std::string::npos));
    }
}
