#pragma once

#include <memory>

#include <hawser/connection.hpp>
#include <hawser/error.hpp>
#include <hawser/http.hpp>

namespace hawser::connection {

class Link;

/// What a link tells the endpoint that it belongs to, and asks of it. Calls may throw what the application's
/// callbacks throw.
class Owner {
public:
    /// Keeps the owner alive for as long as a link's turn lasts.
    virtual std::shared_ptr<Owner> pin() = 0;
    /// Server: the answer to a request for a WebSocket.
    virtual Response answer(Link& link, const Request& request) = 0;
    /// Server: the answer to another request.
    virtual Response answer_page(Link& link, const Request& request) = 0;
    virtual void on_open(Link& link) = 0;
    virtual void on_message(Link& link, const MessageView& message) = 0;
    virtual void on_drain(Link& link) = 0;
    virtual void on_error(Link& link, const Error& error) = 0;
    /// The link has middlewares of its own that want to be ticked.
    virtual void want_ticks() = 0;
    /// Client: a callback or a redirect asks for a new connection.
    virtual void on_reconnect(Link& link, const ReconnectRequested& request) = 0;
    /// The link has ended; the last call for it.
    virtual void on_end(Link& link, const Disconnect& ending) = 0;

protected:
    ~Owner() = default;
};

}  // namespace hawser::connection
