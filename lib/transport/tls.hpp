#pragma once

#include <memory>
#include <string>

#include <hawser/context.hpp>
#include <hawser/error.hpp>

#include "reactor/core.hpp"
#include "transport/transport.hpp"

namespace hawser::transport {

class TlsContext;

enum class TlsRole { client, server };

/// Certificate, key and passphrase do not fit together, each being as it should by itself: another one may be about to change too.
class IdentityMismatch final : public Error {
public:
    using Error::Error;
};

/// Reads the "ssl" options and the files that they name. Throws `Errc::invalid_option`, naming option, file and reason.
std::shared_ptr<TlsContext> make_tls_context(TlsRole role, const Context& context);
/// As above; shares what other endpoints of the reactor have read, unless it has changed since.
std::shared_ptr<TlsContext> make_tls_context(reactor::Core& core, TlsRole role, const Context& context);

/// Whom a client means to reach.
struct TlsPeer {
    std::string host{};     ///< name or IP literal; ssl option "peer_name" goes before it
    std::string session{};  ///< where to keep the session for the next connection: "host:port"
};

/// TLS over another transport, which is taken over. The handshake begins with the first read, write or event; until it
/// is complete nothing is read and nothing written. A failure of it, or of a record, is told by tls_failure().
std::unique_ptr<Transport> make_tls(std::unique_ptr<Transport> inner, std::shared_ptr<TlsContext> context, TlsPeer peer = {});

}  // namespace hawser::transport
