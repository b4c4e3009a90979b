#include "self_signed.hpp"

#include <arpa/inet.h>
#include <mbedtls/md.h>
#include <mbedtls/oid.h>
#include <mbedtls/pem.h>
#include <mbedtls/platform_util.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "certificate_shim.hpp"

namespace hawser::command {

namespace {

constexpr std::time_t hour = 3600;
constexpr std::time_t lifetime = 100 * 24 * hour;

/// One of mbedTLS's structures.
template <typename T, auto Initialize, auto Release>
struct Owned {
    Owned() { Initialize(&value); }
    ~Owned() { Release(&value); }
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;
    T value;
};

int require(int result) {
    if (result < 0) throw std::runtime_error("cannot make a certificate: mbedTLS fails with " + std::to_string(result));
    return result;
}

std::string utc(std::time_t time) {
    std::tm parts{};
    gmtime_r(&time, &parts);
    std::array<char, 16> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y%m%d%H%M%S", &parts)};
}

/// A number above 0 with nothing to guess (RFC 5280, section 4.1.2.2).
std::string serial_number() {
    std::string bytes(15, '\0');
    require(getentropy(bytes.data(), bytes.size()));
    bytes[0] = static_cast<char>((bytes[0] & 0x3F) | 0x40);
    return bytes;
}

/// An element of DER (X.690) with a length below 65536.
std::string element(unsigned char tag, std::string_view content) {
    std::string out(1, static_cast<char>(tag));
    if (content.size() >= 128) {
        out += '\x82';
        out += static_cast<char>(content.size() >> 8);
    }
    out += static_cast<char>(content.size() & 0xFF);
    return out.append(content);
}

/// A subjectAltName (RFC 5280, section 4.2.1.6): mbedTLS 2.28 writes none.
std::string alternative_names(const std::vector<std::string>& names) {
    constexpr unsigned char sequence = 0x30, dns_name = 0x82, ip_address = 0x87;
    std::string all;
    for (const std::string& name : names) {
        std::array<char, 16> address{};
        if (inet_pton(AF_INET, name.c_str(), address.data()) == 1)
            all += element(ip_address, {address.data(), 4});
        else if (inet_pton(AF_INET6, name.c_str(), address.data()) == 1)
            all += element(ip_address, {address.data(), 16});
        else
            all += element(dns_name, name);
    }
    return element(sequence, all);
}

void fill_in(mbedtls_x509write_cert& certificate, mbedtls_pk_context& key, const std::vector<std::string>& names) {
    mbedtls_x509write_crt_set_subject_key(&certificate, &key);
    mbedtls_x509write_crt_set_issuer_key(&certificate, &key);
    mbedtls_x509write_crt_set_md_alg(&certificate, MBEDTLS_MD_SHA256);
    require(mbedtls_x509write_crt_set_subject_name(&certificate, "CN=hawser"));
    require(mbedtls_x509write_crt_set_issuer_name(&certificate, "CN=hawser"));
    // A peer's clock may be behind.
    const std::time_t now = std::time(nullptr);
    require(mbedtls_x509write_crt_set_validity(&certificate, utc(now - hour).c_str(), utc(now + lifetime).c_str()));
    require(set_serial(certificate, serial_number()));
    require(mbedtls_x509write_crt_set_basic_constraints(&certificate, 0, -1));
    const std::string alternatives = alternative_names(names);
    require(mbedtls_x509write_crt_set_extension(&certificate, MBEDTLS_OID_SUBJECT_ALT_NAME, MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME),
                                                0, reinterpret_cast<const unsigned char*>(alternatives.data()), alternatives.size()));
}

std::string sha256(const unsigned char* bytes, std::size_t size) {
    std::array<unsigned char, 32> digest{};
    require(mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), bytes, size, digest.data()));
    std::string hex;
    for (const unsigned char byte : digest) {
        hex += "0123456789abcdef"[byte >> 4];
        hex += "0123456789abcdef"[byte & 15];
    }
    return hex;
}

std::string write_file(const std::string& content) {
    std::string path = std::filesystem::temp_directory_path() / "hawser-XXXXXX";
    const int file = mkstemp(path.data());
    const bool is_written = file >= 0 && write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size());
    const int error = errno;
    if (file >= 0) ::close(file);
    if (!is_written) throw std::system_error(error, std::generic_category(), "cannot write the certificate to " + path);
    return path;
}

}  // namespace

SelfSigned::SelfSigned(const std::vector<std::string>& names) {
    Owned<mbedtls_pk_context, mbedtls_pk_init, mbedtls_pk_free> key;
    require(make_ec_key(key.value, 256));
    Owned<mbedtls_x509write_cert, mbedtls_x509write_crt_init, mbedtls_x509write_crt_free> certificate;
    fill_in(certificate.value, key.value, names);
    std::array<unsigned char, 4096> buffer{};
    // It is written at the buffer's end.
    const auto size = static_cast<std::size_t>(require(write_der(certificate.value, buffer.data(), buffer.size())));
    const std::string der(buffer.end() - static_cast<std::ptrdiff_t>(size), buffer.end());
    const auto* const bytes = reinterpret_cast<const unsigned char*>(der.data());
    fingerprint_ = sha256(bytes, der.size());
    std::size_t length = 0;
    require(mbedtls_pem_write_buffer("-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n", bytes, der.size(), buffer.data(),
                                     buffer.size(), &length));
    // The key's text stays nowhere in memory.
    struct Wiped {
        std::string text{};
        ~Wiped() { mbedtls_platform_zeroize(text.data(), text.size()); }
    } content;
    content.text.reserve(2 * buffer.size());
    content.text = reinterpret_cast<const char*>(buffer.data());
    require(mbedtls_pk_write_key_pem(&key.value, buffer.data(), buffer.size()));
    content.text += reinterpret_cast<const char*>(buffer.data());
    mbedtls_platform_zeroize(buffer.data(), buffer.size());
    path_ = write_file(content.text);
}

void SelfSigned::remove() noexcept {
    if (!path_.empty()) unlink(path_.c_str());
    path_.clear();
}

}  // namespace hawser::command
