#pragma once

#include <any>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/configuration.hpp>
#include <hawser/error.hpp>
#include <hawser/export.hpp>
#include <hawser/http.hpp>
#include <hawser/message.hpp>
#include <hawser/reactor.hpp>

namespace hawser {

class Connection;
class Middleware;
struct DeflateOptions;

namespace protocol {
class Session;
}

/// Keeps a connection's object alive; the socket may be gone long before (`is_connected()`).
using ConnectionPtr = std::shared_ptr<Connection>;

/// What became of a message that was given to send().
enum class SendStatus {
    ok,            ///< sent, or queued below the high-water mark
    backpressure,  ///< queued; more than the high-water mark waits: send no more until on_drain
    dropped,       ///< not sent: no room (`OverflowPolicy::drop`), or a middleware kept it
    refused,       ///< not sent: the message cannot be sent as it is; on_error was told why
    closed,        ///< not sent: the connection is not writable (any more)
};

/// How a connection ended.
struct Disconnect {
    /// Status of the peer's Close frame; `no_status` if that was empty, `abnormal` if none came.
    CloseCode code = CloseCode::abnormal;
    /// The reason in it; may be empty.
    std::string reason{};
    /// Close frames were sent and received.
    bool clean = false;
    /// What ended the connection, if it was a failure.
    std::optional<Error> error{};
};

/// What TLS came to on a connection.
struct TlsInfo {
    std::string version{};        ///< "TLSv1.2" or "TLSv1.3"
    std::string cipher{};         ///< as mbedTLS names it: "TLS-ECDHE-RSA-WITH-CHACHA20-POLY1305-SHA256"
    std::string alpn_protocol{};  ///< the one that was chosen, or empty
    bool resumed = false;         ///< the session of an earlier connection went on
    /// As PEM, with ssl option "capture_peer_cert" or "capture_peer_cert_chain".
    std::string peer_certificate{};
    /// All that the peer sent, its own first, with ssl option "capture_peer_cert_chain".
    std::vector<std::string> peer_certificate_chain{};
};

/// A message encoded once, to be sent to many connections, which share its bytes. Immutable; cheap to copy.
class HAWSER_API PreparedMessage {
public:
    /// Encodes a message. Throws `Error` when it cannot be sent (`message_encoding`, `message_too_big`).
    explicit PreparedMessage(const MessageView& message, std::size_t frame_size = Configuration{}.frame_size);

    /// The message as it was; valid while a copy of this lives.
    MessageView view() const noexcept;
    /// Largest payload of its frames.
    std::size_t frame_size() const noexcept;
    /// The unmasked frames, as a server sends them.
    const std::shared_ptr<const std::string>& frames() const noexcept { return frames_; }

private:
    friend class protocol::Session;
    struct Content;
    using Frames = std::shared_ptr<const std::string>;
    /// The frames in another form, which is made for the first connection that wants it.
    Frames variant(unsigned key, const std::function<Frames()>& make) const;

    std::shared_ptr<const Content> content_;
    Frames frames_;
};

/// One WebSocket connection, of a server or a client: a socket with two halves, each open, closing or closed.
///
/// Every call is legal at any time, in any callback, and on a connection that has ended: names, meta data and
/// handshake stay readable, sends return `SendStatus::closed`. All calls belong to the reactor's thread.
/// Callbacks get a reference that is valid until they return; `handle()` keeps the object for longer.
class HAWSER_API Connection : public std::enable_shared_from_this<Connection> {
public:
    virtual ~Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Sends a message of any kind, through the outgoing middlewares. Never blocks: what the socket does not take is
    /// queued. The content is borrowed until the call returns.
    virtual SendStatus send(const MessageView& message) = 0;
    /// Sends a message that is encoded already.
    virtual SendStatus send(const PreparedMessage& message) = 0;
    /// send() of a text.
    SendStatus text(std::string_view content) { return send(MessageView{Opcode::text, content}); }
    /// send() of a binary message.
    SendStatus binary(std::string_view content) { return send(MessageView{Opcode::binary, content}); }
    /// send() of a ping, with at most 125 bytes.
    SendStatus ping(std::string_view content = {}) { return send(MessageView{Opcode::ping, content}); }
    /// send() of a pong, with at most 125 bytes.
    SendStatus pong(std::string_view content = {}) { return send(MessageView{Opcode::pong, content}); }
    /// Starts the closing handshake (RFC 6455, section 7.1.2). Messages go on arriving until the peer's Close does;
    /// the connection ends then, or after `close_timeout`.
    SendStatus close(CloseCode code = CloseCode::normal, std::string_view reason = {}) {
        return send(MessageView{Opcode::close, reason, code});
    }
    void close(NoValue, std::string_view reason = {}) = delete;

    /// The socket is open.
    virtual bool is_connected() const noexcept = 0;
    /// The handshake is complete and messages may still arrive.
    virtual bool is_readable() const noexcept = 0;
    /// The handshake is complete and messages may still be sent: the write half is open, and no Close was sent.
    virtual bool is_writable() const noexcept = 0;
    /// Ends the connection at once, without a Close frame; the descriptor is closed when this returns.
    /// on_disconnect follows from the loop.
    virtual void disconnect() = 0;
    /// No further message is delivered. Disconnects if the write half is closed already.
    virtual void close_read() = 0;
    /// Sends what is queued, then closes the write half without a Close frame (FIN, on TLS close_notify).
    /// Disconnects if the read half is closed already.
    virtual void close_write() = 0;

