#include "transport/tls_capture.hpp"

#include "support/catch.hpp"
#include "support/certificates.hpp"

using namespace hawser::transport;

TEST_CASE("tls capture: a certificate is written as the PEM that it was read from") {
    const std::string pem = support::make_certificate({.dns = {"a.example"}}).pem;
    mbedtls::Certificates parsed;
    REQUIRE(mbedtls_x509_crt_parse(parsed.get(), reinterpret_cast<const unsigned char*>(pem.c_str()), pem.size() + 1) == 0);
    CHECK(pem_of(*parsed.get()) == pem);
}
