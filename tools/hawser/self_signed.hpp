#pragma once

#include <string>
#include <vector>

namespace hawser::command {

/// A new key with a certificate that it has signed itself, in a file that only its owner may read.
class SelfSigned {
public:
    /// `names`: host names and addresses that the certificate is for.
    explicit SelfSigned(const std::vector<std::string>& names);
    ~SelfSigned() { remove(); }
    SelfSigned(const SelfSigned&) = delete;
    SelfSigned& operator=(const SelfSigned&) = delete;

    const std::string& path() const noexcept { return path_; }
    /// SHA-256 of the certificate, in hex.
    const std::string& fingerprint() const noexcept { return fingerprint_; }
    /// Removes the file. For when it has been read.
    void remove() noexcept;

private:
    std::string path_{};
    std::string fingerprint_{};
};

}  // namespace hawser::command
