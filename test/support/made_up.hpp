#pragma once

#include <string>
#include <vector>

#include "support/catch.hpp"
#include "transport/mbedtls_shim.hpp"
#include "transport/tls_capture.hpp"

namespace support {

namespace mbedtls = hawser::transport::mbedtls;

/// ASN.1 (X.690): tag, length and content.
inline std::string der(unsigned tag, const std::string& content) {
    std::string out(1, static_cast<char>(tag));
    if (content.size() >= 256) {
        out += '\x82';
        out += static_cast<char>(content.size() >> 8);
    } else if (content.size() >= 128) {
        out += '\x81';
    }
    return out + static_cast<char>(content.size() & 0xFF) + content;
}

/// An RSA key of so many bits (multiples of 8) that nobody has the private one of.
inline std::string made_up_rsa(std::size_t bits, std::size_t exponent_bits = 17) {
    using namespace std::string_literals;
    std::string exponent((exponent_bits + 7) / 8, '\xff');
    exponent[0] = static_cast<char>(0xFF >> (exponent.size() * 8 - exponent_bits));
    const std::string modulus = "\0"s + std::string(bits / 8, '\xfd');
    const std::string key = der(0x30, der(0x02, modulus) + der(0x02, "\0"s + exponent));
    return der(0x30, "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"s + der(0x03, "\0"s + key));
}

inline std::string made_up_ec(mbedtls_ecp_group_id curve) {
    mbedtls::initialize();
    mbedtls::PrivateKey key;
    REQUIRE(mbedtls_pk_setup(key.get(), mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) == 0);
    REQUIRE(mbedtls_ecp_gen_key(curve, mbedtls_pk_ec(*key.get()), mbedtls::random, nullptr) == 0);
    std::string bytes(512, '\0');
    auto* const begin = reinterpret_cast<unsigned char*>(bytes.data());
    const int size = mbedtls_pk_write_pubkey_der(key.get(), begin, bytes.size());
    REQUIRE(size > 0);
    return bytes.substr(bytes.size() - static_cast<std::size_t>(size));
}

/// The public key of a certificate, as the functions above make them.
inline std::string key_of(const std::string& pem) {
    mbedtls::Certificates parsed;
    REQUIRE(mbedtls_x509_crt_parse(parsed.get(), reinterpret_cast<const unsigned char*>(pem.c_str()), pem.size() + 1) == 0);
    return std::string(mbedtls::view(parsed.get()->pk_raw));
}

/// An authority's certificate with a signature that is none, as DER.
inline std::string made_up_certificate(const std::string& subject, const std::string& issuer, const std::string& key,
                                       bool is_expired = false, bool is_ca = true) {
    using namespace std::string_literals;
    const auto name = [](const std::string& text) { return der(0x30, der(0x31, der(0x30, "\x06\x03\x55\x04\x03"s + der(0x0c, text)))); };
    const std::string algorithm = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"s;  // ecdsa-with-SHA256
    const std::string time = der(0x30, der(0x17, "200101000000Z") + der(0x17, is_expired ? "210101000000Z" : "450101000000Z"));
    const std::string constraints =
        der(0xa3, der(0x30, der(0x30, "\x06\x03\x55\x1d\x13\x01\x01\xff"s + der(0x04, der(0x30, "\x01\x01\xff"s)))));
    const std::string signed_part = der(0x30, "\xa0\x03\x02\x01\x02\x02\x01\x07"s + algorithm + name(issuer) + time + name(subject) + key +
                                                  (is_ca ? constraints : std::string()));
    const std::string number = der(0x02, std::string(32, '\x33'));
    return der(0x30, signed_part + algorithm + der(0x03, "\0"s + der(0x30, number + number)));
}

inline std::string as_pem(const std::vector<std::string>& certificates) {
    std::string pem;
    for (const std::string& bytes : certificates) {
        mbedtls::Certificates one;
        REQUIRE(mbedtls_x509_crt_parse_der(one.get(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) == 0);
        pem += hawser::transport::pem_of(*one.get());
    }
    return pem;
}

}  // namespace support
