#include "support/certificates.hpp"

#include <arpa/inet.h>
#include <mbedtls/oid.h>
#include <mbedtls/pem.h>

#include <array>
#include <fstream>
#include <stdexcept>

#include "certificate_shim.hpp"
#include "transport/mbedtls_shim.hpp"
#include "transport/tls_verify.hpp"
#include "types/base64.hpp"

namespace support {
namespace {

namespace mbedtls = hawser::transport::mbedtls;
namespace command = hawser::command;
using Writer = mbedtls::Owned<mbedtls_x509write_cert, mbedtls_x509write_crt_init, mbedtls_x509write_crt_free>;

void require(int result, const char* what) {
    if (result < 0) throw std::runtime_error(std::string(what) + ": " + mbedtls::error_text(result));
}

std::string as_text(const unsigned char* bytes, std::size_t size) { return {reinterpret_cast<const char*>(bytes), size}; }
const unsigned char* bytes_of(const std::string& text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string der(unsigned tag, const std::string& content) {
    std::string out(1, static_cast<char>(tag));
    if (content.size() >= 256) {
        out += '\x82';
        out += static_cast<char>(content.size() >> 8);
    } else if (content.size() >= 128) {
        out += '\x81';
    }
    out += static_cast<char>(content.size() & 0xFF);
    return out + content;
}

void make_key(mbedtls_pk_context& key, KeyType type) {
    switch (type) {
        case KeyType::p256: return require(command::make_ec_key(key, 256), "ec_key");
        case KeyType::p384: return require(command::make_ec_key(key, 384), "ec_key");
        case KeyType::rsa1024: return require(command::make_rsa_key(key, 1024), "rsa_key");
        case KeyType::rsa2048: return require(command::make_rsa_key(key, 2048), "rsa_key");
    }
}

std::string alternative_names(const CertificateWish& wish) {
    std::string names;
    for (const std::string& name : wish.dns) names += der(0x82, name);
    for (const std::string& text : wish.ip) {
        std::array<char, 16> bytes{};
        const bool is_v4 = inet_pton(AF_INET, text.c_str(), bytes.data()) == 1;
        if (!is_v4 && inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) throw std::runtime_error("no address: " + text);
        names += der(0x87, {bytes.data(), is_v4 ? 4U : 16U});
    }
    return der(0x30, names);
}

void set_extension(Writer& writer, const char* oid, std::size_t oid_size, const std::string& value, int is_critical = 0) {
    require(mbedtls_x509write_crt_set_extension(writer.get(), oid, oid_size, is_critical, bytes_of(value), value.size()), "set_extension");
}

void set_extensions(Writer& writer, const CertificateWish& wish) {
    require(mbedtls_x509write_crt_set_basic_constraints(writer.get(), wish.is_ca, wish.path_length), "basic_constraints");
    if (wish.key_usage != 0) require(mbedtls_x509write_crt_set_key_usage(writer.get(), wish.key_usage), "key_usage");
    if (!wish.dns.empty() || !wish.ip.empty())
        set_extension(writer, MBEDTLS_OID_SUBJECT_ALT_NAME, MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), alternative_names(wish));
    if (!wish.permitted_host.empty())  // RFC 5280, section 4.2.1.10
        set_extension(writer, MBEDTLS_OID_NAME_CONSTRAINTS, MBEDTLS_OID_SIZE(MBEDTLS_OID_NAME_CONSTRAINTS),
                      der(0x30, der(0xa0, der(0x30, der(0x82, wish.permitted_host)))), 1);
    if (wish.purpose.empty()) return;
    const std::string oid = wish.purpose == "server" ? MBEDTLS_OID_SERVER_AUTH : MBEDTLS_OID_CLIENT_AUTH;
    set_extension(writer, MBEDTLS_OID_EXTENDED_KEY_USAGE, MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE), der(0x30, der(0x06, oid)));
}

std::string as_pem(const std::string& label, const unsigned char* bytes, std::size_t size) {
    std::array<unsigned char, 8192> buffer{};
    std::size_t written = 0;
    const std::string begin = "-----BEGIN " + label + "-----\n", end = "-----END " + label + "-----\n";
    require(mbedtls_pem_write_buffer(begin.c_str(), end.c_str(), bytes, size, buffer.data(), buffer.size(), &written), label.c_str());
    return reinterpret_cast<const char*>(buffer.data());
}

}  // namespace

