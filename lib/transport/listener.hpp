#pragma once

#include <functional>
#include <memory>
#include <string>

#include <hawser/context.hpp>
#include <hawser/error.hpp>

#include "reactor/core.hpp"
#include "transport/address.hpp"
#include "transport/transport.hpp"

namespace hawser::transport {

/// Where to listen.
struct ListenOptions {
    std::string host{};       ///< empty: all interfaces, IPv6 and IPv4 in one socket where the system can
    std::uint16_t port = 0;   ///< 0: a free one
    std::string unix_path{};  ///< instead of host and port
    int descriptor = -1;      ///< one that listens already, instead of all that
    Context context{};        ///< its "socket" options: backlog, ipv6_v6only, so_reuseport, tcp_nodelay …
};

/// A listening socket (two, for "localhost" with both families) that hands out what it accepts.
class Listener {
public:
    using OnAccept = std::function<void(std::unique_ptr<Transport>)>;
    /// Failures of accept: EMFILE (accepting pauses for a moment and the waiting connection is closed by means of a spare
    /// descriptor), ENOBUFS and the like. ECONNABORTED is no failure.
    using OnError = std::function<void(const Error&)>;

    virtual ~Listener() = default;
    /// Accepts, or leaves new connections in the backlog.
    virtual void set_accepting(bool accepting) = 0;
    /// Bound address; with a port that was picked.
    virtual Address address() const = 0;

    /// Binds and listens; does not accept yet. Throws `Errc::server_failed`, naming address and reason.
    static std::unique_ptr<Listener> open(reactor::Core& core, const ListenOptions& options, OnAccept on_accept, OnError on_error);
};

}  // namespace hawser::transport
