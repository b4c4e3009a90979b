#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/client.hpp>
#include <hawser/server.hpp>

#include "protocol/frame.hpp"
#include "support/sim_transport.hpp"

namespace support {

/// A server and a client that take simulated transports.
class SimServer final : public hawser::Server {
public:
    using Server::Server;
    void accept(std::unique_ptr<hawser::transport::Transport> transport);
};
class SimClient final : public hawser::Client {
public:
    using Client::Client;
    void connected(std::unique_ptr<hawser::transport::Transport> transport);
};

/// What an endpoint told, a line an event: "handshake", "text hello", "close 1000 done", "disconnect 1000 clean",
/// "disconnect 1006", "error connection_closed", "drain". What is told of a connection behind its end begins with "late".
/// The listener for messages of any kind is left free.
class Journal {
public:
    template <typename Self>
    void follow(hawser::ChainedEndpoint<Self>& endpoint);

    /// Called after each line was written: what the application does in that callback.
    std::function<void(std::string_view line, hawser::Connection* connection)> then{};

    const std::vector<std::string>& lines() const noexcept { return lines_; }
    /// The lines so far, which are forgotten.
    std::vector<std::string> take() { return std::exchange(lines_, {}); }
    std::size_t count(std::string_view beginning) const;
    bool has(std::string_view beginning) const { return count(beginning) != 0; }
    /// The texts of the errors, whole.
    const std::vector<std::string>& errors() const noexcept { return errors_; }
    /// What the last on_disconnect was told.
    const std::optional<hawser::Disconnect>& ending() const noexcept { return ending_; }

private:
    void add(std::string line, hawser::Connection* connection);
    void end(hawser::Connection& connection, const hawser::Disconnect& ending);
    void fail(hawser::Connection* connection, const hawser::Error& error);

    std::vector<std::string> lines_;
    std::vector<std::string> errors_;
    std::optional<hawser::Disconnect> ending_;
    std::set<std::uint64_t> ended_;
};

/// "text hello", "close 1000 done", "close 1005".
std::string line_of(const hawser::MessageView& message);

/// The other end of a connection, played by the test, frame by frame.
class SimPeer {
public:
    SimPeer(SimSocketPtr socket, hawser::protocol::Role role) : socket_(std::move(socket)), role_(role) {}
    /// Gone with the peer, as with a process.
    ~SimPeer() {
        if (socket_) socket_->close();
    }
    SimPeer(SimPeer&&) = default;
    SimPeer& operator=(SimPeer&&) = delete;

    SimSocket& socket() noexcept { return *socket_; }
    void send(std::string_view bytes) { socket_->send(bytes); }
    void send(const hawser::MessageView& message) { send(encode(message)); }
    void text(std::string_view content) { send({hawser::Opcode::text, content}); }
    void close(hawser::CloseCode code = hawser::CloseCode::normal) { send({hawser::Opcode::close, {}, code}); }
    /// FIN.
    void finish() { socket_->shutdown_write(); }
    /// A message's frames as this end sends them.
    std::string encode(const hawser::MessageView& message, std::size_t frame_size = 1 << 20) const;
    /// One frame, of whatever kind.
    std::string frame(unsigned first_byte, std::string_view payload) const;
    /// Sends the request (with key of RFC 6455's example), or answers the one that has arrived.
    void shake_hands(const std::string& extra_fields = {});
    bool has_head();
    /// The head that has arrived, with its blank line.
    std::string take_head();
    /// The messages that have arrived since the last call, as in a journal. "broken" for what is no frame of the other role.
    std::vector<std::string> lines();
    /// Opcode and size of each frame that arrived since the last call.
    std::vector<std::pair<unsigned, std::size_t>> frames();

private:
    bool next_frame(hawser::protocol::FrameHeader& header, std::string& payload);

    SimSocketPtr socket_;
    hawser::protocol::Role role_;
    std::string received_;
    std::string message_;
    unsigned opcode_ = 0;
};

/// A reactor with virtual time and repeatable randomness, a server and a client on it, and what they told.
/// At the end it checks that nothing is left behind.
class SimWorld {
public:
    explicit SimWorld(hawser::Configuration of_server = {}, hawser::Configuration of_client = {}, std::uint64_t seed = 1);
    /// Ends both endpoints. With `kept` handles of connections still held, so many transports may be left, closed.
    ~SimWorld() noexcept(false);
    SimWorld(const SimWorld&) = delete;
    SimWorld& operator=(const SimWorld&) = delete;

    /// A connection of the client to the server; returns its wire's ends, the client's first.
    std::pair<SimSocketPtr, SimSocketPtr> join(const WireOptions& options = {});
    /// A peer of the server, and one of the client, whose opening handshake is still to come.
    SimPeer raw_client(const WireOptions& options = {});
    SimPeer raw_server(const WireOptions& options = {});
    /// The same, with the handshake complete.
    SimPeer open_client(const WireOptions& options = {});
    SimPeer open_server(const WireOptions& options = {});
    /// The server's newest connection whose handshake is complete.
    hawser::ConnectionPtr newest() const;

    /// Serves all that is ready now.
    void settle() { support::settle(reactor); }
    /// Lets time pass.
    void pass(Seconds time) { run_for(reactor, time); }
    /// Ends the endpoints, and counts what is left.
    void end();
    /// No socket is open, and no descriptor, timer or deadline is waited for, though the endpoints may still be there.
    void check_nothing_going_on();

    hawser::Reactor reactor;
    SimLoop& loop;
    std::shared_ptr<SimCounts> counts = std::make_shared<SimCounts>();
    std::size_t kept = 0;
    std::unique_ptr<SimServer> server;
    std::unique_ptr<SimClient> client;
    Journal at_server, at_client;

private:
    void await_head(SimPeer& peer);
    void check_nothing_left();
};

template <typename Self>
void Journal::follow(hawser::ChainedEndpoint<Self>& endpoint) {
    using hawser::Connection;
    using hawser::MessageView;
    const auto message = [this](Connection& connection, MessageView view) { add(line_of(view), &connection); };
    endpoint.on_text(message).on_binary(message).on_ping(message).on_pong(message).on_close(message);
    endpoint.on_handshake(
        [this](Connection& connection, const hawser::Request&, const hawser::Response&) { add("handshake", &connection); });
    endpoint.on_disconnect([this](Connection& connection, const hawser::Disconnect& how) { end(connection, how); });
    endpoint.on_error([this](Connection* connection, const hawser::Error& error) { fail(connection, error); });
    endpoint.on_drain([this](Connection& connection) { add("drain", &connection); });
}

}  // namespace support
