#include "transport/tls_context.hpp"

#include <algorithm>
#include <utility>

#include <hawser/error.hpp>

#include "transport/peer_name.hpp"
#include "transport/tls_pool.hpp"
#include "types/ssl_options.hpp"
#include "types/text.hpp"

namespace hawser::transport {

TlsContext::TlsContext(TlsRole role, TlsSettings settings, TlsPool& pool) : role_(role), settings_(std::move(settings)) {
    mbedtls::initialize();
    authorities_ = pool.authorities(settings_.rules.verify_peer ? settings_.authorities : CaSources());
    load_identities();
    configure();
}

// Files.

std::unique_ptr<TlsIdentity> TlsContext::load(const char* option, const std::string& certificate, const std::string& key) {
    const bool is_map = option == std::string_view("SNI_server_certs");
    return load_identity({option, certificate, key, settings_.passphrase, !is_map}, identity_files_);
}

void TlsContext::load_identities() {
    if (!settings_.certificate.empty()) identity_ = load("local_cert", settings_.certificate, settings_.key);
    if (role_ == TlsRole::client) return;
    for (const auto& [host, files] : settings_.by_host) {
        std::vector<std::string> paths = split_list(files, ',');
        paths.resize(2);
        by_host_[lower(without_root(host))] = load("SNI_server_certs", paths[0], paths[1]);
    }
}

bool TlsContext::is_current() {
    if (settings_.has_system_authorities && find_ca_sources() != settings_.authorities) return false;
    return authorities_->is_current() &&
           std::all_of(identity_files_.begin(), identity_files_.end(), [](FileMark& file) { return file.is_unchanged(); });
}

// The configuration.

void TlsContext::configure() {
    mbedtls_ssl_config& config = *config_.get();
    const int endpoint = role_ == TlsRole::server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT;
    if (const int result = mbedtls_ssl_config_defaults(&config, endpoint, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
        result != 0)
        throw Error(Errc::invalid_option, mbedtls::library_name() + " cannot be set up for TLS: " + mbedtls::error_text(result));
    mbedtls::set_random(config);
    mbedtls::set_versions(config, settings_.least, settings_.most);
    mbedtls::set_curves(config);
    mbedtls::set_server_order(config, settings_.servers_order);
    settings_.ciphersuites.push_back(0);
    mbedtls_ssl_conf_ciphersuites(&config, settings_.ciphersuites.data());
    if (!settings_.protocols.empty()) {
        for (const std::string& name : settings_.protocols) protocols_.push_back(name.c_str());
        protocols_.push_back(nullptr);
        if (mbedtls_ssl_conf_alpn_protocols(&config, protocols_.data()) != 0) reject("alpn_protocols", "mbedTLS does not take the list");
    }
    if (identity_ && mbedtls_ssl_conf_own_cert(&config, identity_->certificates.get(), identity_->key.get()) != 0)
        reject("local_cert", "mbedTLS has no memory for it");
    if (!by_host_.empty()) mbedtls_ssl_conf_sni(&config, choose_identity, this);
    configure_verification();
    configure_tickets();
}

void TlsContext::configure_verification() {
    mbedtls_ssl_config& config = *config_.get();
    mbedtls_ssl_conf_ca_chain(&config, authorities_->certificates(), authorities_->revocations());
    mbedtls_ssl_conf_cert_profile(&config, &settings_.profile);
    // A pin, or a copy of the certificate, needs one to be shown even where nothing else is verified; a client asks in any case.
    const bool wants_certificate = role_ == TlsRole::client || settings_.keep_certificate || !settings_.rules.pins.empty();
    const int optional = wants_certificate ? MBEDTLS_SSL_VERIFY_OPTIONAL : MBEDTLS_SSL_VERIFY_NONE;
    mbedtls_ssl_conf_authmode(&config, settings_.rules.verify_peer ? MBEDTLS_SSL_VERIFY_REQUIRED : optional);
}

int TlsContext::verify(mbedtls_x509_crt& chain, Verifier& verifier, std::uint32_t& flags) const {
    flags = 0;
    // No signature counts then.
    if (!settings_.rules.verify_peer) return Verifier::callback(&verifier, &chain, 0, &flags);
    const int result = mbedtls_x509_crt_verify_with_profile(&chain, authorities_->certificates(), authorities_->revocations(),
                                                            &settings_.profile, nullptr, &flags, Verifier::callback, &verifier);
    // RFC 8446, section 4.4.2.2: the key signs.
    if (mbedtls_x509_crt_check_key_usage(&chain, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) != 0) flags |= MBEDTLS_X509_BADCERT_KEY_USAGE;
    verifier.add(flags);
    return result == 0 && flags != 0 ? MBEDTLS_ERR_X509_CERT_VERIFY_FAILED : result;
}

void TlsContext::configure_tickets() {
    mbedtls_ssl_config& config = *config_.get();
    if (!settings_.tickets) return mbedtls_ssl_conf_session_tickets(&config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
    if (mbedtls::set_tickets(config, ticket_keys_, role_ == TlsRole::server) != 0)
        reject("no_ticket", "mbedTLS cannot make keys for session tickets");
    if (role_ == TlsRole::client) return;
    mbedtls_ssl_conf_session_tickets_cb(&config, write_ticket, parse_ticket, this);
    if (settings_.keep_certificate || !settings_.rules.pins.empty()) mbedtls::withhold_bare_tickets(config);
}

// Server: several certificates (RFC 6066, section 3).

TlsIdentity* TlsContext::find_identity(std::string_view host) {
    if (const auto found = by_host_.find(lower(without_root(host))); found != by_host_.end()) return found->second.get();
    const auto found = std::find_if(by_host_.begin(), by_host_.end(), [&](const auto& one) { return matches_host(one.first, host); });
    return found != by_host_.end() ? found->second.get() : nullptr;
}

int TlsContext::choose_identity(void* self, mbedtls_ssl_context* ssl, const unsigned char* name, std::size_t size) noexcept {
    try {
        auto& context = *static_cast<TlsContext*>(self);
        TlsIdentity* identity = context.find_identity({reinterpret_cast<const char*>(name), size});
        if (identity) return mbedtls_ssl_set_hs_own_cert(ssl, identity->certificates.get(), identity->key.get());
        return context.identity_ ? 0 : -1;
    } catch (...) {
        return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    }
}

// Tickets.

int TlsContext::write_ticket(void* self, const mbedtls_ssl_session* session, unsigned char* start, const unsigned char* end,
                             std::size_t* size, std::uint32_t* lifetime) noexcept {
    return mbedtls_ssl_ticket_write(static_cast<TlsContext*>(self)->ticket_keys_.get(), session, start, end, size, lifetime);
}

int TlsContext::parse_ticket(void* self, mbedtls_ssl_session* session, unsigned char* bytes, std::size_t size) noexcept {
    auto& context = *static_cast<TlsContext*>(self);
    const int result = mbedtls_ssl_ticket_parse(context.ticket_keys_.get(), session, bytes, size);
    if (result == 0) context.ticket_accepted_ = true;
    return result;
}

void TlsContext::offer_session(const std::string& key, mbedtls_ssl_context& ssl) {
    mbedtls::Session* const kept = sessions_.find(key);
    // What cannot be offered is of no use; the handshake is a full one then.
    if (kept && mbedtls_ssl_set_session(&ssl, kept->get()) != 0) sessions_.erase(key);
}

void TlsContext::keep_session(const std::string& key, const mbedtls_ssl_context& ssl) {
    if (!settings_.tickets || key.empty()) return;
    if (mbedtls_ssl_get_session(&ssl, sessions_.renew(key).get()) != 0) sessions_.erase(key);
}

std::shared_ptr<TlsContext> make_tls_context(TlsRole role, const Context& context) { return TlsPool().get(role, context); }

std::shared_ptr<TlsContext> make_tls_context(reactor::Core& core, TlsRole role, const Context& context) {
    return TlsPool::of(core).get(role, context);
}

}  // namespace hawser::transport
