#pragma once

#include <memory>
#include <string>
#include <vector>

#include "transport/file_content.hpp"
#include "transport/mbedtls_shim.hpp"

namespace hawser::transport {

/// A certificate, those that lead to its root, and its key.
struct TlsIdentity {
    mbedtls::Certificates certificates{};
    mbedtls::PrivateKey key{};
};

/// Where an identity is to be read from.
struct IdentityFiles {
    const char* option = "";  ///< that names the certificate, for errors
    std::string certificate{};
    std::string key{};  ///< empty: it is in the certificate's file
    const std::string& passphrase;
    bool may_change = true;  ///< certificate and key are options of their own, which are set one after the other
};

/// Reads an identity, and adds its files to those that were read. Throws `Errc::invalid_option`, naming option, file and reason;
/// IdentityMismatch where the parts do not fit together, each by itself being as it should.
std::unique_ptr<TlsIdentity> load_identity(const IdentityFiles& files, std::vector<FileMark>& read);

/// Throws `Errc::invalid_option` about an "ssl" option.
[[noreturn]] void reject(std::string_view option, const std::string& what);

}  // namespace hawser::transport
