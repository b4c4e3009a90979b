#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <hawser/connection.hpp>
#include <hawser/export.hpp>
#include <hawser/http.hpp>
#include <hawser/message.hpp>

namespace hawser {

namespace connection {
class Chain;
class Link;
struct HookList;
struct HttpStep;
}  // namespace connection

/// What a middleware wants to see. A chain has a list per hook and per class of opcode, so that what nobody wants
/// costs next to nothing.
enum class Hook : unsigned {
    none = 0,                                     ///< nothing
    incoming_data = 1,                            ///< texts and binary messages that were received
    incoming_control = 2,                         ///< Close, ping and pong that were received
    outgoing_data = 4,                            ///< texts and binary messages that are to be sent
    outgoing_control = 8,                         ///< Close, ping and pong that are to be sent
    http_incoming = 16,                           ///< the handshake's message that was received
    http_outgoing = 32,                           ///< the handshake's message that is to be sent
    tick = 64,                                    ///< the tick interval
    incoming = incoming_data | incoming_control,  ///< all that is received after the handshake
    outgoing = outgoing_data | outgoing_control,  ///< all that is sent after the handshake
};
/// Both.
constexpr Hook operator|(Hook a, Hook b) noexcept { return static_cast<Hook>(static_cast<unsigned>(a) | static_cast<unsigned>(b)); }
/// Whether `all` has one of the hooks of `one`.
constexpr bool includes(Hook all, Hook one) noexcept { return (static_cast<unsigned>(all) & static_cast<unsigned>(one)) != 0; }

/// The rest of a chain, for a message that is handed on after the hook has returned. Keeps what it needs alive;
/// when the connection has ended meanwhile it does nothing and returns `closed`. Messages that follow do not wait
/// for it: pause() the connection where order matters.
class HAWSER_API LaterNext {
public:
    /// Hands the message on, as Next would have. A message that is its own owner: the view that the hook was shown has died with it.
    SendStatus operator()(Message message) const;

private:
    friend class Next;
    std::weak_ptr<Connection> connection_;
    std::shared_ptr<const connection::HookList> list_;
    std::size_t position_ = 0;
    bool incoming_ = false;
};

/// The rest of the chain, as a message hook sees it. Not calling it drops the message; calling it more than once
/// multiplies it; calling it with another view changes it. Valid until the hook returns.
class HAWSER_API Next {
public:
    /// Incoming: `ok`, or `closed` when the connection ended meanwhile. Outgoing: what became of the message.
    SendStatus operator()(const MessageView& message) const;
    /// To go on after the hook has returned, with a `Message` made of the view before that.
    LaterNext later() const;

private:
    friend class connection::Chain;
    friend class LaterNext;
    Next(connection::Link& link, const std::shared_ptr<const connection::HookList>& list, std::size_t position, bool incoming)
        : link_(link), list_(list), position_(position), incoming_(incoming) {}
    connection::Link& link_;
    const std::shared_ptr<const connection::HookList>& list_;
    std::size_t position_;
    bool incoming_;
};

/// The rest of the chain, as a tick hook sees it.
class HAWSER_API TickNext {
public:
    /// Hands the tick on.
    void operator()() const;

private:
    friend class connection::Chain;
    TickNext(connection::Link& link, const std::shared_ptr<const connection::HookList>& list, std::size_t position)
        : link_(link), list_(list), position_(position) {}
    connection::Link& link_;
    const std::shared_ptr<const connection::HookList>& list_;
    std::size_t position_;
};

/// A request or a response of the opening handshake. A server receives the request and sends the response,
/// a client the other way round.
using HttpMessage = std::variant<Request, Response>;

/// The rest of the chain, as a handshake hook sees it. One of forward, respond and later must be called, once;
/// a hook that returns without any of them drops the connection.
class HAWSER_API HttpNext {
public:
    /// Hands the message, as it is or changed, to the next middleware and in the end to the endpoint. One that cannot be sent fails the
    /// handshake with `handshake_failed`; a server answers 500.
    void operator()(HttpMessage message) const;
    /// Server, on a request: answers with this response instead of what the endpoint would answer. One that cannot be sent becomes 500, and
    /// on_error is told.
    void respond(Response response) const;
    /// To finish after the hook has returned, within the handshake's time. Does nothing when the connection has
    /// ended meanwhile.
    HttpNext later() const;

private:
    friend class connection::Chain;
    explicit HttpNext(std::shared_ptr<connection::HttpStep> step) : step_(std::move(step)) {}
    std::shared_ptr<connection::HttpStep> step_;
};

/// Sees, changes, answers or drops what passes through a connection. One object may serve many connections, of
/// several endpoints on one reactor: state that belongs to a connection is kept in its meta data.
///
/// Order: the first added is next to the application, the last added next to the socket. What is sent passes from
/// the first to the last, what is received from the last to the first; ticks go from the first to the last.
class HAWSER_API Middleware {
public:
    virtual ~Middleware() = default;

