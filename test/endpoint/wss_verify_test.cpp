#include <algorithm>

#include "support/tls_loopback.hpp"
#include "transport/mbedtls_shim.hpp"

using namespace support;
namespace mbedtls = hawser::transport::mbedtls;
using namespace std::string_literals;

namespace {

/// The certificates of the matrix, made once.
struct Cast {
    Cast() {
        add("good", {.dns = {"localhost", "a.example", "*.w.example"}, .ip = {"127.0.0.1", "::1"}}, &root);
        add("wrong host", {.dns = {"other.example"}}, &root);
        add("cn only", {.common_name = "localhost"}, &root);
        add("cn beside san", {.common_name = "localhost", .dns = {"other.example"}}, &root);
        add("wrong ip", {.dns = {"localhost"}, .ip = {"127.0.0.2"}}, &root);
        add("wrong ip6", {.dns = {"localhost"}, .ip = {"::2"}}, &root);
        add("ip as dns", {.dns = {"127.0.0.1"}}, &root);
        add("ip6", {.ip = {"::1"}}, &root);
        add("wide wildcard", {.dns = {"*.example"}}, &root);
        add("expired", {.dns = {"localhost"}, .not_after = "20210101000000"}, &root);
        add("future", {.dns = {"localhost"}, .not_before = "20480101000000"}, &root);
        add("expired wrong host", {.dns = {"other.example"}, .not_after = "20210101000000"}, &root);
        add("self-signed", {.dns = {"localhost"}}, nullptr);
        add("self-signed expired", {.dns = {"localhost"}, .not_after = "20210101000000"}, nullptr);
        add("self-signed wrong host", {.dns = {"other.example"}}, nullptr);
        add("untrusted root", {.dns = {"localhost"}}, &other_root);
        add("leaf of leaf", {.dns = {"localhost"}}, &plain_leaf, plain_leaf.pem);
        add("no chain", {.dns = {"localhost"}}, &intermediate);
        add("chain", {.dns = {"localhost"}}, &intermediate, intermediate.pem);
        add("long chain", {.dns = {"localhost"}}, &second, second.pem + intermediate.pem);
        add("expired intermediate", {.dns = {"localhost"}}, &expired_intermediate, expired_intermediate.pem);
        add("path too long", {.dns = {"localhost"}}, &below_short, below_short.pem + short_path.pem);
        add("weak hash", {.dns = {"localhost"}, .hash = MBEDTLS_MD_SHA1}, &root);
        add("weak key", {.dns = {"localhost"}, .key = KeyType::rsa1024}, &root);
        add("rsa", {.dns = {"localhost"}, .key = KeyType::rsa2048}, &root);
        add("p384", {.dns = {"localhost"}, .key = KeyType::p384}, &root);
        add("sha384", {.dns = {"localhost"}, .hash = MBEDTLS_MD_SHA384}, &root);
        add("for clients", {.dns = {"localhost"}, .purpose = "client"}, &root);
        add("for servers", {.dns = {"localhost"}, .purpose = "server"}, &root);
        add("bound authority", {.dns = {"localhost"}}, &bound);
        add("namesake", {.dns = {"localhost"}}, &namesake);
        add("revoked", {.dns = {"localhost"}, .serial = "\x42"}, &root);
        trust = files.write("root.pem", root.pem);
        files.write("crl.pem", root.pem + make_crl(root, {66, 67}));
        files.write("both.pem", other_root.pem + root.pem);
        files.write("bound.pem", root.pem + bound.pem);
        files.write("garbage.pem", "nothing of value\n");
    }
    void add(const std::string& name, const CertificateWish& wish, const Certificate* issuer, const std::string& chain = {}) {
        const Certificate made = make_certificate(wish, issuer);
        files.write(name, made.pem + chain + made.key);
        fingerprints[name] = hex_fingerprint(made, MBEDTLS_MD_SHA256);
        fingerprints[name + " sha1"] = hex_fingerprint(made, MBEDTLS_MD_SHA1);
    }
    static const Cast& instance() {
        static const Cast cast;
        return cast;
    }

