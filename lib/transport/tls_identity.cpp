#include "transport/tls_identity.hpp"

#include <cstddef>
#include <system_error>

#include <hawser/error.hpp>

#include "transport/tls.hpp"
#include "transport/tls_failure.hpp"
#include "types/text.hpp"

namespace hawser::transport {
namespace {

std::string sentence(std::string_view option, const std::string& what) { return "ssl option " + cited(option) + ": " + what; }

FileContent read_file(std::string_view option, const std::string& path) try {
    return FileContent(path);
} catch (const std::system_error& error) {
    reject(option, "cannot read " + cited(path) + ": " + error.code().message());
}

/// Bytes that the chain takes of a handshake's message (RFC 8446, section 4.4.2; RFC 5246, section 7.4.2, has fewer).
std::size_t message_size(const mbedtls_x509_crt& chain) noexcept {
    std::size_t size = 8;
    for (const mbedtls_x509_crt* one = &chain; one; one = one->next) size += 5 + one->raw.len;
    return size;
}

void parse_certificates(const IdentityFiles& files, std::string_view bytes, mbedtls_x509_crt& into) {
    const bool is_pem = bytes.find("-----BEGIN ") != std::string_view::npos;
    const int result = mbedtls_x509_crt_parse(&into, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size() + is_pem);
    if (result != 0)
        reject(files.option, cited(files.certificate) + " is no chain of certificates: " +
                                 (result < 0 ? certificate_failure(result) : std::to_string(result) + " of them cannot be read"));
    if (const std::size_t size = message_size(into); size > MBEDTLS_SSL_OUT_CONTENT_LEN)
        reject(files.option, cited(files.certificate) + " is too long a chain of certificates: they take " + std::to_string(size) +
                                 " bytes in a handshake, and " + mbedtls::library_name() + " sends no more than " +
                                 std::to_string(MBEDTLS_SSL_OUT_CONTENT_LEN));
}

void parse_key(const IdentityFiles& files, std::string_view bytes, mbedtls_pk_context& into) {
    const int result = mbedtls::parse_key(into, bytes, files.passphrase);
    if (result == 0) return;
    const std::string& path = files.key.empty() ? files.certificate : files.key;
    const char* const option = files.key.empty() ? files.option : "local_pk";
    const std::string none = cited(path) + " gives no private key: ";
    if (mbedtls::is_unknown_encryption(result))
        reject(option, none + "it is encrypted in a way that " + mbedtls::library_name() +
                           " does not know, as OpenSSL 3 does by default (PBES2 with AES); one that it knows is made by: openssl pkey "
                           "-traditional -aes256 -in OLD -out NEW");
    // mbedTLS does not always find out: what a wrong password makes of the key may look like one at its beginning.
    if (mbedtls::is_passphrase_failure(result) || bytes.find("ENCRYPTED") != std::string_view::npos)
        throw IdentityMismatch(Errc::invalid_option, sentence("passphrase", none + mbedtls::error_text(result)));
    // Nor does it claim to: the key's option may follow.
    if (files.key.empty() && files.may_change && bytes.find("PRIVATE KEY") == std::string_view::npos)
        throw IdentityMismatch(Errc::invalid_option, sentence(option, none + mbedtls::error_text(result)));
    reject(option, none + mbedtls::error_text(result));
}

/// Number of the certificate that the key belongs to, from 1 on; 0: to none.
std::size_t place_of_pair(const TlsIdentity& identity) noexcept {
    std::size_t place = 1;
    for (const mbedtls_x509_crt* one = identity.certificates.get(); one; one = one->next, ++place)
        if (mbedtls::is_pair(*one, *identity.key.get())) return place;
    return 0;
}

void check_pair(const IdentityFiles& files, const TlsIdentity& identity) {
    const std::size_t place = place_of_pair(identity);
    if (place == 1) return;
    std::string what = "the key in " + cited(files.key.empty() ? files.certificate : files.key) +
                       " does not belong to the first certificate in " + cited(files.certificate);
    if (place != 0) what += " but to number " + std::to_string(place) + ": the chain is in the wrong order";
    const char* const option = files.key.empty() ? files.option : "local_pk";
    if (!files.may_change) reject(option, what);
    throw IdentityMismatch(Errc::invalid_option, sentence(option, what));
}

}  // namespace

void reject(std::string_view option, const std::string& what) { throw Error(Errc::invalid_option, sentence(option, what)); }

std::unique_ptr<TlsIdentity> load_identity(const IdentityFiles& files, std::vector<FileMark>& read) {
    auto identity = std::make_unique<TlsIdentity>();
    const FileContent content = read_file(files.option, files.certificate);
    parse_certificates(files, content.view(), *identity->certificates.get());
    read.emplace_back(files.certificate, content);
    if (files.key.empty()) {
        parse_key(files, content.view(), *identity->key.get());
    } else {
        const FileContent key = read_file("local_pk", files.key);
        parse_key(files, key.view(), *identity->key.get());
        read.emplace_back(files.key, key);
    }
    check_pair(files, *identity);
    return identity;
}

}  // namespace hawser::transport
