#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <hawser/endpoint.hpp>

namespace hawser {

namespace endpoint {
class ServerBase;
}

/// Where a server listens, and its settings. Use designated initializers: `{.host = "127.0.0.1", .port = 0}`.
struct ServerOptions {
    /// Address or name to bind; empty: all interfaces, IPv6 and IPv4.
    std::string host{};
    /// 0 picks a free one, which `Server::port()` tells. Without a value: 80, or 443 with TLS.
    std::optional<std::uint16_t> port{};
    /// Serve `wss`.
    bool ssl = false;
    /// Path of a Unix socket to listen on instead. Removed when the server ends, by the process that started it; a socket that
    /// nobody listens on any more is replaced, by one of several servers that find it.
    std::string unix_path{};
    /// A descriptor that listens already (systemd's, say), taken over by start(). disconnect() and shutdown() close it: a start() behind
    /// them throws `Errc::server_failed`. -1: none.
    int descriptor = -1;
    /// Settings of the server and its connections.
    Configuration configuration{};
};

/// The connections of a server at one moment, oldest first. Holding it keeps their objects alive.
class HAWSER_API Connections {
public:
    /// Of these, in this order.
    explicit Connections(std::vector<ConnectionPtr> connections) noexcept : connections_(std::move(connections)) {}

    /// How many there are.
    std::size_t size() const noexcept { return connections_.size(); }
    /// Whether there is none.
    bool empty() const noexcept { return connections_.empty(); }
    /// By `Connection::identity()`; null if there is none.
    ConnectionPtr get(std::uint64_t identity) const;
    /// Whether one has this identity.
    bool has(std::uint64_t identity) const { return get(identity) != nullptr; }
    /// The oldest; null if there is none.
    ConnectionPtr first() const { return empty() ? nullptr : connections_.front(); }
    /// Those for which `accept` returns true.
    Connections filter(const std::function<bool(const Connection&)>& accept) const;
    /// Calls `visit` for each that is still connected.
    void walk(const std::function<void(Connection&)>& visit) const;
    /// The oldest.
    auto begin() const noexcept { return connections_.begin(); }
    /// Behind the newest.
    auto end() const noexcept { return connections_.end(); }

private:
    std::vector<ConnectionPtr> connections_;
};

/// Accepts WebSocket connections (RFC 6455, section 4.2). Belongs to the reactor's thread. One that outlives its reactor has ended:
/// start() throws `server_failed`.
class HAWSER_API Server : public ChainedEndpoint<Server> {
public:
    /// Binds nothing yet. Throws `Errc::invalid_option` for settings that cannot be.
    explicit Server(Reactor& reactor, ServerOptions options = {});
    ~Server();

    /// Listens, or resumes after stop(). Throws `Errc::server_failed`, naming the address and the reason.
    Server& start();
    /// start(), then runs the reactor until stop() or until shutdown() is done.
    void run();
    /// Accepts no connections and reads no messages, but keeps the connections: start() resumes. Ends run().
    Server& stop();
    /// Drops all connections at once, and listens no longer.
    Server& disconnect();
    /// Listens no longer, sends Close to all, and drops those that are left after `deadline`. Ends run().
    Server& shutdown(CloseCode code = CloseCode::going_away, Seconds deadline = Seconds(5));
    Server& shutdown(NoValue, Seconds deadline = Seconds(5)) = delete;

    /// Reads the certificates and keys that the "ssl" options name anew: handshakes to come use them, connections that
    /// are there go on. Throws `Errc::invalid_option`, and keeps the old ones then.
    Server& reload_context();

    /// Listening, and neither stopped nor shutting down.
    bool is_running() const noexcept;
    /// The port that was bound; before start() the one asked for. 0 for a Unix socket.
    std::uint16_t port() const noexcept;
    /// "ws" or "wss".
    std::string scheme() const;
    /// It serves `wss`.
    bool is_ssl() const noexcept;
    /// Where it listens: "127.0.0.1:9001", "[::]:9001" or "unix:/path"; empty before start().
    std::string name() const;

    /// How many connections there are whose handshake is complete.
    std::size_t connection_count() const noexcept;
    /// All connections whose handshake is complete.
    Connections connections() const;
    /// Those from which messages may still arrive.
    Connections readable_connections() const;
    /// Those to which messages may still be sent.
    Connections writable_connections() const;
    /// Beyond it a handshake gets 503; 0: no bound.
    Server& set_max_connections(std::size_t count);

    /// Broadcast: encodes once and shares the bytes; returns how many connections took the message.
    std::size_t send(const MessageView& message);
    /// As above, of a message that is encoded already.
    std::size_t send(const PreparedMessage& message);
    /// send() of a text.
    std::size_t text(std::string_view content) { return send(MessageView{Opcode::text, content}); }
    /// send() of a binary message.
    std::size_t binary(std::string_view content) { return send(MessageView{Opcode::binary, content}); }
    /// send() of a ping, with at most 125 bytes.
    std::size_t ping(std::string_view content = {}) { return send(MessageView{Opcode::ping, content}); }
    /// send() of a pong, with at most 125 bytes.
    std::size_t pong(std::string_view content = {}) { return send(MessageView{Opcode::pong, content}); }
    /// Starts the closing handshake with all; new connections are still taken.
    std::size_t close(CloseCode code = CloseCode::normal, std::string_view reason = {}) {
        return send(MessageView{Opcode::close, reason, code});
    }
    void close(NoValue, std::string_view reason = {}) = delete;

    /// Answers requests that do not ask for a WebSocket: a health check, a page. Without it they get 426.
    /// GET, HEAD and OPTIONS only, by HTTP/1.0 too and without a body; the connection ends with the answer. A response that cannot be sent,
    /// or is 101, becomes 500, and on_error is told.
    Server& on_http(std::function<Response(const Request&)> function);

private:
    endpoint::ServerBase& server() const noexcept;
    std::shared_ptr<endpoint::ServerBase> kept() const noexcept;
};

}  // namespace hawser
