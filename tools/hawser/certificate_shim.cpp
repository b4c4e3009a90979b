#include "certificate_shim.hpp"

#include <mbedtls/version.h>
#include <unistd.h>

// From 3.6 on, keys come from PSA, and a serial number is bytes: before, PSA has no way into a mbedtls_pk_context.
#define HAWSER_MBEDTLS_SINCE_3_6 (MBEDTLS_VERSION_NUMBER >= 0x03060000)

#if HAWSER_MBEDTLS_SINCE_3_6
#include <mbedtls/psa_util.h>
#include <psa/crypto.h>
#else
#include <mbedtls/bignum.h>
#include <mbedtls/ecp.h>
#include <mbedtls/rsa.h>
#endif

namespace hawser::command {
namespace {

int random(void*, unsigned char* out, std::size_t size) noexcept { return getentropy(out, size); }

#if HAWSER_MBEDTLS_SINCE_3_6
int make_key(mbedtls_pk_context& key, psa_key_type_t type, psa_algorithm_t algorithm, unsigned bits) noexcept {
    psa_key_attributes_t wish = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&wish, type);
    psa_set_key_algorithm(&wish, algorithm);
    psa_set_key_usage_flags(&wish, PSA_KEY_USAGE_SIGN_HASH | PSA_KEY_USAGE_EXPORT);
    psa_set_key_bits(&wish, bits);
    mbedtls_svc_key_id_t made{};
    psa_status_t status = psa_crypto_init();
    if (status == PSA_SUCCESS) status = psa_generate_key(&wish, &made);
    if (status != PSA_SUCCESS) return status;
    const int result = mbedtls_pk_copy_from_psa(made, &key);
    psa_destroy_key(made);
    return result;
}
#else
struct Number {
    Number() noexcept { mbedtls_mpi_init(&value); }
    ~Number() { mbedtls_mpi_free(&value); }
    Number(const Number&) = delete;
    Number& operator=(const Number&) = delete;
    mbedtls_mpi value;
};
#endif

}  // namespace

int make_ec_key(mbedtls_pk_context& key, unsigned bits) noexcept {
#if HAWSER_MBEDTLS_SINCE_3_6
    return make_key(key, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1), PSA_ALG_ECDSA(PSA_ALG_ANY_HASH), bits);
#else
    if (const int result = mbedtls_pk_setup(&key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)); result != 0) return result;
    return mbedtls_ecp_gen_key(bits == 256 ? MBEDTLS_ECP_DP_SECP256R1 : MBEDTLS_ECP_DP_SECP384R1, mbedtls_pk_ec(key), random, nullptr);
#endif
}

int make_rsa_key(mbedtls_pk_context& key, unsigned bits) noexcept {
#if HAWSER_MBEDTLS_SINCE_3_6
    return make_key(key, PSA_KEY_TYPE_RSA_KEY_PAIR, PSA_ALG_RSA_PKCS1V15_SIGN(PSA_ALG_ANY_HASH), bits);
#else
    if (const int result = mbedtls_pk_setup(&key, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA)); result != 0) return result;
    return mbedtls_rsa_gen_key(mbedtls_pk_rsa(key), random, nullptr, bits, 65537);
#endif
}

int set_serial(mbedtls_x509write_cert& certificate, std::string serial) noexcept {
    auto* const bytes = reinterpret_cast<unsigned char*>(serial.data());
#if HAWSER_MBEDTLS_SINCE_3_6
    return mbedtls_x509write_crt_set_serial_raw(&certificate, bytes, serial.size());
#else
    Number number;
    if (const int result = mbedtls_mpi_read_binary(&number.value, bytes, serial.size()); result != 0) return result;
    return mbedtls_x509write_crt_set_serial(&certificate, &number.value);
#endif
}

int write_der(mbedtls_x509write_cert& certificate, unsigned char* buffer, std::size_t size) noexcept {
    return mbedtls_x509write_crt_der(&certificate, buffer, size, random, nullptr);
}

int sign(mbedtls_pk_context& key, const unsigned char* digest, unsigned char* signature, [[maybe_unused]] std::size_t size,
         std::size_t& written) noexcept {
    constexpr std::size_t digest_size = 32;
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_pk_sign(&key, MBEDTLS_MD_SHA256, digest, digest_size, signature, size, &written, random, nullptr);
#else
    return mbedtls_pk_sign(&key, MBEDTLS_MD_SHA256, digest, digest_size, signature, &written, random, nullptr);
#endif
}

}  // namespace hawser::command
