#pragma once

#include <optional>
#include <string>

#include <hawser/http.hpp>
#include <hawser/uri.hpp>

#include "protocol/http_parser.hpp"
#include "types/entropy.hpp"

namespace hawser::protocol {

/// The one version there is (RFC 6455, section 4.1).
inline constexpr const char* websocket_version = "13";

/// A client's request: what RFC 6455, section 4.1 asks for, then `extra`, which may replace Host, User-Agent,
/// Origin and the like, but nothing that the handshake needs. Throws `Errc::invalid_option` for a field that it may
/// not have.
Request make_request(const Uri& uri, const Headers& extra, Entropy& entropy);

/// What a request asks for.
enum class Wish { websocket, page, refused };

/// Sorts a request that came by HTTP/1.`minor_version` (RFC 6455, section 4.2.1): a page is for any, a WebSocket from 1.1 on.
/// `refused`: `failure` has the status and what is wrong.
Wish examine_request(const Request& request, int minor_version, HttpFailure& failure);

/// The response that accepts a request; neither subprotocol nor extension yet.
Response accept_response(const Request& request);
/// The response that refuses one: with the reason as a body of text, and what the status calls for, such as
/// Sec-WebSocket-Version with 426.
Response refuse_response(const HttpFailure& failure);

/// What is wrong with a 101 as the answer to a request with this Sec-WebSocket-Key (RFC 6455, section 4.2.2), or nothing.
std::optional<std::string> check_accept(std::string_view key, const Headers& headers);
/// What is wrong with the response to a request (RFC 6455, section 4.1), or nothing; `check_extensions` looks
/// at the extensions.
std::optional<std::string> check_response(const Request& request, const Response& response);

}  // namespace hawser::protocol
