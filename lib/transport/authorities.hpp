#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "transport/ca_bundle.hpp"
#include "transport/file_content.hpp"
#include "transport/mbedtls_shim.hpp"

namespace hawser::transport {

/// The certificates of authorities (CAs) that are trusted, and the CRLs beside them, as their files had them.
class Authorities {
public:
    /// Throws `Errc::invalid_option`, naming what names the file, the file and the reason.
    explicit Authorities(const CaSources& sources);

    // mbedTLS takes no const; it does not change them.
    mbedtls_x509_crt* certificates() noexcept { return certificates_.get(); }
    /// Null when there is none.
    mbedtls_x509_crl* revocations() noexcept { return revocations_.get()->version != 0 ? revocations_.get() : nullptr; }

    /// Whether one has this subject (a distinguished name, DER).
    bool has(std::string_view subject) const noexcept;
    std::size_t count(const mbedtls_x509_name& subject) const noexcept;
    /// Why one with this subject is among the files' certificates and cannot be used; empty when there is none.
    std::string why_unusable(std::string_view subject) const;

    /// The files are as they were when they were read.
    bool is_current();

private:
    struct Unusable {
        std::string subject{};  // empty when not even that can be read
        std::string why{};
    };
    using Names = std::vector<std::string>;
    using Seen = std::set<std::pair<dev_t, ino_t>>;  // most files of a folder have several names

    std::string load(const CaSource& source);
    std::string load_folder(const CaSource& source);
    void load_member(const std::string& path, Seen& seen);
    void load_certificates(std::string_view bytes);
    void load_certificate(std::string der);
    void load_revocations(const CaSource& source, std::string_view bytes);
    bool is_empty() const noexcept { return certificates_.get()->version == 0; }

    mbedtls::Certificates certificates_;
    mbedtls::RevocationLists revocations_;
    std::vector<Unusable> unusable_;
    std::size_t usable_count_ = 0;
    std::vector<FileMark> files_;
    std::vector<std::pair<std::string, Names>> folders_;  // with the names that were in them
};

}  // namespace hawser::transport
