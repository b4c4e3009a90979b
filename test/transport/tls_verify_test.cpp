#include "transport/tls_verify.hpp"

#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "transport/mbedtls_shim.hpp"

using namespace hawser::transport;

namespace {

/// A certificate as mbedTLS hands it to the callback.
struct Shown {
    explicit Shown(const support::CertificateWish& wish, const support::Certificate* issuer = nullptr)
        : made(support::make_certificate(wish, issuer)) {
        REQUIRE(mbedtls_x509_crt_parse(crt.get(), reinterpret_cast<const unsigned char*>(made.pem.c_str()), made.pem.size() + 1) == 0);
    }
    support::Certificate made;
    mbedtls::Certificates crt;
};

}  // namespace

TEST_CASE("tls verify: a good certificate raises no flag, and none is forgiven") {
    Shown shown({.dns = {"a.example"}});
    const VerifyRules rules;
    Verifier verifier(rules, "a.example");
    std::uint32_t flags = 0;
    CHECK_FALSE(verifier.was_called());
    CHECK(Verifier::callback(&verifier, shown.crt.get(), 0, &flags) == 0);
    CHECK(flags == 0);
    CHECK(verifier.was_called());
    CHECK(verifier.failures().empty());
    flags = MBEDTLS_X509_BADCERT_NOT_TRUSTED | MBEDTLS_X509_BADCERT_EXPIRED;
    CHECK(Verifier::callback(&verifier, shown.crt.get(), 0, &flags) == 0);
    CHECK(flags == (MBEDTLS_X509_BADCERT_NOT_TRUSTED | MBEDTLS_X509_BADCERT_EXPIRED));
    CHECK(verifier.failures().find("allow_self_signed") != std::string::npos);
}

TEST_CASE("tls verify: mbedTLS's own opinion of the name does not count") {
    Shown shown({.ip = {"127.0.0.1"}});
    const VerifyRules rules;
    Verifier verifier(rules, "127.0.0.1");
    std::uint32_t flags = MBEDTLS_X509_BADCERT_CN_MISMATCH;
    Verifier::callback(&verifier, shown.crt.get(), 0, &flags);
    CHECK(flags == 0);
    Verifier other(rules, "127.0.0.2");
    Verifier::callback(&other, shown.crt.get(), 0, &flags);
    CHECK(flags == MBEDTLS_X509_BADCERT_CN_MISMATCH);
}

TEST_CASE("tls verify: only a self-signed leaf is forgiven by allow_self_signed") {
    const VerifyRules rules{.verify_name = false, .allow_self_signed = true};
    const support::Certificate root = support::make_authority("Root");
    Shown self_signed({}), issued({}, &root);
    Verifier verifier(rules, "");
    std::uint32_t flags = MBEDTLS_X509_BADCERT_NOT_TRUSTED;
    Verifier::callback(&verifier, self_signed.crt.get(), 0, &flags);
    CHECK(flags == 0);
    flags = MBEDTLS_X509_BADCERT_NOT_TRUSTED;
    Verifier::callback(&verifier, issued.crt.get(), 0, &flags);
    CHECK(flags != 0);
    flags = MBEDTLS_X509_BADCERT_NOT_TRUSTED;
    Verifier::callback(&verifier, self_signed.crt.get(), 1, &flags);
    CHECK(flags != 0);
}

TEST_CASE("tls verify: without verify_peer only a pin can fail, and that is fatal") {
    Shown shown({});
    VerifyRules rules{.verify_peer = false};
    std::uint32_t flags = ~std::uint32_t{MBEDTLS_X509_BADCERT_OTHER};
    Verifier none(rules, "");
    CHECK(Verifier::callback(&none, shown.crt.get(), 0, &flags) == 0);
    CHECK(flags == 0);
    rules.pins = {{MBEDTLS_MD_SHA256, fingerprint(*shown.crt.get(), MBEDTLS_MD_SHA256)}};
    Verifier right(rules, "");
    CHECK(Verifier::callback(&right, shown.crt.get(), 0, &flags) == 0);
    rules.pins.push_back({MBEDTLS_MD_SHA1, std::string(20, 'x')});
    Verifier wrong(rules, "");
    CHECK(Verifier::callback(&wrong, shown.crt.get(), 0, &flags) != 0);
    CHECK(wrong.failures().find("peer_fingerprint") != std::string::npos);
}

