#include "transport/tls_capture.hpp"

#include <mbedtls/pem.h>

namespace hawser::transport {

std::string pem_of(const mbedtls_x509_crt& certificate) {
    constexpr const char* header = "-----BEGIN CERTIFICATE-----\n";
    constexpr const char* footer = "-----END CERTIFICATE-----\n";
    // Four letters for three bytes, a line end behind each 64, the two lines around, and a NUL.
    std::string pem(certificate.raw.len * 3 / 2 + 128, '\0');
    std::size_t size = 0;
    const int result = mbedtls_pem_write_buffer(header, footer, certificate.raw.p, certificate.raw.len,
                                                reinterpret_cast<unsigned char*>(pem.data()), pem.size(), &size);
    pem.resize(result == 0 ? size - 1 : 0);
    return pem;
}

TlsInfo describe(const mbedtls_ssl_context& ssl, const TlsSettings& settings) {
    TlsInfo info;
    info.version = mbedtls_ssl_get_version(&ssl);
    info.cipher = mbedtls_ssl_get_ciphersuite(&ssl);
    if (const char* protocol = mbedtls_ssl_get_alpn_protocol(&ssl)) info.alpn_protocol = protocol;
    const mbedtls_x509_crt* certificate = mbedtls_ssl_get_peer_cert(&ssl);
    if (!certificate || !settings.keep_certificate) return info;
    info.peer_certificate = pem_of(*certificate);
    for (const auto* one = certificate; one && settings.keep_chain; one = one->next) info.peer_certificate_chain.push_back(pem_of(*one));
    return info;
}

}  // namespace hawser::transport
