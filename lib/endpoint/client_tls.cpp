#include "endpoint/client_base.hpp"

// What a client needs for TLS: read when it connects, and anew when it has changed.

namespace hawser::endpoint {

/// Sees to what the next connection needs for TLS. Files that have changed are read anew; when they cannot be, what was read before
/// stays, as it does on a server.
void ClientBase::prepare_tls() {
    try {
        reload_context();
    } catch (const Error& error) {
        if (!tls()) throw;
        // That of a pair which does not fit is told with the handshake.
        if (!is_identity_due())
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

void ClientBase::reload_context() {
    if (!uri().is_secure()) return;
    if (is_over()) throw Error(Errc::client_failed, uri().str() + ": the client reads no files again, its reactor is gone");
    load_tls();
}

}  // namespace hawser::endpoint