    /// When bytes came last, those of a message that is not complete yet included; at first, when the connection was made.
    virtual TimePoint last_received() const noexcept = 0;
    /// Bytes that wait to be sent.
    virtual std::size_t buffered_amount() const noexcept = 0;
    /// Stops reading; the peer is slowed down by TCP. Nothing that arrived is lost, unless the connection is closed from here: once a
    /// Close was sent, control frames are read all the same, as the peer's Close is among them, and texts and binary messages that
    /// come before it are dropped.
    virtual void pause() = 0;
    /// Goes on reading. Without effect unless paused.
    virtual void resume() = 0;
    /// Between pause() and resume().
    virtual bool is_paused() const noexcept = 0;

    /// Keeps the object for longer than the callback.
    ConnectionPtr handle() { return shared_from_this(); }
    /// Whose thread this is. Not to be asked once the reactor is gone.
    virtual Reactor& reactor() const noexcept = 0;
    /// Unique while the process runs; later connections have higher ones.
    virtual std::uint64_t identity() const noexcept = 0;
    /// Own address: "127.0.0.1:9001", "[::1]:9001" or "unix:/path".
    virtual std::string name() const = 0;
    /// The peer's address.
    virtual std::string remote_name() const = 0;
    /// What was sent (client) or received (server) in the opening handshake; null before, and without `keep_handshake`. What is asked
    /// for until on_handshake returns lives until then, and what is asked for later as long as the connection.
    virtual const Request* handshake_request() const noexcept = 0;
    /// What was received (client) or sent (server) in answer; null as above.
    virtual const Response* handshake_response() const noexcept = 0;

    /// Null without TLS, and before its handshake is complete.
    virtual const TlsInfo* tls() const noexcept = 0;
    /// The peer's certificate as PEM; empty without TLS, without one, and without ssl option "capture_peer_cert".
    std::string peer_certificate() const { return tls() ? tls()->peer_certificate : std::string(); }

    /// Data of yours, by key.
    void set_meta(std::string_view key, std::any value) { meta_slot(key) = std::move(value); }
    /// Null when there is nothing under this key, or something of another type.
    template <typename T>
    const T* meta(std::string_view key) const {
        return std::any_cast<T>(find_meta(key));
    }
    /// As above, to be changed.
    template <typename T>
    T* meta(std::string_view key) {
        return std::any_cast<T>(const_cast<std::any*>(find_meta(key)));
    }

    /// Runs the tick hooks of the middlewares on this connection.
    virtual void tick() = 0;
    /// Has tick() called once, `delay` from now or sooner, unless the connection has ended by then: nothing is left waiting behind
    /// it. Of several requests the earliest counts, so a hook whose own time has not come asks again.
    virtual void tick_after(Seconds delay) = 0;
    /// Adds a middleware for this connection, behind the endpoint's own.
    virtual void add_middleware(std::shared_ptr<Middleware> middleware) = 0;
    /// False when it was not added to this connection.
    virtual bool remove_middleware(const Middleware& middleware) = 0;
    /// Agrees on permessage-deflate (RFC 7692) if the peer does too. For handshake hooks: what CompressionExtension does, for
    /// a middleware that decides by connection. Without effect once the request (client) or the response (server) has
    /// been sent. Throws `Errc::invalid_option`.
    virtual void use_compression(const DeflateOptions& options) = 0;

    /// The settings of this connection.
    virtual const Configuration& configuration() const noexcept = 0;
    /// Settings of this connection alone. Throws `Errc::invalid_option`, and changes nothing then.
    virtual void set_configuration(Configuration configuration) = 0;
    /// Where it writes what it does; null: nowhere.
    void set_logger(std::shared_ptr<Logger> logger);
    /// Bounds each wait; 0: nothing is waited for. Throws `Errc::invalid_option`.
    void set_timeout(Seconds timeout);
    void set_timeout(NoValue) = delete;
    /// Bounds each wait.
    Seconds timeout() const noexcept { return configuration().timeout; }
    /// Largest payload of a frame that is sent; at least 1. Throws `Errc::invalid_option`.
    void set_frame_size(std::size_t size);
    /// Largest payload of a frame that is sent.
    std::size_t frame_size() const noexcept { return configuration().frame_size; }
    /// The options this connection was made with.
    const Context& context() const noexcept { return configuration().context; }
    /// One of them; null when it has no value. The pointer dies with the next change.
    const OptionValue* get_option(std::string_view wrapper, std::string_view name) const { return context().get_option(wrapper, name); }
    /// Sets an option of this connection. Throws `Errc::invalid_option`.
    void set_option(std::string_view wrapper, std::string_view name, OptionValue value);
    void set_option(std::string_view wrapper, std::string_view name, NoValue) = delete;

protected:
    /// @cond
    Connection() = default;
    virtual std::any& meta_slot(std::string_view key) = 0;
    virtual const std::any* find_meta(std::string_view key) const noexcept = 0;
    /// @endcond
};

}  // namespace hawser
