#include "transport/tls_verify.hpp"

#include <mbedtls/md.h>
#include <mbedtls/oid.h>

#include <array>
#include <cstdio>

#include "transport/authorities.hpp"
#include "transport/mbedtls_shim.hpp"
#include "transport/peer_name.hpp"
#include "transport/tls_failure.hpp"
#include "types/text.hpp"

namespace hawser::transport {
namespace {

constexpr std::uint32_t weak_flags = MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY;
constexpr std::uint32_t usage_flags =
    MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE | MBEDTLS_X509_BADCERT_NS_CERT_TYPE;
constexpr std::uint32_t crl_flags = MBEDTLS_X509_BADCRL_NOT_TRUSTED | MBEDTLS_X509_BADCRL_EXPIRED | MBEDTLS_X509_BADCRL_FUTURE |
                                    MBEDTLS_X509_BADCRL_BAD_MD | MBEDTLS_X509_BADCRL_BAD_PK | MBEDTLS_X509_BADCRL_BAD_KEY;
// Flags of our own checks: mbedTLS leaves BADCERT_OTHER to the callback.
constexpr std::uint32_t own_failure = MBEDTLS_X509_BADCERT_OTHER;

std::string time_text(const mbedtls_x509_time& time) {
    std::array<char, 80> text{};
    const int size = std::snprintf(text.data(), text.size(), "%04d-%02d-%02d %02d:%02d:%02d UTC", time.year, time.mon, time.day, time.hour,
                                   time.min, time.sec);
    return {text.data(), static_cast<std::size_t>(size)};
}

bool equals_in_constant_time(std::string_view a, std::string_view b) noexcept {
    unsigned difference = a.size() != b.size();
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        difference |= static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
    }
    return difference == 0;
}

// Whether it may be shown by a client (to a server), or by a server (RFC 5280, section 4.2.1.12).
bool has_purpose(const mbedtls_x509_crt& certificate, bool of_client) noexcept {
    const char* purpose = of_client ? MBEDTLS_OID_CLIENT_AUTH : MBEDTLS_OID_SERVER_AUTH;
    return mbedtls_x509_crt_check_extended_key_usage(&certificate, purpose, MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH)) == 0;
}

/// Where the issuer of a certificate was sent, of a chain that begins with `first`.
enum class Place { nowhere, before, behind };
Place place_of_issuer(const mbedtls_x509_crt& certificate, const mbedtls_x509_crt& first) noexcept {
    bool is_behind = false;
    for (const mbedtls_x509_crt* one = &first; one; one = one->next) {
        if (one == &certificate)
            is_behind = true;
        else if (mbedtls::view(one->subject_raw) == mbedtls::view(certificate.issuer_raw))
            return is_behind ? Place::behind : Place::before;
    }
    return Place::nowhere;
}

}  // namespace

int alert_for(std::uint32_t flags) noexcept {
    constexpr std::uint32_t unsupported = usage_flags | MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY;
    if (flags & own_failure) return MBEDTLS_SSL_ALERT_MSG_ACCESS_DENIED;
    if (flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) return MBEDTLS_SSL_ALERT_MSG_BAD_CERT;
    if (flags & unsupported) return MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT;
    if (flags & MBEDTLS_X509_BADCERT_EXPIRED) return MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED;
    if (flags & MBEDTLS_X509_BADCERT_REVOKED) return MBEDTLS_SSL_ALERT_MSG_CERT_REVOKED;
    if (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) return MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA;
    return MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN;
}

std::string certificate_label(const mbedtls_x509_crt& certificate, int depth, bool of_client) {
    const std::string subject = distinguished_name(certificate.subject);
    const std::string label = certificate_label(static_cast<std::size_t>(depth), of_client);
    return depth != 0 ? label + ", " + subject + "," : label + " " + subject;
}

std::string distinguished_name(const mbedtls_x509_name& name) {
    std::array<char, 512> text{};
    const int size = mbedtls_x509_dn_gets(text.data(), text.size(), &name);
    return size > 0 ? cited({text.data(), static_cast<std::size_t>(size)}) : "a nameless one";
}

