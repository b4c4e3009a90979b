#include "transport/tls_identity.hpp"

#include <mbedtls/asn1.h>

#include <algorithm>
#include <cstddef>
#include <system_error>

#include <hawser/error.hpp>

#include "transport/tls.hpp"
#include "transport/tls_failure.hpp"
#include "transport/tls_verify.hpp"
#include "types/base64.hpp"
#include "types/text.hpp"

namespace hawser::transport {
namespace {

std::string sentence(std::string_view option, const std::string& what) { return "ssl option " + cited(option) + ": " + what; }

FileContent read_file(std::string_view option, const std::string& path) try {
    return FileContent(path);
} catch (const std::system_error& error) {
    reject(option, "cannot read " + cited(path) + ": " + error.code().message());
}

bool is_armoured(std::string_view bytes) noexcept { return bytes.find("-----BEGIN ") != std::string_view::npos; }

/// Bytes that the chain takes of a handshake's message (RFC 8446, section 4.4.2; RFC 5246, section 7.4.2, has fewer).
std::size_t message_size(const mbedtls_x509_crt& chain) noexcept {
    std::size_t size = 8;
    for (const mbedtls_x509_crt* one = &chain; one; one = one->next) size += 5 + one->raw.len;
    return size;
}

/// A certificate in its chain.
struct Link {
    const mbedtls_x509_crt* certificate;
    std::size_t number;  // from 1 on
};

/// Where the issuer of the path's last is: behind it, or else before it. Without a certificate when it is not in the chain, or on the path,
/// as where two authorities have certified each other.
Link find_issuer(const std::vector<Link>& path, const mbedtls_x509_crt& chain) {
    const auto is_on_path = [&](std::size_t number) {
        return std::any_of(path.begin(), path.end(), [&](const Link& one) { return one.number == number; });
    };
    Link found{nullptr, 0};
    std::size_t number = 1;
    for (const mbedtls_x509_crt* one = &chain; one; one = one->next, ++number) {
        if (is_on_path(number) || mbedtls::view(one->subject_raw) != mbedtls::view(path.back().certificate->issuer_raw)) continue;
        found = {one, number};
        if (number > path.back().number) break;
    }
    return found;
}

/// Follows the issuers of the first certificate: none may stand before what it has issued (RFC 5246, section 7.4.2).
void check_order(const IdentityFiles& files, const mbedtls_x509_crt& chain) {
    std::vector<Link> path = {{&chain, 1}};
    while (!is_self_issued(*path.back().certificate)) {
        const Link here = path.back(), issuer = find_issuer(path, chain);
        if (!issuer.certificate) return;
        if (issuer.number < here.number)
            reject(files.option, "certificate " + std::to_string(here.number) + " in " + cited(files.certificate) + ", " +
                                     distinguished_name(here.certificate->subject) + ", is issued by number " +
                                     std::to_string(issuer.number) +
                                     ": the chain is in the wrong order, each certificate comes before its issuer's");
        path.push_back(issuer);
    }
}

void parse_certificates(const IdentityFiles& files, std::string_view bytes, mbedtls_x509_crt& into) {
    if (bytes.empty()) reject(files.option, cited(files.certificate) + " is empty");
    const bool is_pem = is_armoured(bytes);
    const int result = mbedtls_x509_crt_parse(&into, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size() + is_pem);
    const bool has_none = is_pem && bytes.find(" CERTIFICATE-----") == std::string_view::npos;
    if (result != 0)
        reject(files.option, cited(files.certificate) + " is no chain of certificates: " +
                                 (has_none     ? "it has none"
                                  : result < 0 ? certificate_failure(result)
                                               : std::to_string(result) + " of them cannot be read"));
    if (const std::size_t size = message_size(into); size > MBEDTLS_SSL_OUT_CONTENT_LEN)
        reject(files.option, cited(files.certificate) + " is too long a chain of certificates: they take " + std::to_string(size) +
                                 " bytes in a handshake, and " + mbedtls::library_name() + " sends no more than " +
                                 std::to_string(MBEDTLS_SSL_OUT_CONTENT_LEN));
}

/// EncryptedPrivateKeyInfo (RFC 5958, section 3) without armour. What is not encrypted begins with a number, a certificate with a sequence.
bool is_encrypted_der(std::string_view bytes) noexcept {
    constexpr int sequence = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE;
    auto* at = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(bytes.data()));  // it is only read
    const unsigned char* const end = at + bytes.size();
    std::size_t size = 0;
    const auto enters = [&](int tag) { return mbedtls_asn1_get_tag(&at, end, &size, tag) == 0; };
    if (!enters(sequence) || !enters(sequence)) return false;
    unsigned char* const behind = at + size;
    if (!enters(MBEDTLS_ASN1_OID)) return false;
    at = behind;
    return enters(MBEDTLS_ASN1_OCTET_STRING);
}

/// Whether mbedTLS cannot decrypt the key by any passphrase. `result`: what it said of this one, which may be missing.
bool is_beyond_decryption(std::string_view key, int result, const std::string& passphrase) {
    if (!passphrase.empty()) return mbedtls::is_unknown_encryption(result);
    mbedtls::PrivateKey unused;
    return mbedtls::is_unknown_encryption(mbedtls::parse_key(*unused.get(), key, "any"));
}

[[noreturn]] void reject_encrypted_key(const std::string& none, int result, const IdentityFiles& files) {
    if (files.passphrase.empty())
        throw IdentityMismatch(Errc::invalid_option, sentence("passphrase", none + "it is encrypted, and there is no passphrase for it"));
    // mbedTLS does not always find out: what a wrong one makes of the key may look like one at its beginning.
    throw IdentityMismatch(Errc::invalid_option, sentence("passphrase", none + "it is encrypted, and this is not its passphrase (" +
                                                                            mbedtls::error_text(result) + ")"));
}

[[noreturn]] void reject_key(const IdentityFiles& files, std::string_view bytes, int result) {
    const std::string& path = files.key.empty() ? files.certificate : files.key;
    const char* const option = files.key.empty() ? files.option : "local_pk";
    const std::string none = cited(path) + " gives no private key: ";
    const bool is_encrypted = bytes.find("ENCRYPTED") != std::string_view::npos;
    if (is_encrypted && is_beyond_decryption(bytes, result, files.passphrase))
        reject(option, none + "it is encrypted in a way that " + mbedtls::library_name() +
                           " does not know, as OpenSSL 3 does by default (PBES2 with AES); one that it knows is made by: openssl pkey "
                           "-traditional -aes256 -in OLD -out NEW");
    // What mbedTLS does not know of the key itself shows only once that is decrypted.
    if (is_encrypted && mbedtls::certificate_fault(result) != mbedtls::CertificateFault::algorithm)
        reject_encrypted_key(none, result, files);
    if (bytes.find("OPENSSH PRIVATE KEY") != std::string_view::npos)
        reject(option, none + "it is in OpenSSH's own format; one that is read is made of it by: ssh-keygen -p -m PEM -f KEY");
    if (!is_armoured(bytes) || bytes.find("PRIVATE KEY") != std::string_view::npos) reject(option, none + mbedtls::error_text(result));
    if (!files.key.empty()) reject(option, none + "it has none");
    // The key's option may follow.
    const std::string alone = none + "it has certificates alone";
    if (!files.may_change) reject(option, alone);
    throw IdentityMismatch(Errc::invalid_option, sentence(option, alone + ", so ssl option \"local_pk\" has to name the key"));
}

void parse_key(const IdentityFiles& files, std::string_view bytes, mbedtls_pk_context& into) {
    if (bytes.empty()) reject("local_pk", cited(files.key) + " is empty");
    std::string armoured;
    // Without armour mbedTLS does not say why it cannot decrypt a key.
    if (is_encrypted_der(bytes))
        armoured = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + base64_encode(bytes) + "\n-----END ENCRYPTED PRIVATE KEY-----\n";
    const std::string_view key = armoured.empty() ? bytes : std::string_view(armoured);
    if (const int result = mbedtls::parse_key(into, key, files.passphrase); result != 0) reject_key(files, key, result);
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
    check_order(files, *identity->certificates.get());
    return identity;
}

}  // namespace hawser::transport