Certificate make_certificate(const CertificateWish& wish, const Certificate* issuer) {
    mbedtls::initialize();
    Certificate made;
    made.subject = "CN=" + wish.common_name;
    mbedtls::PrivateKey key, issuer_key;
    make_key(*key.get(), wish.key);
    if (issuer) require(mbedtls::parse_key(*issuer_key.get(), issuer->key, ""), "parse_key");
    Writer writer;
    mbedtls_x509write_crt_set_version(writer.get(), MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(writer.get(), wish.hash);
    mbedtls_x509write_crt_set_subject_key(writer.get(), key.get());
    mbedtls_x509write_crt_set_issuer_key(writer.get(), issuer ? issuer_key.get() : key.get());
    require(mbedtls_x509write_crt_set_subject_name(writer.get(), made.subject.c_str()), "subject");
    require(mbedtls_x509write_crt_set_issuer_name(writer.get(), issuer ? issuer->subject.c_str() : made.subject.c_str()), "issuer");
    require(mbedtls_x509write_crt_set_validity(writer.get(), wish.not_before.c_str(), wish.not_after.c_str()), "validity");
    require(command::set_serial(*writer.get(), wish.serial), "set_serial");
    set_extensions(writer, wish);
    std::array<unsigned char, 8192> buffer{};
    const int size = command::write_der(*writer.get(), buffer.data(), buffer.size());
    require(size, "crt_der");
    made.pem = as_pem("CERTIFICATE", buffer.data() + buffer.size() - size, static_cast<std::size_t>(size));
    require(mbedtls_pk_write_key_pem(key.get(), buffer.data(), buffer.size()), "key_pem");
    made.key = reinterpret_cast<const char*>(buffer.data());
    return made;
}

Certificate with_unknown_signature(const Certificate& certificate) {
    mbedtls::Certificates parsed;
    require(mbedtls_x509_crt_parse(parsed.get(), bytes_of(certificate.pem), certificate.pem.size() + 1), "crt_parse");
    std::string bytes(mbedtls::view(parsed.get()->raw));
    const std::string known = MBEDTLS_OID_ECDSA_SHA256;
    for (std::size_t at = bytes.find(known); at != std::string::npos; at = bytes.find(known, at)) bytes[at + known.size() - 1] = '\x7f';
    Certificate changed = certificate;
    changed.pem = as_pem("CERTIFICATE", bytes_of(bytes), bytes.size());
    return changed;
}

std::string der_of_pem(const std::string& pem) {
    std::string base64 = pem.substr(pem.find('\n'), pem.find("-----END") - pem.find('\n')), bytes;
    std::erase(base64, '\n');
    if (!hawser::base64_decode(base64, bytes)) throw std::runtime_error("no PEM");
    return bytes;
}

Certificate make_authority(const std::string& name, const Certificate* issuer) {
    return make_certificate({.common_name = name, .is_ca = true}, issuer);
}

// mbedTLS reads CRLs, and writes none (RFC 5280, section 5.1).
std::string make_crl(const Certificate& issuer, const std::vector<unsigned char>& serials) {
    constexpr const char* ecdsa_with_sha256 = "\x2a\x86\x48\xce\x3d\x04\x03\x02";
    const std::string algorithm = der(0x30, der(0x06, ecdsa_with_sha256));
    const std::string common_name = der(0x30, der(0x06, MBEDTLS_OID_AT_CN) + der(0x0c, issuer.subject.substr(3)));
    std::string revoked;
    for (const unsigned char serial : serials) revoked += der(0x30, der(0x02, as_text(&serial, 1)) + der(0x17, "210101000000Z"));
    const std::string list = der(0x30, der(0x02, "\x01") + algorithm + der(0x30, der(0x31, common_name)) + der(0x17, "200101000000Z") +
                                           der(0x17, "491231235959Z") + der(0x30, revoked));
    mbedtls::PrivateKey key;
    require(mbedtls::parse_key(*key.get(), issuer.key, ""), "parse_key");
    std::array<unsigned char, 32> digest{};
    require(mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), bytes_of(list), list.size(), digest.data()), "md");
    std::array<unsigned char, 256> signature{};
    std::size_t size = 0;
    require(command::sign(*key.get(), digest.data(), signature.data(), signature.size(), size), "sign");
    const std::string crl = der(0x30, list + algorithm + der(0x03, std::string(1, '\0') + as_text(signature.data(), size)));
    return as_pem("X509 CRL", bytes_of(crl), crl.size());
}

std::string hex_fingerprint(const Certificate& certificate, mbedtls_md_type_t hash) {
    mbedtls::Certificates parsed;
    require(mbedtls_x509_crt_parse(parsed.get(), bytes_of(certificate.pem), certificate.pem.size() + 1), "crt_parse");
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (const char c : hawser::transport::fingerprint(*parsed.get(), hash)) {
        hex += digits[static_cast<unsigned char>(c) >> 4];
        hex += digits[static_cast<unsigned char>(c) & 15];
    }
    return hex;
}

std::string Files::write(const std::string& name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
}

Authority::Authority()
    : root(make_authority("Test Root")),
      leaf(make_certificate({.common_name = "localhost", .dns = {"localhost"}, .ip = {"127.0.0.1", "::1"}}, &root)),
      root_file(files.write("root.pem", root.pem)),
      leaf_file(files.write("leaf.pem", leaf.pem)),
      key_file(files.write("leaf.key", leaf.key)) {}

const Authority& Authority::instance() {
    static const Authority authority;
    return authority;
}

}  // namespace support
