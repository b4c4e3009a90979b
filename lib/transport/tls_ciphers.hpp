#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hawser::transport {

/// The number of a ciphersuite, by its IANA name ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256") or OpenSSL's
/// ("ECDHE-RSA-AES128-GCM-SHA256"); 0 when this mbedTLS has none of that name.
int find_ciphersuite(std::string_view name);
/// Of a ":"-separated list. The first unknown name is left in `unknown`.
std::vector<int> find_ciphersuites(std::string_view list, std::string& unknown);
/// What is offered and accepted by default, the preferred one first: with forward secrecy and authenticated
/// encryption only.
std::vector<int> default_ciphersuites();

}  // namespace hawser::transport
