#include "transport/tls_settings.hpp"

#include "support/catch.hpp"
#include "support/error_of.hpp"

using namespace hawser;
using namespace hawser::transport;

namespace {

Context context_of(const std::map<std::string, OptionValue>& options) {
    Context context;
    context.set_options({{"ssl", options}});
    return context;
}

TlsSettings client_settings(std::map<std::string, OptionValue> options) {
    options.try_emplace("cafile", "ca.pem");
    return TlsSettings::read(context_of(options), false);
}

}  // namespace

TEST_CASE("tls settings: a client verifies, a server does not, unless they are told to") {
    CHECK(client_settings({}).rules.verify_peer);
    CHECK(client_settings({}).rules.verify_name);
    CHECK_FALSE(client_settings({{"verify_peer", false}}).rules.verify_peer);
    CHECK_FALSE(TlsSettings::read(context_of({{"local_cert", "a.pem"}}), true).rules.verify_peer);
    CHECK(TlsSettings::read(context_of({{"local_cert", "a.pem"}, {"verify_peer", true}, {"capath", "/ca"}}), true).rules.verify_peer);
}

TEST_CASE("tls settings: the versions of TLS") {
    const mbedtls::Version newest = mbedtls::has_tls13() ? mbedtls::Version::tls13 : mbedtls::Version::tls12;
    CHECK(client_settings({}).least == mbedtls::Version::tls12);
    CHECK(client_settings({}).most == newest);
    CHECK(client_settings({{"crypto_method", "TLSv1.2"}}).most == mbedtls::Version::tls12);
    CHECK(client_settings({{"max_proto_version", "TLSv1.2"}}).most == mbedtls::Version::tls12);
    CHECK(client_settings({{"min_proto_version", "TLSv1.2"}}).most == newest);
    for (const char* name : {"", "TLSv1.1", "TLSv1", "SSLv3", "tls"}) {
        CAPTURE(name);
        const std::string text = support::error_of(Errc::invalid_option, [&] { Context().set_option("ssl", "min_proto_version", name); });
        CHECK(text.find("nothing below 1.2 is spoken") != std::string::npos);
    }
    support::error_of(Errc::invalid_option, [] { client_settings({{"crypto_method", "TLSv1.2"}, {"max_proto_version", "TLSv1.2"}}); });
    if (mbedtls::has_tls13()) {
        CHECK(client_settings({{"crypto_method", "TLSv1.3"}}).least == mbedtls::Version::tls13);
        support::error_of(Errc::invalid_option, [] {
            client_settings({{"min_proto_version", "TLSv1.3"}, {"max_proto_version", "TLSv1.2"}});
        });
    } else {
        const std::string text = support::error_of(Errc::invalid_option, [] { Context().set_option("ssl", "crypto_method", "TLSv1.3"); });
        CHECK(text.find("cannot speak") != std::string::npos);
    }
}

TEST_CASE("tls settings: who orders the ciphersuites") {
    CHECK(client_settings({{"honor_cipher_order", true}}).servers_order);
    if (mbedtls::has_client_order()) {
        CHECK_FALSE(client_settings({{"honor_cipher_order", false}}).servers_order);
    } else {
        const std::string text = support::error_of(Errc::invalid_option, [] { Context().set_option("ssl", "honor_cipher_order", false); });
        CHECK(text.find("the order is always the server's") != std::string::npos);
    }
}

TEST_CASE("tls settings: fingerprints, lists and switches") {
    const TlsSettings settings = client_settings({{"peer_fingerprint", std::map<std::string, std::string>{{"sha1", std::string(40, 'a')}}},
                                                  {"alpn_protocols", "one, two"},
                                                  {"verify_depth", 3},
                                                  {"no_ticket", true},
                                                  {"SNI_enabled", false},
                                                  {"capture_peer_cert_chain", true},
                                                  {"ciphers", "AES128-SHA:AES256-SHA"}});
    REQUIRE(settings.rules.pins.size() == 1);
    CHECK(settings.rules.pins[0].hash == MBEDTLS_MD_SHA1);
    CHECK(settings.rules.pins[0].digest == std::string(20, '\xaa'));
    CHECK(settings.protocols == std::vector<std::string>{"one", "two"});
    CHECK(settings.rules.depth == 3);
    CHECK_FALSE(settings.tickets);
    CHECK_FALSE(settings.send_name);
    CHECK(settings.keep_certificate);
    CHECK(settings.keep_chain);
    CHECK(settings.ciphersuites.size() == 2);
    REQUIRE(settings.authorities.size() == 1);
    CHECK(settings.authorities[0].path == "ca.pem");
    CHECK_FALSE(settings.has_system_authorities);
    CHECK_FALSE(settings.has_peer_name);
}

TEST_CASE("tls settings: what a chain may have") {
    CHECK(client_settings({}).rules.max_rsa_bits == 4096);
    CHECK_FALSE(client_settings({}).rules.allow_all_curves);
    const VerifyRules rules = client_settings({{"max_rsa_bits", 8192}, {"allow_all_curves", true}}).rules;
    CHECK(rules.max_rsa_bits == 8192);
    CHECK(rules.allow_all_curves);
    CHECK(client_settings({{"max_rsa_bits", 2048}, {"security_level", 5}, {"allow_all_curves", false}}).rules.max_rsa_bits == 2048);
}

TEST_CASE("tls settings: a higher level of security asks for more") {
    std::uint32_t last_bits = 0;
    std::uint32_t last_hashes = ~std::uint32_t{0};
    for (std::int64_t level = 0; level <= 5; ++level) {
        const mbedtls_x509_crt_profile profile = client_settings({{"security_level", level}}).profile;
        CHECK((level == 0 || profile.rsa_min_bitlen > last_bits));
        const VerifyRules rules = client_settings({{"security_level", level}}).rules;
        CHECK((rules.max_rsa_bits >= profile.rsa_min_bitlen || level == 5));  // mbedTLS has none so long
        CHECK(rules.max_rsa_bits == (level < 4 ? 4096 : 8192));
        CHECK(rules.allow_all_curves == (level == 5));
        CHECK((profile.allowed_mds & ~last_hashes) == 0);
        last_bits = profile.rsa_min_bitlen;
        last_hashes = profile.allowed_mds;
    }
}