    Files files;
    Certificate root = make_authority("Test Root"), other_root = make_authority("Other Root");
    Certificate intermediate = make_authority("Intermediate", &root), second = make_authority("Second", &intermediate);
    Certificate expired_intermediate = make_certificate({.common_name = "Expired", .is_ca = true, .not_after = "20210101000000"}, &root);
    Certificate short_path = make_certificate({.common_name = "Short", .is_ca = true, .path_length = 0}, &root);
    Certificate below_short = make_authority("Below", &short_path);
    Certificate bound = make_certificate({.common_name = "Bound", .is_ca = true, .permitted_host = "localhost"});
    Certificate namesake = make_authority("Test Root");
    Certificate plain_leaf = make_certificate({.common_name = "plain", .dns = {"localhost"}}, &root);
    std::string trust;
    std::map<std::string, std::string> fingerprints;
};

/// Text of the error, or empty when the message came back.
std::string outcome(TlsLoopback& loop, const std::string& host, const SslOptions& options) {
    const Attempt result = attempt(loop, loop.uri(host), options);
    if (result.error) CHECK(result.error->errc() == Errc::tls_failed);
    CHECK(result.echoed == !result.error);
    return result.failure();
}

void check_outcome(const std::string& text, const std::vector<std::string>& expected, const TlsLoopback& loop) {
    INFO(text);
    if (expected.empty()) {
        CHECK(text.empty());
        return;
    }
    CHECK(text.starts_with("127.0.0.1:" + std::to_string(loop.server.port()) + ": the TLS handshake failed: "));
    for (const std::string& part : expected) {
        CAPTURE(part);
        CHECK(text.find(part) != std::string::npos);
    }
}

struct Case {
    const char* certificate;
    const char* host;
    SslOptions options;
    std::vector<std::string> expected;  // parts of the error, or none
};

SslOptions pinned(const std::string& name, const SslOptions& others = {}) {
    SslOptions options = others;
    options["peer_fingerprint"] = Cast::instance().fingerprints.at(name);
    return options;
}

std::vector<Case> client_cases() {
    const SslOptions insecure = {{"verify_peer", false}};
    const SslOptions no_name = {{"verify_peer_name", false}};
    const SslOptions self_signed = {{"allow_self_signed", true}};
    const auto named = [](const char* name) { return SslOptions{{"peer_name", name}}; };
    const auto depth = [](std::int64_t n) { return SslOptions{{"verify_depth", n}}; };
    const auto level = [](std::int64_t n) { return SslOptions{{"security_level", n}}; };
    const auto trust = [](const char* file) { return SslOptions{{"cafile", Cast::instance().files.path(file)}}; };
    return {
        {"good", "localhost", {}, {}},
        {"good", "127.0.0.1", {}, {}},
        {"good", "localhost", named("a.example"), {}},
        {"good", "localhost", named("A.EXAMPLE."), {}},
        {"good", "localhost", named("x.w.example"), {}},
        {"good", "localhost", named("w.example"), {R"(is not for "w.example")"}},
        {"good", "localhost", named("y.x.w.example"), {R"(is not for "y.x.w.example")"}},
        {"good", "localhost", named("::1"), {}},
        {"good", "localhost", named("::2"), {R"(is not for "::2" but for)"}},
        {"good", "localhost", named(""), {"no name to check", "peer_name", "verify_peer_name"}},
        {"wrong host", "localhost", {}, {R"(CN=leaf)", R"(is not for "localhost" but for "other.example" (ssl option "peer_name"))"}},
        {"wrong host", "localhost", no_name, {}},
        {"wrong host", "localhost", insecure, {}},
        {"cn only", "localhost", {}, {R"(is not for "localhost")", "a common name does not count"}},
        {"cn beside san", "localhost", {}, {R"(but for "other.example")"}},
        {"wrong ip", "127.0.0.1", {}, {R"(is not for "127.0.0.1" but for "localhost", 127.0.0.2)"}},
        {"wrong ip6", "localhost", named("::1"), {R"(is not for "::1" but for "localhost", ::2)"}},
        {"ip6", "localhost", named("::1"), {}},
        {"ip as dns", "127.0.0.1", {}, {"is not for the address 127.0.0.1: ", "(subjectAltName=IP:127.0.0.1)"}},
        {"wide wildcard", "localhost", named("a.example"), {R"(but for "*.example")"}},
        {"expired", "localhost", {}, {R"(expired on 2021-01-01 00:00:00 UTC (ssl option "verify_peer"))"}},
        {"expired", "localhost", insecure, {}},
        {"future", "localhost", {}, {"is not yet valid: it will be on 2048-01-01 00:00:00 UTC"}},
        {"expired wrong host", "localhost", {}, {"expired on", "is not for"}},
        {"self-signed", "localhost", {}, {R"(is self-signed and not trusted (ssl option "allow_self_signed"))"}},
        {"self-signed", "localhost", self_signed, {}},
        {"self-signed", "localhost", insecure, {}},
        {"self-signed", "localhost", trust("self-signed"), {}},
        {"self-signed expired", "localhost", self_signed, {"expired on 2021"}},
        {"self-signed wrong host", "localhost", self_signed, {"is not for"}},
        {"untrusted root", "localhost", {}, {R"(is issued by "CN=Other Root", which is neither trusted nor among)", "cafile"}},
        {"untrusted root", "localhost", self_signed, {R"(is issued by "CN=Other Root")"}},
        {"untrusted root", "localhost", trust("both.pem"), {}},
        {"leaf of leaf",
         "localhost",
         {},
         {R"("CN=leaf" is issued by "CN=plain", which was sent, but did not sign it, or is none that may)"}},
        {"bound authority",
         "localhost",
         trust("bound.pem"),
         {R"(is issued by "CN=Bound", which is among the trusted ones, but cannot be used: it has a critical extension)"}},
        {"namesake", "localhost", {}, {R"(is issued by "CN=Test Root", which is trusted, but did not sign it)", "cafile"}},
        {"no chain", "localhost", {}, {R"(is issued by "CN=Intermediate", which is neither trusted nor among the certificates sent)"}},
        {"chain", "localhost", {}, {}},
        {"chain", "localhost", depth(2), {}},
        {"chain",
         "localhost",
         depth(1),
         {R"(certificate 2 of the chain, "CN=Test Root", makes the chain longer than 1 (ssl option "verify_depth"))"}},
        {"good", "localhost", depth(1), {}},
        {"good", "localhost", depth(0), {"longer than 0"}},
        {"long chain", "localhost", {}, {}},
        {"long chain", "localhost", depth(2), {"longer than 2"}},
        {"long chain", "localhost", depth(3), {}},
        {"expired intermediate", "localhost", {}, {R"(certificate 1 of the chain, "CN=Expired", expired on 2021)"}},
        {"path too long", "localhost", {}, {R"("CN=Below", is issued by "CN=Short")"}},
        {"weak hash", "localhost", {}, {R"(is signed with a weak hash, SHA-1 (ssl option "security_level"))"}},
        {"weak hash", "localhost", level(0), {}},
        {"weak hash", "localhost", level(1), {"weak hash"}},
        {"weak key", "localhost", {}, {R"(has a weak key (RSA, 1024 bits))", "security_level"}},
        {"weak key", "localhost", {{"security_level", 1}, {"crypto_method", "TLSv1.2"}}, {}},  // too short for a signature of 1.3
        {"weak key", "localhost", level(2), {"weak key"}},
        {"rsa", "localhost", {}, {}},
        {"rsa", "localhost", level(2), {}},
        {"rsa", "localhost", level(3), {"weak key"}},
        {"good", "localhost", level(3), {}},
        {"good", "localhost", level(4), {"weak"}},
        {"good", "localhost", level(5), {"weak"}},
        {"p384", "localhost", {}, {}},
        {"sha384", "localhost", {}, {}},
        {"for clients", "localhost", {}, {"handshake_failure (40)"}},  // mbedTLS's server does not show it
        {"for servers", "localhost", {}, {}},
        {"revoked", "localhost", {}, {}},
        {"revoked", "localhost", trust("crl.pem"), {R"(is revoked, says the CRL (ssl option "cafile"))"}},
        {"good", "localhost", trust("crl.pem"), {}},
        {"good", "localhost", pinned("good"), {}},
        {"good", "localhost", pinned("good sha1"), {}},
        {"good",
         "localhost",
         pinned("expired"),
         {R"(has another fingerprint than the one that is pinned (ssl option "peer_fingerprint"))"}},
        {"self-signed", "localhost", pinned("self-signed", insecure), {}},
        {"self-signed", "localhost", pinned("good", insecure), {"peer_fingerprint"}},
        {"self-signed", "localhost", pinned("self-signed"), {"is self-signed"}},
    };
}

}  // namespace