TEST_CASE("tls verify: a pin wants a certificate, and that one") {
    Shown shown({}), other({});
    VerifyRules rules;
    CHECK(Verifier(rules, "").accepts(nullptr));
    rules.pins = {{MBEDTLS_MD_SHA256, fingerprint(*shown.crt.get(), MBEDTLS_MD_SHA256)}};
    CHECK(Verifier(rules, "").accepts(shown.crt.get()));
    Verifier of_none(rules, ""), of_other(rules, "");
    CHECK_FALSE(of_none.accepts(nullptr));
    CHECK(of_none.failures() == "the server showed no certificate, and one is pinned (ssl option \"peer_fingerprint\")");
    CHECK_FALSE(of_other.accepts(other.crt.get()));
    CHECK(of_other.failures().find("peer_fingerprint") != std::string::npos);
}

TEST_CASE("tls verify: names and fingerprints of a certificate") {
    Shown shown({.common_name = "some one"});
    CHECK(distinguished_name(shown.crt.get()->subject) == "\"CN=some one\"");
    CHECK(is_self_issued(*shown.crt.get()));
    CHECK(fingerprint(*shown.crt.get(), MBEDTLS_MD_SHA256).size() == 32);
    CHECK(fingerprint(*shown.crt.get(), MBEDTLS_MD_NONE).empty());
}

TEST_CASE("tls verify: a certificate that mbedTLS could not read is told to be that, and nothing else") {
    mbedtls::Certificates empty;
    const VerifyRules rules;
    Verifier verifier(rules, "a.example");
    std::uint32_t flags = MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_NOT_TRUSTED | MBEDTLS_X509_BADCERT_CN_MISMATCH;
    CHECK(Verifier::callback(&verifier, empty.get(), 0, &flags) == 0);
    CHECK(flags != 0);
    CHECK(verifier.failures() == "the server's certificate cannot be read: its key or its signature is of a kind that " +
                                     mbedtls::library_name() + " does not know (Ed25519, say)");
    const VerifyRules none{.verify_peer = false}, pinned{.verify_peer = false, .pins = {{MBEDTLS_MD_SHA1, std::string(20, 'x')}}};
    Verifier careless(none, ""), careful(pinned, "");
    CHECK(Verifier::callback(&careless, empty.get(), 0, &flags) == 0);
    CHECK(flags == 0);
    CHECK(Verifier::callback(&careful, empty.get(), 0, &flags) != 0);
}

TEST_CASE("tls verify: an address among the names of hosts is told to be in the wrong place") {
    const VerifyRules rules;
    for (const auto& [host, address] : {std::pair("127.0.0.1", "127.0.0.1"), std::pair("0:0:0:0:0:0:0:1", "::1")}) {
        Shown shown({.dns = {"localhost", host}});
        Verifier verifier(rules, address);
        std::uint32_t flags = 0;
        Verifier::callback(&verifier, shown.crt.get(), 0, &flags);
        CHECK(flags == MBEDTLS_X509_BADCERT_CN_MISMATCH);
        CHECK(verifier.failures().find("is not for the address " + std::string(address) + ": it has it as the name of a host") !=
              std::string::npos);
        CHECK(verifier.failures().find("subjectAltName=IP:" + std::string(address)) != std::string::npos);
    }
}

TEST_CASE("tls verify: an issuer that was sent before what it has issued is told to be in the wrong order") {
    const support::Certificate root = support::make_authority("Root"), first = support::make_authority("First", &root),
                               second = support::make_authority("Second", &first);
    const std::string sent = support::make_certificate({.dns = {"a.example"}}, &second).pem + first.pem + second.pem;
    mbedtls::Certificates chain;
    REQUIRE(mbedtls_x509_crt_parse(chain.get(), reinterpret_cast<const unsigned char*>(sent.c_str()), sent.size() + 1) == 0);
    const VerifyRules rules;
    Verifier verifier(rules, "a.example");
    std::uint32_t flags = MBEDTLS_X509_BADCERT_NOT_TRUSTED;
    Verifier::callback(&verifier, chain.get()->next->next, 1, &flags);
    flags = 0;
    Verifier::callback(&verifier, chain.get(), 0, &flags);
    CHECK(verifier.failures().find("\"CN=Second\", is issued by \"CN=First\", which was sent before it: the chain is in the wrong order") !=
          std::string::npos);
    CHECK_FALSE(verifier.misses_issuer());
}