bool is_self_issued(const mbedtls_x509_crt& certificate) noexcept {
    return mbedtls::view(certificate.subject_raw) == mbedtls::view(certificate.issuer_raw);
}

std::string fingerprint(const mbedtls_x509_crt& certificate, mbedtls_md_type_t hash) {
    const mbedtls_md_info_t* info = mbedtls_md_info_from_type(hash);
    if (!info) return {};
    std::string digest(mbedtls_md_get_size(info), '\0');
    const int result = mbedtls_md(info, certificate.raw.p, certificate.raw.len, reinterpret_cast<unsigned char*>(digest.data()));
    return result == 0 ? digest : std::string();
}

int Verifier::callback(void* self, mbedtls_x509_crt* certificate, int depth, std::uint32_t* flags) noexcept {
    try {
        auto& verifier = *static_cast<Verifier*>(self);
        verifier.was_called_ = true;
        *flags = verifier.check(*certificate, depth, *flags);
        // Without verify_peer mbedTLS would overlook the flag: a pin is asked for all the same.
        return *flags != 0 && !verifier.rules_.verify_peer ? MBEDTLS_ERR_X509_FATAL_ERROR : 0;
    } catch (...) {
        return MBEDTLS_ERR_X509_ALLOC_FAILED;
    }
}

std::uint32_t Verifier::check(const mbedtls_x509_crt& certificate, int depth, std::uint32_t flags) {
    if (certificate.version == 0) return refuse_unreadable(depth);
    if (depth == 0) own_label_ = label(certificate, depth);
    if (depth == 0 && !accepts(&certificate)) flags |= own_failure;
    if (!rules_.verify_peer) return flags & own_failure;
    if (depth == 0) {
        // mbedTLS's own answer depends on its version, and takes a common name for a host's.
        flags &= ~std::uint32_t{MBEDTLS_X509_BADCERT_CN_MISMATCH};
        if (rules_.verify_name && !rules_.is_server && !is_for(certificate, name_)) flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
        if (!has_purpose(certificate, rules_.is_server)) flags |= MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
        if (rules_.allow_self_signed && is_self_issued(certificate)) flags &= ~std::uint32_t{MBEDTLS_X509_BADCERT_NOT_TRUSTED};
    }
    if (rules_.depth && depth == *rules_.depth + 1) {
        report(label(certificate, depth), "makes the chain longer than " + std::to_string(*rules_.depth), "verify_depth");
        flags |= own_failure;
    }
    explain(certificate, depth, flags);
    return flags;
}

/// mbedTLS goes on with an empty one when it does not know the algorithm that the first was signed with.
std::uint32_t Verifier::refuse_unreadable(int depth) {
    report(certificate_label(static_cast<std::size_t>(depth), rules_.is_server), "cannot be read: " + certificate_failure(MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG));
    return rules_.verify_peer || !rules_.pins.empty() ? own_failure : 0;
}

bool Verifier::has_pins(const mbedtls_x509_crt& certificate) {
    bool all = true;
    for (const Pin& pin : rules_.pins) all = equals_in_constant_time(fingerprint(certificate, pin.hash), pin.digest) && all;
    return all;
}

bool Verifier::accepts(const mbedtls_x509_crt* shown) {
    if (rules_.pins.empty() || (shown && has_pins(*shown))) return true;
    if (shown)
        report(label(*shown, 0), "has another fingerprint than the one that is pinned", "peer_fingerprint");
    else
        report(rules_.is_server ? "the client" : "the server", "showed no certificate, and one is pinned", "peer_fingerprint");
    return false;
}

void Verifier::refuse(const std::string& why) {
    if (!failures_.empty()) failures_ += "; ";
    failures_ += why;
}

void Verifier::add(std::uint32_t flags) {
    flags &= ~explained_;
    if (flags & usage_flags) report(own_label_, misuse(0), "verify_peer");
    if (flags & weak_flags) report(own_label_, "has a key that is not allowed", "security_level");
}