TEST_CASE("wss: a client verifies the server's certificate") {
    const Cast& cast = Cast::instance();
    std::vector<Case> cases = client_cases();
    CHECK(cases.size() >= 40);
    std::stable_sort(cases.begin(), cases.end(),
                     [](const Case& a, const Case& b) { return std::string_view(a.certificate) < b.certificate; });
    std::optional<TlsLoopback> loop;
    std::string serving;
    for (Case& one : cases) {
        if (serving != one.certificate) loop.emplace(SslOptions{{"local_cert", cast.files.path(one.certificate)}});
        serving = one.certificate;
        one.options.try_emplace("cafile", cast.trust);
        std::string options;
        for (const auto& [name, value] : one.options) options += name + " ";
        CAPTURE(one.certificate, one.host, options);
        check_outcome(outcome(*loop, one.host, one.options), one.expected, *loop);
    }
}

TEST_CASE("wss: a server verifies its clients' certificates when it is asked to") {
    const Cast& cast = Cast::instance();
    struct ServerCase {
        const char* certificate;  // the client's, or none
        SslOptions options;       // the server's
        std::vector<std::string> expected;
    };
    const SslOptions verify = {{"verify_peer", true}, {"cafile", cast.trust}};
    const auto with = [&](SslOptions more) {
        more.insert(verify.begin(), verify.end());
        return more;
    };
    const ServerCase cases[] = {
        {nullptr, {}, {}},
        {"untrusted root", {}, {}},
        {nullptr, verify, {"the client sent no certificate, which ssl option \"verify_peer\" asks for"}},
        {"good", verify, {}},
        {"for clients", verify, {}},
        {"chain", verify, {}},
        {"wrong host", verify, {}},
        {"rsa", verify, {}},
        {"for servers", verify, {"is not meant for a client"}},
        {"untrusted root", verify, {R"(the client's certificate "CN=leaf" is issued by "CN=Other Root")", "cafile"}},
        {"self-signed", verify, {"is self-signed and not trusted", "allow_self_signed"}},
        {"self-signed", with({{"allow_self_signed", true}}), {}},
        {"expired", verify, {"expired on 2021-01-01"}},
        {"future", verify, {"is not yet valid"}},
        {"no chain", verify, {"CN=Intermediate"}},
        {"weak hash", verify, {"weak hash"}},
        {"chain", with({{"verify_depth", 1}}), {"verify_depth"}},
        {"revoked", with({{"cafile", cast.files.path("crl.pem")}}), {"is revoked"}},
        {"good", with({{"peer_fingerprint", cast.fingerprints.at("good")}}), {}},
        {"good", with({{"peer_fingerprint", cast.fingerprints.at("rsa")}}), {"peer_fingerprint"}},
        {"self-signed", {{"peer_fingerprint", cast.fingerprints.at("self-signed")}}, {}},
        {"self-signed", {{"peer_fingerprint", cast.fingerprints.at("good")}}, {"peer_fingerprint"}},
        {nullptr, {{"peer_fingerprint", cast.fingerprints.at("good")}}, {"the client showed no certificate", "\"peer_fingerprint\""}},
        {nullptr, {{"peer_fingerprint", cast.fingerprints.at("good")}, {"crypto_method", "TLSv1.2"}}, {"the client showed no certificate"}},
    };
    for (const ServerCase& one : cases) {
        CAPTURE(one.certificate ? one.certificate : "none");
        TlsLoopback loop(one.options);
        SslOptions options = trusting();
        if (one.certificate) options["local_cert"] = cast.files.path(one.certificate);
        const Attempt result = attempt(loop, loop.uri(), options);
        INFO(result.failure());
        CHECK(result.echoed == one.expected.empty());
        loop.until([&] { return !loop.errors.empty() || !loop.endings.empty(); });
        REQUIRE(loop.errors.size() == !one.expected.empty());
        for (const std::string& part : one.expected) {
            INFO(loop.errors[0].what());
            CHECK(loop.errors[0].errc() == Errc::tls_failed);
            CHECK(std::string(loop.errors[0].what()).find(part) != std::string::npos);
            CHECK(result.error->errc() == Errc::tls_failed);
            // The client is told why, though it had said more than the server read. (By TLS 1.3 it has finished before, and
            // mbedTLS encrypts the alert by the handshake's keys.)
            INFO(result.failure());
            CHECK((result.failure().find("alert") != std::string::npos || mbedtls::has_tls13()));
        }
    }
}

TEST_CASE("wss: files that give no trust are refused, naming the option") {
    const Cast& cast = Cast::instance();
    TlsLoopback loop;
    const auto refusal = [&](const SslOptions& options) {
        Client client(loop.reactor, loop.uri(), {.configuration = with_ssl(options)});
        try {
            client.connect();
        } catch (const Error& error) {
            CHECK(error.errc() == Errc::invalid_option);
            return std::string(error.what());
        }
        return std::string();
    };
    const std::string missing = cast.files.path("missing");
    CHECK(refusal({{"cafile", missing}}) == "ssl option \"cafile\": cannot read \"" + missing + "\": No such file or directory");
    CHECK(refusal({{"cafile", cast.files.path("garbage.pem")}}).find("has no certificate that can be read") != std::string::npos);
    CHECK(refusal({{"capath", missing}}).find("ssl option \"capath\": ") == 0);
    CHECK(refusal({{"cafile", cast.trust}, {"local_pk", cast.trust}}).find("without \"local_cert\"") != std::string::npos);
}
