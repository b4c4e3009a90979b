#pragma once

#include <mbedtls/md.h>

#include <memory>
#include <string>
#include <vector>

#include "support/sockets.hpp"

namespace support {

enum class KeyType { p256, p384, rsa1024, rsa2048 };

/// What a certificate is to say.
struct CertificateWish {
    std::string common_name = "leaf";
    std::vector<std::string> dns{};
    std::vector<std::string> ip{};
    bool is_ca = false;
    int path_length = -1;
    KeyType key = KeyType::p256;
    std::string not_before = "20200101000000";
    std::string not_after = "20491231235959";
    mbedtls_md_type_t hash = MBEDTLS_MD_SHA256;
    unsigned key_usage = 0;        ///< 0: none said
    std::string purpose{};         ///< extended key usage: "server", "client" or none
    std::string serial = "\x01";   ///< the number's bytes
    std::string permitted_host{};  ///< of a critical name constraint, unless empty
};

/// A certificate and its key, as PEM.
struct Certificate {
    std::string pem{};
    std::string key{};
    std::string subject{};
};

/// A new key and a certificate for it, signed by `issuer`, or by itself.
Certificate make_certificate(const CertificateWish& wish, const Certificate* issuer = nullptr);
/// The same, said to be signed in a way that nobody knows.
Certificate with_unknown_signature(const Certificate& certificate);
/// The bytes that PEM stands for.
std::string der_of_pem(const std::string& pem);
Certificate make_authority(const std::string& name, const Certificate* issuer = nullptr);
/// A CRL of `issuer` as PEM, with these serial numbers (1 to 127).
std::string make_crl(const Certificate& issuer, const std::vector<unsigned char>& serials);
std::string hex_fingerprint(const Certificate& certificate, mbedtls_md_type_t hash);

/// Files of a test.
class Files {
public:
    /// Writes it, and returns its path.
    std::string write(const std::string& name, const std::string& content) const;
    std::string path(const std::string& name) const { return folder_.file(name); }

private:
    TemporaryDirectory folder_;
};

/// What most tests need, made once: a root, and a leaf of it for "localhost", 127.0.0.1 and ::1.
struct Authority {
    Authority();
    static const Authority& instance();
    Certificate root, leaf;
    Files files;
    std::string root_file, leaf_file, key_file;
};

}  // namespace support
