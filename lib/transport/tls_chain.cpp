#include "transport/tls_chain.hpp"

#include <algorithm>
#include <cstddef>

#include "transport/authorities.hpp"
#include "transport/mbedtls_shim.hpp"

namespace hawser::transport {
namespace {

/// RFC 8017 has them as long as the modulus, and 65537 is what is used: the time grows with it.
constexpr std::size_t max_exponent_bits = 32;
/// Beyond one for each certificate: a chain may have two certificates of an issuer.
constexpr std::size_t spare_checks = 2;

std::string too_much(const std::string& what, std::size_t size, const std::string& of, std::size_t most, const char* option = nullptr) {
    const std::string text = what + " " + std::to_string(size) + " " + of + ", and no more than " + std::to_string(most) + " are taken";
    return option ? text + " (ssl option \"" + option + "\")" : text;
}

std::string sent_by_peer(const VerifyRules& rules) {
    return rules.is_server ? "the client's chain of certificates" : "the server's chain of certificates";
}

std::string length_excess(std::size_t length, const VerifyRules& rules) {
    return length > max_chain_length ? too_much(sent_by_peer(rules) + " has", length, "certificates", max_chain_length) : std::string();
}

std::string key_excess(const mbedtls_x509_crt& certificate, int depth, const VerifyRules& rules) {
    const mbedtls::KeyTraits key = mbedtls::key_traits(certificate);
    const std::string own = certificate_label(certificate, depth, rules.is_server);
    if (key.is_rsa && key.bits > rules.max_rsa_bits)
        return too_much(own + " has an RSA key of", key.bits, "bits", rules.max_rsa_bits, "max_rsa_bits");
    if (key.exponent_bits > max_exponent_bits)
        return too_much(own + " has an RSA key with an exponent of", key.exponent_bits, "bits", max_exponent_bits);
    if (!key.curve.empty() && !key.is_common_curve && !rules.allow_all_curves)
        return own + " has a key on the curve " + key.curve + ", and none but P-256 and P-384 is taken (ssl option \"allow_all_curves\")";
    return {};
}

/// mbedTLS tries every certificate behind one, and every trusted one, that has its issuer's name, until one fits that is not expired.
std::string work_excess(const mbedtls_x509_crt& chain, std::size_t length, const VerifyRules& rules, const Authorities& trusted) {
    std::size_t checks = 0, most_trusted = 0;
    for (const mbedtls_x509_crt* one = &chain; one; one = one->next) {
        const std::size_t issuers = trusted.count(one->issuer);
        most_trusted = std::max(most_trusted, issuers);
        checks += issuers;
        for (const mbedtls_x509_crt* other = one->next; other; other = other->next)
            checks += mbedtls::is_same_name(other->subject, one->issuer);
    }
    // That several who are trusted have one name is not the peer's doing.
    const std::size_t most = length + spare_checks + most_trusted;
    return checks > most ? too_much(sent_by_peer(rules) + " needs", checks, "signatures to be checked", most) : std::string();
}

}  // namespace

std::string excess_of(const mbedtls_x509_crt& chain, const VerifyRules& rules, const Authorities& trusted) {
    if (chain.version == 0) return {};
    int length = 0;
    std::string excess;
    for (const mbedtls_x509_crt* one = &chain; one; one = one->next, ++length)
        if (excess.empty()) excess = key_excess(*one, length, rules);
    const auto size = static_cast<std::size_t>(length);
    if (std::string too_long = length_excess(size, rules); !too_long.empty()) return too_long;
    return excess.empty() ? work_excess(chain, size, rules, trusted) : excess;
}

std::string excess_of(std::string_view message, const VerifyRules& rules, const Authorities& trusted) {
    constexpr std::size_t number_size = 3;
    const auto take = [&](std::size_t size) {
        const std::string_view part = message.substr(0, size);
        message.remove_prefix(part.size());
        return part;
    };
    mbedtls::Certificates chain;
    take(number_size);
    for (std::size_t length = 1; message.size() > number_size; ++length) {
        if (std::string too_long = length_excess(length, rules); !too_long.empty()) return too_long;
        const std::string_view number = take(number_size);
        std::size_t size = 0;
        for (const char byte : number) size = size << 8 | static_cast<unsigned char>(byte);
        const std::string_view der = take(size);
        mbedtls_x509_crt_parse_der(chain.get(), reinterpret_cast<const unsigned char*>(der.data()), der.size());
    }
    return excess_of(*chain.get(), rules, trusted);
}

}  // namespace hawser::transport
