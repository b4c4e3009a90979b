#include "transport/peer_name.hpp"

#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "transport/mbedtls_shim.hpp"

using namespace hawser::transport;

namespace {

struct Parsed {
    explicit Parsed(const support::CertificateWish& wish) {
        const std::string pem = support::make_certificate(wish).pem;
        REQUIRE(mbedtls_x509_crt_parse(crt.get(), reinterpret_cast<const unsigned char*>(pem.c_str()), pem.size() + 1) == 0);
    }
    bool is_for(std::string_view name) const { return hawser::transport::is_for(*crt.get(), name); }
    mbedtls::Certificates crt;
};

}  // namespace

TEST_CASE("peer name: a host is compared without case, whole, and with or without the root's dot") {
    CHECK(matches_host("a.example", "a.example"));
    CHECK(matches_host("A.Example", "a.eXample"));
    CHECK(matches_host("a.example", "a.example."));
    CHECK_FALSE(matches_host("a.example", "b.a.example"));
    CHECK_FALSE(matches_host("a.example", "a.exampl"));
    CHECK_FALSE(matches_host("a.example", ""));
    CHECK_FALSE(matches_host("", ""));
    CHECK_FALSE(matches_host("", "."));
    CHECK_FALSE(matches_host(std::string_view("a.example\0.b", 12), "a.example"));
}

TEST_CASE("peer name: one dot of the root is left out") {
    CHECK(without_root("a.example.") == "a.example");
    CHECK(without_root("a.example") == "a.example");
    CHECK(without_root("a..") == "a.");
    CHECK(without_root(".").empty());
    CHECK(without_root("").empty());
}

TEST_CASE("peer name: a wildcard is the whole leftmost label and stands for one") {
    CHECK(matches_host("*.b.example", "a.b.example"));
    CHECK(matches_host("*.b.example", "A.B.EXAMPLE."));
    CHECK_FALSE(matches_host("*.b.example", "b.example"));
    CHECK_FALSE(matches_host("*.b.example", ".b.example"));
    CHECK_FALSE(matches_host("*.b.example", "x.a.b.example"));
    CHECK_FALSE(matches_host("*.example", "a.example"));
    CHECK_FALSE(matches_host("*.example.", "a.example."));
    CHECK_FALSE(matches_host("*.", "a."));
    CHECK_FALSE(matches_host("*", "a"));
    CHECK_FALSE(matches_host("a*.b.example", "ab.b.example"));
    CHECK_FALSE(matches_host("a.*.example", "a.b.example"));
    CHECK_FALSE(matches_host("*.*.example", "a.b.example"));
}

TEST_CASE("peer name: an address is compared with iPAddress entries alone") {
    const Parsed both({.common_name = "cn.example", .dns = {"127.0.0.2", "a.example"}, .ip = {"127.0.0.1", "::1"}});
    CHECK(both.is_for("127.0.0.1"));
    CHECK(both.is_for("::1"));
    CHECK(both.is_for("0:0:0:0:0:0:0:1"));
    CHECK(both.is_for("a.example"));
    CHECK_FALSE(both.is_for("127.0.0.2"));
    CHECK_FALSE(both.is_for("127.0.0.3"));
    CHECK_FALSE(both.is_for("::2"));
    CHECK_FALSE(both.is_for("cn.example"));
    CHECK(names_of(*both.crt.get()) == R"("127.0.0.2", "a.example", 127.0.0.1, ::1)");
}

TEST_CASE("peer name: a common name is of no account") {
    const Parsed alone({.common_name = "localhost"});
    CHECK_FALSE(alone.is_for("localhost"));
    CHECK(names_of(*alone.crt.get()) == "no name at all (a common name does not count: it needs a subjectAltName)");
}

TEST_CASE("peer name: a long list of names is cut in errors") {
    const Parsed many({.dns = {"a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "a10"}});
    CHECK(many.is_for("a10"));
    CHECK(names_of(*many.crt.get()) == R"("a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8" and 2 more)");
}

TEST_CASE("peer name: literals are told from names") {
    for (const char* name : {"1.2.3.4", "::1", "fe80::1%eth0"}) CHECK(is_ip_literal(name));
    for (const char* name : {"", "a", "1.2.3", "1.2.3.4.", "[::1]"}) CHECK_FALSE(is_ip_literal(name));
}
