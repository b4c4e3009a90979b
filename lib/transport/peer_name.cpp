#include "transport/peer_name.hpp"

#include <arpa/inet.h>

#include <array>

#include "transport/mbedtls_shim.hpp"
#include "types/text.hpp"

namespace hawser::transport {
namespace {

// Tags of a GeneralName (RFC 5280, section 4.2.1.6), context-specific.
constexpr int dns_name_tag = MBEDTLS_ASN1_CONTEXT_SPECIFIC | 2;
constexpr int ip_address_tag = MBEDTLS_ASN1_CONTEXT_SPECIFIC | 7;
// More names than this are not listed in an error.
constexpr std::size_t most_names_shown = 8;

/// The address's bytes in network order, 4 or 16 of them; empty when it is no literal.
std::string address_bytes(std::string_view name) {
    // A zone says through which interface, not whom.
    const std::string text(name.substr(0, name.find('%')));
    std::array<char, 16> bytes;
    if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return {bytes.data(), 4};
    if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return {bytes.data(), 16};
    return {};
}

std::string address_text(std::string_view bytes) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (bytes.size() != 4 && bytes.size() != 16) return "an address of " + std::to_string(bytes.size()) + " bytes";
    inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
    return text.data();
}

template <typename Visit>
void for_each_name(const mbedtls_x509_crt& certificate, Visit&& visit) {
    for (const mbedtls_x509_sequence* entry = &certificate.subject_alt_names; entry; entry = entry->next) {
        if (entry->buf.tag == dns_name_tag || entry->buf.tag == ip_address_tag) visit(entry->buf.tag, mbedtls::view(entry->buf));
    }
}

}  // namespace

bool is_ip_literal(std::string_view name) { return !address_bytes(name).empty(); }

std::string_view without_root(std::string_view name) noexcept {
    if (name.ends_with('.')) name.remove_suffix(1);
    return name;
}

bool matches_host(std::string_view pattern, std::string_view host) {
    host = without_root(host);
    if (host.empty() || pattern.empty()) return false;
    if (!pattern.starts_with("*.")) return equals_ignoring_case(pattern, host);
    const std::string_view parent = pattern.substr(1);
    const std::size_t dot = host.find('.');
    const bool has_two_labels = parent.find('.', 1) != std::string_view::npos && parent.back() != '.';
    return has_two_labels && dot != 0 && dot != std::string_view::npos && equals_ignoring_case(parent, host.substr(dot));
}

bool is_for(const mbedtls_x509_crt& certificate, std::string_view name) {
    const std::string address = address_bytes(name);
    bool found = false;
    for_each_name(certificate, [&](int tag, std::string_view entry) {
        if (tag == ip_address_tag) found = found || (!address.empty() && entry == address);
        if (tag == dns_name_tag) found = found || (address.empty() && matches_host(entry, name));
    });
    return found;
}

bool has_address_as_host(const mbedtls_x509_crt& certificate, std::string_view address) {
    const std::string bytes = address_bytes(address);
    bool found = false;
    for_each_name(certificate, [&](int tag, std::string_view entry) {
        found = found || (tag == dns_name_tag && !bytes.empty() && address_bytes(entry) == bytes);
    });
    return found;
}

std::string names_of(const mbedtls_x509_crt& certificate) {
    std::string list;
    std::size_t count = 0;
    for_each_name(certificate, [&](int tag, std::string_view entry) {
        if (++count > most_names_shown) return;
        if (!list.empty()) list += ", ";
        list += tag == dns_name_tag ? cited(entry) : address_text(entry);
    });
    if (count > most_names_shown) list += " and " + std::to_string(count - most_names_shown) + " more";
    return count != 0 ? list : "no name at all (a common name does not count: it needs a subjectAltName)";
}

}  // namespace hawser::transport
