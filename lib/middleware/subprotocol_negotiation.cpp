#include <hawser/middleware.hpp>

#include <algorithm>
#include <utility>

namespace hawser {

namespace {

constexpr const char* field = "Sec-WebSocket-Protocol";

}  // namespace

SubprotocolNegotiation::SubprotocolNegotiation(std::vector<std::string> subprotocols, bool require)
    : subprotocols_(std::move(subprotocols)), require_(require) {}

void SubprotocolNegotiation::http_incoming(Connection&, HttpMessage message, const HttpNext& next) {
    const Response* response = std::get_if<Response>(&message);
    // A server decides when it answers.
    if (!response || response->status != 101 || !require_ || response->headers.has(field)) return next(std::move(message));
    throw Error(Errc::handshake_failed, "the server agreed on no subprotocol, but one is required", *response);
}

void SubprotocolNegotiation::http_outgoing(Connection& connection, HttpMessage message, const HttpNext& next) {
    if (Request* request = std::get_if<Request>(&message)) {
        for (const std::string& subprotocol : subprotocols_) request->headers.add(field, subprotocol);
        return next(std::move(message));
    }
    Response& response = std::get<Response>(message);
    const Request* request = connection.handshake_request();
    if (response.status != 101 || !request) return next(std::move(message));
    for (const std::string_view offered : request->headers.list(field)) {
        if (std::find(subprotocols_.begin(), subprotocols_.end(), offered) == subprotocols_.end()) continue;
        response.headers.set(field, std::string(offered));
        return next(std::move(message));
    }
    if (require_) {
        std::string supported;
        for (const std::string& subprotocol : subprotocols_) supported += (supported.empty() ? "" : ", ") + subprotocol;
        response = Response{
            426, {}, {{"Upgrade", "websocket"}, {"Sec-WebSocket-Protocol", supported}}, "none of the offered subprotocols is supported\n"};
    }
    next(std::move(message));
}

}  // namespace hawser
