#include <hawser/middleware.hpp>

#include <algorithm>
#include <utility>

namespace hawser {

namespace {

constexpr const char* subprotocol_header = "Sec-WebSocket-Protocol";

/// The elements of a list and those that are not there yet, in one line: many servers look at the first alone.
std::string joined(const std::vector<std::string_view>& before, const std::vector<std::string>& more) {
    std::vector<std::string_view> all = before;
    for (const std::string& one : more)
        if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
    std::string line;
    for (const std::string_view one : all) line.append(line.empty() ? "" : ", ").append(one);
    return line;
}

}  // namespace

SubprotocolNegotiation::SubprotocolNegotiation(std::vector<std::string> subprotocols, bool require)
    : subprotocols_(std::move(subprotocols)), require_(require) {}

void SubprotocolNegotiation::http_incoming(Connection&, HttpMessage message, const HttpNext& next) {
    const Response* response = std::get_if<Response>(&message);
    // A server decides when it answers.
    if (!response || response->status != 101 || !require_ || response->headers.has(subprotocol_header)) return next(std::move(message));
    throw Error(Errc::handshake_failed, "the server agreed on no subprotocol, but one is required", *response);
}

void SubprotocolNegotiation::http_outgoing(Connection& connection, HttpMessage message, const HttpNext& next) {
    if (Request* request = std::get_if<Request>(&message)) {
        std::string offered = joined(request->headers.list(subprotocol_header), subprotocols_);
        if (!offered.empty()) request->headers.set(subprotocol_header, std::move(offered));
        return next(std::move(message));
    }
    Response& response = std::get<Response>(message);
    const Request* request = connection.handshake_request();
    if (response.status != 101 || !request) return next(std::move(message));
    for (const std::string_view offered : request->headers.list(subprotocol_header)) {
        if (std::find(subprotocols_.begin(), subprotocols_.end(), offered) == subprotocols_.end()) continue;
        response.headers.set(subprotocol_header, std::string(offered));
        return next(std::move(message));
    }
    if (require_) {
        response = Response{
            426, {}, {{"Upgrade", "websocket"}, {subprotocol_header, joined({}, subprotocols_)}}, "none of the offered subprotocols is supported\n"};
    }
    next(std::move(message));
}

}  // namespace hawser
