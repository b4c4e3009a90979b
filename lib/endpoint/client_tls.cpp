#include <utility>

#include "endpoint/client_base.hpp"

// What a client needs for TLS: read when it connects, and anew when it has changed.

namespace hawser::endpoint {

std::shared_ptr<transport::TlsContext> ClientBase::make_tls(const Context& context) const {
    return transport::make_tls_context(core(), transport::TlsRole::client, context);
}

/// Sees to what the next connection needs for TLS. Files that have changed are read anew; when they cannot be, what was read before
/// stays, as it does on a server.
void ClientBase::prepare_tls() {
    try {
        reload_context();
    } catch (const Error& error) {
        if (!tls_) throw;
        // That of a pair which does not fit is told with the handshake.
        if (!is_identity_due_)
            log(LogLevel::warning, "what has changed on disk is not used", {{"uri", uri().str()}, {"reason", error.what()}});
    }
}

/// prepare_tls(), outside of the application's calls: what is impossible is told, and would be wrong the next time too.
bool ClientBase::can_secure() {
    try {
        prepare_tls();
        return true;
    } catch (const Error& error) {
        wanted_ = false;
        on_connect_failed(error);
        return false;
    }
}

void ClientBase::update_tls(const Context& context) {
    if (!tls_ || is_over()) return;
    try {
        tls_ = make_tls(context);
        is_identity_due_ = false;
    } catch (const transport::IdentityMismatch&) {
        // The option that is missing may follow: the next handshake tells, and until then it goes on with what there is.
        is_identity_due_ = true;
    }
}

void ClientBase::reload_context() {
    if (!uri().is_secure()) return;
    if (is_over()) throw Error(Errc::client_failed, uri().str() + ": the client reads no files again, its reactor is gone");
    tls_ = make_tls(configuration().context);
    is_identity_due_ = false;
}

/// What is wrong with a certificate, key and passphrase that were set one after the other, once.
std::optional<Error> ClientBase::settle_identity() {
    if (!uri().is_secure() || !std::exchange(is_identity_due_, false)) return std::nullopt;
    try {
        reload_context();
        return std::nullopt;
    } catch (const Error& error) {
        return error;
    }
}

}  // namespace hawser::endpoint
