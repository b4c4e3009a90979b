#pragma once

#include <mbedtls/x509_crt.h>

#include <string>
#include <string_view>

namespace hawser::transport {

/// Whether a certificate is for `name`, a host name or an IP literal (RFC 9525): a host name is compared with its dNSName
/// entries, an address with its iPAddress ones. Its common name is of no account.
bool is_for(const mbedtls_x509_crt& certificate, std::string_view name);

/// Whether a dNSName stands for a host: ignoring case; "*" only as the whole leftmost label, for exactly one label, and
/// with at least two labels behind it.
bool matches_host(std::string_view pattern, std::string_view host);

bool is_ip_literal(std::string_view name);

/// Whether a certificate has this address as a host's name, where it does not count.
bool has_address_as_host(const mbedtls_x509_crt& certificate, std::string_view address);

/// Without the dot of the root at its end, which may be written or not, and which a server name has not (RFC 6066, section 3).
std::string_view without_root(std::string_view name) noexcept;

/// The names a certificate has, for an error's text: `"a.example", "*.b.example", 127.0.0.1`, or that it has none.
std::string names_of(const mbedtls_x509_crt& certificate);

}  // namespace hawser::transport