    /// What this middleware wants to see. Asked once, when it is added.
    virtual Hook hooks() const noexcept = 0;

    /// A message was received.
    virtual void incoming(Connection& connection, const MessageView& message, const Next& next);
    /// A message is to be sent. Return what `next` returned, or `dropped`. An `Error` of the levels message, connection and control that
    /// leaves it is dealt with, and send() answers `refused` or `closed`; any other exception is thrown by send().
    virtual SendStatus outgoing(Connection& connection, const MessageView& message, const Next& next);
    /// A request (server) or a response (client) was received.
    virtual void http_incoming(Connection& connection, HttpMessage message, const HttpNext& next);
    /// A response (server) or a request (client) is to be sent.
    virtual void http_outgoing(Connection& connection, HttpMessage message, const HttpNext& next);
    /// The endpoint's tick interval passed, or tick() was called.
    virtual void tick(Connection& connection, const TickNext& next);
};

/// Answers a Close with a Close of the same status (RFC 6455, section 5.5.1). On by default; without it the
/// application answers, or the connection ends after `close_timeout`.
class HAWSER_API CloseHandler final : public Middleware {
public:
    Hook hooks() const noexcept override { return Hook::incoming_control; }
    void incoming(Connection& connection, const MessageView& message, const Next& next) override;
};

/// Answers a ping with a pong of the same content (RFC 6455, section 5.5.2). On by default.
class HAWSER_API PingResponder final : public Middleware {
public:
    Hook hooks() const noexcept override { return Hook::incoming_control; }
    void incoming(Connection& connection, const MessageView& message, const Next& next) override;
};

/// Agrees on a subprotocol (RFC 6455, section 1.9): a client offers the list; a server picks the first offered
/// one that it supports. With `require` a handshake without agreement is refused: 426 from a server,
/// `handshake_failed` in a client.
class HAWSER_API SubprotocolNegotiation final : public Middleware {
public:
    /// Names in the order of preference.
    explicit SubprotocolNegotiation(std::vector<std::string> subprotocols, bool require = false);
    Hook hooks() const noexcept override { return Hook::http_incoming | Hook::http_outgoing; }
    void http_incoming(Connection& connection, HttpMessage message, const HttpNext& next) override;
    void http_outgoing(Connection& connection, HttpMessage message, const HttpNext& next) override;

private:
    std::vector<std::string> subprotocols_;
    bool require_;
};

/// The five hooks as functions; those that are left empty forward. They may be set and emptied at any time, but not
/// by themselves while they run. So it wants all hooks: a class of your own, which says what it wants, costs messages less.
class HAWSER_API Callback final : public Middleware {
public:
    /// A message was received.
    std::function<void(Connection&, const MessageView&, const Next&)> on_incoming{};
    /// A message is to be sent. Returns what `next` returned, or `dropped`.
    std::function<SendStatus(Connection&, const MessageView&, const Next&)> on_outgoing{};
    /// A request (server) or a response (client) was received.
    std::function<void(Connection&, HttpMessage, const HttpNext&)> on_http_incoming{};
    /// A response (server) or a request (client) is to be sent.
    std::function<void(Connection&, HttpMessage, const HttpNext&)> on_http_outgoing{};
    /// The tick interval passed.
    std::function<void(Connection&, const TickNext&)> on_tick{};

    Hook hooks() const noexcept override;
    void incoming(Connection& connection, const MessageView& message, const Next& next) override;
    SendStatus outgoing(Connection& connection, const MessageView& message, const Next& next) override;
    void http_incoming(Connection& connection, HttpMessage message, const HttpNext& next) override;
    void http_outgoing(Connection& connection, HttpMessage message, const HttpNext& next) override;
    void tick(Connection& connection, const TickNext& next) override;
};

}  // namespace hawser