std::string Verifier::misuse(int depth) const {
    return std::string("is not meant for ") + (depth != 0 ? "signing certificates" : rules_.is_server ? "a client" : "a server");
}

std::string Verifier::label(const mbedtls_x509_crt& certificate, int depth) const {
    return certificate_label(certificate, depth, rules_.is_server);
}

void Verifier::explain(const mbedtls_x509_crt& certificate, int depth, std::uint32_t flags) {
    explained_ |= flags;
    if (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) {
        untrusted_ = &certificate;
        untrusted_depth_ = depth;
    }
    if (depth == 0) explain_untrusted(certificate);
    if (flags == 0) return;
    const std::string own = label(certificate, depth);
    const auto tell = [&](std::uint32_t which, const std::string& what, const char* option) {
        if (flags & which) report(own, what, option);
    };
    tell(MBEDTLS_X509_BADCERT_EXPIRED, "expired on " + time_text(certificate.valid_to), "verify_peer");
    tell(MBEDTLS_X509_BADCERT_FUTURE, "is not yet valid: it will be on " + time_text(certificate.valid_from), "verify_peer");
    tell(MBEDTLS_X509_BADCERT_REVOKED, "is revoked, says the CRL", "cafile");
    if (flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) report(own, name_failure(certificate), "peer_name");
    tell(MBEDTLS_X509_BADCERT_BAD_MD, "is signed with a weak hash, " + mbedtls::signature_hash(certificate), "security_level");
    if (flags & (weak_flags & ~std::uint32_t{MBEDTLS_X509_BADCERT_BAD_MD}))
        report(own, "has a weak key (" + mbedtls::key_text(certificate) + "), or its issuer has", "security_level");
    tell(usage_flags, misuse(depth), "verify_peer");
    tell(crl_flags, "cannot be looked up in the CRL, which is expired, not yet valid, weakly signed, or not its issuer's", "cafile");
}

std::string Verifier::name_failure(const mbedtls_x509_crt& certificate) const {
    if (has_address_as_host(certificate, name_))
        return "is not for the address " + name_ +
               ": it has it as the name of a host, and it has to be among its addresses (subjectAltName=IP:" + name_ + ")";
    return "is not for " + cited(name_) + " but for " + names_of(certificate);
}

/// Told once the first certificate is here, and with it all that were sent.
void Verifier::explain_untrusted(const mbedtls_x509_crt& first) {
    const mbedtls_x509_crt* const certificate = std::exchange(untrusted_, nullptr);
    if (!certificate) return;
    const std::string own = label(*certificate, untrusted_depth_);
    if (is_self_issued(*certificate)) {
        if (untrusted_depth_ == 0) return report(own, "is self-signed and not trusted", "allow_self_signed");
        return report(own, "is self-signed and not among the trusted ones", "cafile");
    }
    const std::string issued = "is issued by " + distinguished_name(certificate->issuer) + ", which ";
    switch (place_of_issuer(*certificate, first)) {
        case Place::before:
            return report(own, issued + "was sent before it: the chain is in the wrong order, each certificate comes before its issuer's");
        case Place::behind: return report(own, issued + "was sent, but did not sign it, or is none that may sign certificates");
        case Place::nowhere: misses_issuer_ = true; return report(own, issued + why_not_trusted(*certificate), "cafile");
    }
}

std::string Verifier::why_not_trusted(const mbedtls_x509_crt& certificate) const {
    const std::string_view issuer = mbedtls::view(certificate.issuer_raw);
    const std::string why = trusted_ ? trusted_->why_unusable(issuer) : std::string();
    if (!why.empty()) return "is among the trusted ones, but cannot be used: " + why;
    if (trusted_ && trusted_->has(issuer)) return "is trusted, but did not sign it, or is none that may sign certificates";
    return "is neither trusted nor among the certificates sent that could be read";
}

void Verifier::report(const std::string& label, const std::string& what, const char* option) {
    refuse(label + " " + what + (option ? std::string(" (ssl option \"") + option + "\")" : std::string()));
}

}  // namespace hawser::transport
