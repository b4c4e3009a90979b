#include <hawser/client.hpp>

#include "endpoint/blocking_client.hpp"
#include "endpoint/client_base.hpp"

namespace hawser {

Client::Client(Reactor& reactor, std::string_view uri, ClientOptions options)
    : ChainedEndpoint(std::make_shared<endpoint::ClientBase>(reactor, uri, std::move(options))) {}
Client::Client(std::string_view uri, ClientOptions options)
    : ChainedEndpoint(std::make_shared<endpoint::BlockingClient>(uri, std::move(options))) {}
Client::~Client() = default;

endpoint::ClientBase& Client::client() const noexcept { return static_cast<endpoint::ClientBase&>(*base_); }

/// The body, kept until a call returns: what that calls may destroy the client. send() alone does without.
std::shared_ptr<endpoint::ClientBase> Client::kept() const noexcept { return std::static_pointer_cast<endpoint::ClientBase>(base_); }

Client& Client::connect() { return kept()->connect(), *this; }
Client& Client::disconnect() { return kept()->disconnect(), *this; }
Client& Client::start() { return kept()->start(), *this; }
void Client::run() { kept()->run(); }
Client& Client::stop() { return kept()->stop(), *this; }

bool Client::is_running() const noexcept { return client().is_running(); }
bool Client::is_connected() const noexcept { return client().is_connected(); }
bool Client::is_readable() const noexcept { return client().is_connected() && client().link()->is_readable(); }
bool Client::is_writable() const noexcept { return client().is_connected() && client().link()->is_writable(); }

SendStatus Client::send(const MessageView& message) { return client().send(message); }
SendStatus Client::close(CloseCode code, std::string_view reason) { return kept()->close(code, reason); }
Message Client::receive() { return kept()->receive(); }

Client& Client::reload_context() { return kept()->reload_context(), *this; }

Client& Client::add_header(std::string name, std::string value) {
    client().add_header(std::move(name), std::move(value));
    return *this;
}
Client& Client::set_persistent(bool persistent) {
    Configuration changed = configuration();
    changed.persistent = persistent;
    return set_configuration(std::move(changed));
}

Client& Client::set_reconnect(const ReconnectOptions& options) { return kept()->set_reconnect(options), *this; }
Client& Client::set_reconnect(std::nullopt_t) { return kept()->set_reconnect(std::nullopt), *this; }

const Uri& Client::uri() const noexcept { return client().uri(); }
ConnectionPtr Client::connection() const noexcept { return client().link(); }
std::string Client::name() const { return client().link() ? client().link()->name() : std::string(); }
std::string Client::remote_name() const { return client().link() ? client().link()->remote_name() : std::string(); }
const Request* Client::handshake_request() const noexcept { return client().link() ? client().link()->handshake_request() : nullptr; }
const Response* Client::handshake_response() const noexcept { return client().link() ? client().link()->handshake_response() : nullptr; }

}  // namespace hawser
