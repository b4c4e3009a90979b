#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <hawser/endpoint.hpp>
#include <hawser/uri.hpp>

namespace hawser {

namespace endpoint {
class ClientBase;
}

/// How a client connects, and its settings.
struct ClientOptions {
    /// Header fields for the handshake's request, besides those that RFC 6455 asks for.
    Headers headers{};
    /// Path of a Unix socket to connect to instead of the URI's host and port.
    std::string unix_path{};
    /// Settings of the client and its connections.
    Configuration configuration{};
};

/// How a client comes back by itself after an end that the application did not ask for, and after a failure to connect.
/// The wait is drawn at random between 0 and a ceiling that doubles with each attempt (full jitter). A Close with 1012
/// makes it 5 to 30 s, one with 1013 about the maximum; the time that a Retry-After asks for, in seconds or by a date, comes on top, up to
/// `max_retry_after`. What asking again will not change (a handshake that the server, or a CONNECT that the proxy, refuses with 4xx other
/// than 408, 425 and 429; a SOCKS proxy's refusal of the password, of the way of authentication or of the target by its rules) is not tried
/// again. Each attempt begins at the client's URI: of redirects only 301 and 308 hold for later ones.
struct ReconnectOptions {
    Seconds initial{0.5};           ///< ceiling of the first wait
    Seconds maximum{30};            ///< ceiling of every wait that the server does not ask for
    unsigned max_attempts = 0;      ///< in a row, before it gives up; 0: no bound
    Seconds stable{60};             ///< a connection that lasted this long starts the count anew
    Seconds max_retry_after{3600};  ///< what a Retry-After adds to a wait, at most
};

/// One WebSocket connection to a server (RFC 6455, section 4.1), made when it is needed and made anew after it
/// has ended. Belongs to the reactor's thread. One that outlives its reactor has ended: it throws `client_failed` where it would connect.
///
/// With a reactor given it never blocks: connect() returns at once, sends are queued until the handshake is
/// complete, failures arrive at on_error. Without one it owns a reactor and may be used in sequence, for scripts
/// and tests: connect(), text(), receive() and close() then wait, and throw: for the timeout and a second at most, connect()
/// for the handshake_timeout beyond that, close() for the close_timeout.
class HAWSER_API Client : public ChainedEndpoint<Client> {
public:
    /// Throws `Errc::bad_uri` and `Errc::invalid_option`.
    Client(Reactor& reactor, std::string_view uri, ClientOptions options = {});
    /// Owns a reactor: offers the blocking style.
    explicit Client(std::string_view uri, ClientOptions options = {});
    ~Client();

    /// Connects unless connected or connecting. Blocking style: returns when the handshake is complete, or throws
    /// what ended it.
    Client& connect();
    /// Drops the connection, or the attempt to make one, at once. Messages that were queued are lost: on_error hears how many.
    Client& disconnect();
    /// connect(), and reads again after stop().
    Client& start();
    /// start(), then runs the reactor until stop() or until the connection has ended.
    void run();
    /// Reads no messages but keeps the connection, or the attempt to make one. Ends run().
    Client& stop();

    /// Started, and not stopped.
    bool is_running() const noexcept;
    /// The socket is open; the handshake may be under way.
    bool is_connected() const noexcept;
    /// The handshake is complete and messages may still arrive.
    bool is_readable() const noexcept;
    /// The handshake is complete and messages may still be sent.
    bool is_writable() const noexcept;

    /// Sends, connecting first if needed; queued, within `max_buffered_amount`, until the handshake is complete, also while it comes
    /// back. Of messages that were queued and did not leave, on_error hears how many; `backpressure` is followed by on_drain as ever.
    /// Blocking style: returns when the message has been handed to the socket, or `closed` when the connection ended before.
    SendStatus send(const MessageView& message);
    /// send() of a text.
    SendStatus text(std::string_view content) { return send(MessageView{Opcode::text, content}); }
    /// send() of a binary message.
    SendStatus binary(std::string_view content) { return send(MessageView{Opcode::binary, content}); }
    /// send() of a ping, with at most 125 bytes.
    SendStatus ping(std::string_view content = {}) { return send(MessageView{Opcode::ping, content}); }
    /// send() of a pong, with at most 125 bytes.
    SendStatus pong(std::string_view content = {}) { return send(MessageView{Opcode::pong, content}); }
    /// Starts the closing handshake; never connects. Before the opening handshake, messages that were queued leave first; without any,
    /// the attempt to connect is dropped. Blocking style: returns when the connection has ended.
    SendStatus close(CloseCode code = CloseCode::normal, std::string_view reason = {});
    void close(NoValue, std::string_view reason = {}) = delete;

    /// Blocking style: the next message of any kind, connecting first if needed, or waiting for a client that comes back by itself.
    /// Messages that arrived before a failure come first. Throws `connection_timeout` when none comes in time, `connection_closed` after
    /// the end,
    /// `client_failed` on a client that does not own its reactor.
    Message receive();

    /// Reads the files that the "ssl" options name anew, for the connections to come; each connection looks by itself whether they have
    /// changed, and goes on with the old ones where the new ones are wrong. Throws `Errc::invalid_option`, and keeps the old ones then.
    /// No effect for `ws`.
    Client& reload_context();

    /// For the next handshake.
    Client& add_header(std::string name, std::string value);
    /// Whether the open connection outlives the client, for the next one to the same URI. Middlewares of the client's do not go along.
    Client& set_persistent(bool persistent);
    /// Comes back by itself from now on, with `{}` by the defaults. What is sent meanwhile is queued. Also in the blocking style: calls
    /// that wait do so for it, and do not dial before its time. Throws `Errc::invalid_option`, and changes nothing then.
    Client& set_reconnect(const ReconnectOptions& options);
    /// Comes back by itself no longer, not even where it was about to.
    Client& set_reconnect(std::nullopt_t);

    /// Where it connects to; what redirects led to, once they were followed, until the next attempt begins at the original again.
    const Uri& uri() const noexcept;
    /// The present connection, or the last one; null before the first.
    ConnectionPtr connection() const noexcept;
    /// Addresses of the present or last connection; empty before the first.
    std::string name() const;
    /// The same of the peer.
    std::string remote_name() const;
    /// Meta data of the present or last connection.
    template <typename T>
    const T* meta(std::string_view key) const {
        const ConnectionPtr present = connection();
        return present ? std::as_const(*present).template meta<T>(key) : nullptr;
    }
    /// Null before the handshake, and without `keep_handshake`.
    const Request* handshake_request() const noexcept;
    /// The answer; null as above.
    const Response* handshake_response() const noexcept;

private:
    endpoint::ClientBase& client() const noexcept;
    std::shared_ptr<endpoint::ClientBase> kept() const noexcept;
};

}  // namespace hawser
