#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <hawser/context.hpp>
#include <hawser/error.hpp>

#include "reactor/core.hpp"
#include "transport/address.hpp"
#include "transport/resolver.hpp"
#include "transport/transport.hpp"
#include "types/proxy.hpp"

namespace hawser::transport {

/// Whom to connect to.
struct DialOptions {
    std::string host{};  ///< name, or literal address without brackets
    std::uint16_t port = 0;
    std::string unix_path{};  ///< instead of host and port
    Seconds timeout{60};      ///< for all of it; 0: only what can be done at once
    Context context{};        ///< its "socket" options: bindto, tcp_nodelay, so_keepalive …
    ResolverOptions resolver{};
    std::optional<Proxy> proxy{};  ///< whom to ask for the connection to host and port
};

/// The order in which addresses are tried: the families in turn, beginning with the first one's (RFC 8305, section 4).
std::vector<Address> interleave(const std::vector<Address>& addresses);

/// Makes one connection: resolves the name, tries its addresses by RFC 8305 (families in turn, the next one 250 ms
/// after the last or at its failure), hands out the first that connects. Destroying it cancels everything.
class Dialer {
public:
    /// A transport, or the error (`client_failed`, which names host, address and reason of
    /// each address tried). Called once, never from within dial(); may destroy the dialer.
    using OnDone = std::function<void(std::variant<std::unique_ptr<Transport>, Error>)>;

    virtual ~Dialer() = default;
    /// Once it has failed: a proxy refused it on purpose, so that asking again will not change the answer.
    virtual bool is_refused() const noexcept { return false; }
    static std::unique_ptr<Dialer> dial(reactor::Core& core, const DialOptions& options, OnDone on_done);
};

}  // namespace hawser::transport
