#pragma once

#include <mbedtls/md.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace hawser::transport {

class Authorities;

/// A fingerprint that the peer's certificate must have.
struct Pin {
    mbedtls_md_type_t hash = MBEDTLS_MD_NONE;
    std::string digest{};  ///< bytes
};

/// What is asked of a peer's certificate.
struct VerifyRules {
    bool verify_peer = true;  ///< false: nothing but the pins
    bool verify_name = true;
    bool allow_self_signed = false;
    std::optional<int> depth{};  ///< highest allowed number of a certificate in the chain; the peer's own is 0
    std::vector<Pin> pins{};
    std::size_t max_rsa_bits = 4096;
    bool allow_all_curves = false;  ///< not P-256 and P-384 alone
    bool is_server = false;         ///< the rules are a server's: the peer is a client
};

/// Checks the certificate of one connection's peer, as a callback of mbedTLS, and remembers what was wrong with it.
class Verifier {
public:
    /// `name`: whom the certificate must be for; not checked on a server. `trusted`: for what is said of an issuer; may be null.
    /// Rules and authorities outlive the verifier.
    Verifier(const VerifyRules& rules, std::string name, const Authorities* trusted = nullptr)
        : rules_(rules), name_(std::move(name)), trusted_(trusted) {}

    /// To be called by mbedTLS for each certificate of the chain, the peer's own last.
    static int callback(void* self, mbedtls_x509_crt* certificate, int depth, std::uint32_t* flags) noexcept;

    /// A certificate was shown: the handshake is a full one, not a resumption.
    bool was_called() const noexcept { return was_called_; }
    /// Flags that mbedTLS raised after the callback: the certificate's use, its key's curve.
    void add(std::uint32_t flags);
    /// What is wrong with the chain or the connection as a whole.
    void refuse(const std::string& why);
    /// Whether this certificate has the pinned fingerprints, where some are: also of a session that is resumed. Null: none was shown.
    bool accepts(const mbedtls_x509_crt* shown);
    /// What was wrong, check by check, each with the option that governs it; empty when nothing was.
    const std::string& failures() const noexcept { return failures_; }
    /// One of them is that an issuer is not among the certificates sent that could be read.
    bool misses_issuer() const noexcept { return misses_issuer_; }

private:
    std::uint32_t check(const mbedtls_x509_crt& certificate, int depth, std::uint32_t flags);
    bool has_pins(const mbedtls_x509_crt& certificate);
    std::uint32_t refuse_unreadable(int depth);
    void explain(const mbedtls_x509_crt& certificate, int depth, std::uint32_t flags);
    void explain_untrusted(const mbedtls_x509_crt& first);
    void report(const std::string& label, const std::string& what, const char* option = nullptr);
    std::string label(const mbedtls_x509_crt& certificate, int depth) const;
    std::string misuse(int depth) const;
    std::string name_failure(const mbedtls_x509_crt& certificate) const;
    std::string why_not_trusted(const mbedtls_x509_crt& certificate) const;

    const VerifyRules& rules_;
    std::string name_;
    const Authorities* trusted_;
    const mbedtls_x509_crt* untrusted_ = nullptr;  // of this chain: that whose issuer is missing
    int untrusted_depth_ = 0;
    std::string own_label_;  // of the peer's own certificate
    std::string failures_;
    std::uint32_t explained_ = 0;
    bool was_called_ = false;
    bool misses_issuer_ = false;
};

/// The alert for what is wrong with a certificate, as mbedTLS chooses it.
int alert_for(std::uint32_t flags) noexcept;

/// "the client's certificate "CN=leaf"", "certificate 1 of the chain, "CN=Issuer","; `of_client`: it is one that a client showed.
std::string certificate_label(const mbedtls_x509_crt& certificate, int depth, bool of_client);
/// "CN=localhost, O=Example": the distinguished name of a certificate's subject or issuer.
std::string distinguished_name(const mbedtls_x509_name& name);
bool is_self_issued(const mbedtls_x509_crt& certificate) noexcept;
/// The digest of the whole certificate; empty when mbedTLS was built without this hash.
std::string fingerprint(const mbedtls_x509_crt& certificate, mbedtls_md_type_t hash);

}  // namespace hawser::transport
