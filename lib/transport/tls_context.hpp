#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "transport/authorities.hpp"
#include "transport/mbedtls_shim.hpp"
#include "transport/tls.hpp"
#include "transport/tls_identity.hpp"
#include "transport/tls_sessions.hpp"
#include "transport/tls_settings.hpp"

namespace hawser::transport {

class TlsPool;

/// What TLS connections with the same options share: certificates, keys, tickets. Never changed but for the
/// tickets: other options, or files read anew, make another one, and the old lives as long as a connection uses it.
class TlsContext {
public:
    /// Throws `Errc::invalid_option`, naming option, file and reason.
    TlsContext(TlsRole role, TlsSettings settings, TlsPool& pool);
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    TlsRole role() const noexcept { return role_; }
    const mbedtls_ssl_config& config() const noexcept { return *config_.get(); }
    const TlsSettings& settings() const noexcept { return settings_; }
    const Authorities& authorities() const noexcept { return *authorities_; }
    /// The files are as they were when they were read.
    bool is_current();

    /// Client: offers the server that is known by `key` the session that was kept for it, if any.
    void offer_session(const std::string& key, mbedtls_ssl_context& ssl);
    void keep_session(const std::string& key, const mbedtls_ssl_context& ssl);
    void forget_session(const std::string& key) { sessions_.erase(key); }

    /// Verifies a chain as mbedTLS does, where that was to leave it. 0 or an error, with the flags of what is wrong.
    int verify(mbedtls_x509_crt& chain, Verifier& verifier, std::uint32_t& flags) const;

    /// Server: whether a ticket was accepted since the last call.
    bool take_ticket_accepted() noexcept { return std::exchange(ticket_accepted_, false); }

private:
    std::unique_ptr<TlsIdentity> load(const char* option, const std::string& certificate, const std::string& key);
    void load_identities();
    void configure();
    void configure_verification();
    void configure_tickets();
    TlsIdentity* find_identity(std::string_view host);
    static int choose_identity(void* self, mbedtls_ssl_context* ssl, const unsigned char* name, std::size_t size) noexcept;
    static int write_ticket(void* self, const mbedtls_ssl_session* session, unsigned char* start, const unsigned char* end,
                            std::size_t* size, std::uint32_t* lifetime) noexcept;
    static int parse_ticket(void* self, mbedtls_ssl_session* session, unsigned char* bytes, std::size_t size) noexcept;

    TlsRole role_;
    TlsSettings settings_;
    std::shared_ptr<Authorities> authorities_;
    std::unique_ptr<TlsIdentity> identity_;
    std::map<std::string, std::unique_ptr<TlsIdentity>> by_host_;  // in lower case
    std::vector<FileMark> identity_files_;
    std::vector<const char*> protocols_;
    mbedtls::TicketKeys ticket_keys_;
    TlsSessions sessions_;
    bool ticket_accepted_ = false;
    mbedtls::Config config_;  // points to most of the others
};

}  // namespace hawser::transport
