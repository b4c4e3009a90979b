#pragma once

#include <map>
#include <string>
#include <vector>

#include <hawser/context.hpp>

#include "transport/ca_bundle.hpp"
#include "transport/mbedtls_shim.hpp"
#include "transport/tls_verify.hpp"

namespace hawser::transport {

/// A context's "ssl" options, as read for one role: what Context accepted, put together and checked for sense.
struct TlsSettings {
    VerifyRules rules{};
    std::string peer_name{};
    bool has_peer_name = false;
    bool send_name = true;
    CaSources authorities{};
    bool has_system_authorities = false;  ///< the options name none
    std::string certificate{};
    std::string key{};
    std::string passphrase{};
    std::map<std::string, std::string> by_host{};
    std::vector<int> ciphersuites{};
    mbedtls::Version least = mbedtls::Version::tls12;
    mbedtls::Version most = mbedtls::Version::tls12;
    mbedtls_x509_crt_profile profile{};
    std::vector<std::string> protocols{};  ///< ALPN
    bool servers_order = true;
    bool tickets = true;
    bool keep_certificate = false;
    bool keep_chain = false;

    /// Throws `Errc::invalid_option` when the options contradict each other.
    static TlsSettings read(const Context& context, bool is_server);
};

}  // namespace hawser::transport
