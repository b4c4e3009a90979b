#include "transport/mbedtls_shim.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>

#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/child.hpp"

namespace mbedtls = hawser::transport::mbedtls;

TEST_CASE("mbedtls shim: the library has a name, and starts more than once") {
    CHECK(mbedtls::library_name().starts_with("mbedTLS "));
    mbedtls::initialize();
    mbedtls::initialize();
}

TEST_CASE("mbedtls shim: randomness of any length, never the same") {
    std::array<unsigned char, 600> first{}, second{};
    CHECK(mbedtls::random(nullptr, first.data(), first.size()) == 0);
    CHECK(mbedtls::random(nullptr, second.data(), second.size()) == 0);
    CHECK(first != second);
    CHECK(std::count(first.begin() + 512, first.end(), 0) < 20);
    CHECK(mbedtls::random(nullptr, nullptr, 0) == 0);
}

TEST_CASE("mbedtls shim: a child draws other numbers than its parent") {
    std::array<unsigned char, 32> own{}, of_child{};
    std::array<int, 2> ends{};
    REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
    const int status = support::status_of_child(
        [&] { return mbedtls::random(nullptr, own.data(), own.size()) == 0 && write(ends[1], own.data(), own.size()) == 32 ? 0 : 1; });
    CHECK(status == 0);
    CHECK(mbedtls::random(nullptr, own.data(), own.size()) == 0);
    CHECK(read(ends[0], of_child.data(), of_child.size()) == 32);
    CHECK(own != of_child);
    close(ends[0]);
    close(ends[1]);
}

TEST_CASE("mbedtls shim: a key is read, and told to belong to its certificate") {
    const support::Certificate made = support::make_certificate({}), other = support::make_certificate({});
    mbedtls::PrivateKey key, foreign, none;
    mbedtls::Certificates certificate;
    REQUIRE(mbedtls::parse_key(*key.get(), made.key, "") == 0);
    REQUIRE(mbedtls::parse_key(*foreign.get(), other.key, "") == 0);
    CHECK(mbedtls::parse_key(*none.get(), "nothing", "") != 0);
    REQUIRE(mbedtls_x509_crt_parse(certificate.get(), reinterpret_cast<const unsigned char*>(made.pem.c_str()), made.pem.size() + 1) == 0);
    CHECK(mbedtls::is_pair(*certificate.get(), *key.get()));
    CHECK_FALSE(mbedtls::is_pair(*certificate.get(), *foreign.get()));
    CHECK(mbedtls::signature_hash(*certificate.get()) == "SHA-256");
    CHECK(mbedtls::key_text(*certificate.get()) == "EC, 256 bits");
}

TEST_CASE("mbedtls shim: errors have texts without the library's prefix") {
    CHECK(mbedtls::error_text(MBEDTLS_ERR_SSL_ALLOC_FAILED) == "Memory allocation failed");
    CHECK_FALSE(mbedtls::is_new_ticket(MBEDTLS_ERR_SSL_WANT_READ));
    CHECK(mbedtls::mismatch_of(0) == mbedtls::Mismatch::none);
    CHECK(mbedtls::mismatch_of(MBEDTLS_ERR_SSL_PRIVATE_KEY_REQUIRED) == mbedtls::Mismatch::certificate);
}
