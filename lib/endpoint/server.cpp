#include <hawser/server.hpp>

#include <algorithm>

#include "endpoint/server_base.hpp"

namespace hawser {

ConnectionPtr Connections::get(std::uint64_t identity) const {
    const auto found =
        std::lower_bound(connections_.begin(), connections_.end(), identity,
                         [](const ConnectionPtr& connection, std::uint64_t wanted) { return connection->identity() < wanted; });
    return found != connections_.end() && (*found)->identity() == identity ? *found : nullptr;
}

Connections Connections::filter(const std::function<bool(const Connection&)>& accept) const {
    std::vector<ConnectionPtr> accepted;
    std::copy_if(connections_.begin(), connections_.end(), std::back_inserter(accepted),
                 [&](const ConnectionPtr& connection) { return accept(*connection); });
    return Connections(std::move(accepted));
}

void Connections::walk(const std::function<void(Connection&)>& visit) const {
    for (const ConnectionPtr& connection : connections_)
        if (connection->is_connected()) visit(*connection);
}

Server::Server(Reactor& reactor, ServerOptions options)
    : ChainedEndpoint(std::make_shared<endpoint::ServerBase>(reactor, std::move(options))) {}
Server::~Server() = default;

endpoint::ServerBase& Server::server() const noexcept { return static_cast<endpoint::ServerBase&>(*base_); }

/// The body, kept until a call returns: what that calls may destroy the server.
std::shared_ptr<endpoint::ServerBase> Server::kept() const noexcept { return std::static_pointer_cast<endpoint::ServerBase>(base_); }

Server& Server::start() { return kept()->start(), *this; }
void Server::run() { kept()->run(); }
Server& Server::stop() { return kept()->stop(), *this; }
Server& Server::disconnect() { return kept()->disconnect(), *this; }
Server& Server::shutdown(CloseCode code, Seconds deadline) { return kept()->shutdown(code, deadline), *this; }

Server& Server::reload_context() { return kept()->reload_context(), *this; }

bool Server::is_running() const noexcept { return server().is_running(); }
std::uint16_t Server::port() const noexcept { return server().port(); }
std::string Server::scheme() const { return is_ssl() ? "wss" : "ws"; }
bool Server::is_ssl() const noexcept { return server().is_ssl(); }
std::string Server::name() const { return server().name(); }

std::size_t Server::connection_count() const noexcept { return server().connection_count(); }
Connections Server::connections() const {
    return server().connections([](const Connection&) { return true; });
}
Connections Server::readable_connections() const {
    return server().connections([](const Connection& connection) { return connection.is_readable(); });
}
Connections Server::writable_connections() const {
    return server().connections([](const Connection& connection) { return connection.is_writable(); });
}
Server& Server::set_max_connections(std::size_t count) {
    Configuration changed = configuration();
    changed.max_connections = count;
    return set_configuration(std::move(changed));
}

std::size_t Server::send(const MessageView& message) { return kept()->send(message); }
std::size_t Server::send(const PreparedMessage& message) { return kept()->send(message); }

Server& Server::on_http(std::function<Response(const Request&)> function) {
    const auto body = kept();
    body->listen(body->page, std::move(function));
    return *this;
}

}  // namespace hawser
