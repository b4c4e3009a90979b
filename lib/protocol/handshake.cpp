#include "protocol/handshake.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <hawser/error.hpp>

#include "protocol/deflate_negotiation.hpp"
#include "protocol/digest.hpp"
#include "types/base64.hpp"
#include "types/host.hpp"
#include "types/text.hpp"

namespace hawser::protocol {

namespace {

constexpr std::size_t key_bytes = 16;
constexpr const char* protocol_name = "websocket";
constexpr const char* subprotocol_field = "Sec-WebSocket-Protocol";

/// Fields whose values the handshake itself decides.
constexpr std::array<std::string_view, 7> reserved_fields = {
    "Upgrade",        "Connection",       "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Extensions",
    "Content-Length", "Transfer-Encoding"};

std::string random_key(Entropy& entropy) {
    std::array<unsigned char, key_bytes> bytes{};
    entropy.fill(bytes);
    return base64_encode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

HttpFailure bad_request(std::string reason) { return {400, std::move(reason)}; }

/// What is wrong with the fields that every request has, or nothing.
std::optional<HttpFailure> check_http(const Request& request, int minor_version) {
    const std::size_t hosts = request.headers.count("Host");
    // HTTP/1.0 knows no Host (RFC 9112, section 3.2).
    if (hosts > 1 || (hosts == 0 && minor_version > 0)) return bad_request("there must be one Host field");
    const std::string_view host = request.headers.get("Host").value_or("");
    if (!is_host_field(host)) return bad_request("the Host field is " + cited(host) + ", which is no host and port");
    if (request.headers.has("Transfer-Encoding")) return bad_request("a request with a body (Transfer-Encoding) is not accepted");
    for (const Header& field : request.headers)
        if (equals_ignoring_case(field.name, "Content-Length") && field.value != "0")
            return bad_request("a request with a body (Content-Length) is not accepted");
    return std::nullopt;
}

/// What is wrong with the fields that switch to a WebSocket, of "the request" or "the response", or nothing.
std::optional<std::string> check_switch(const Headers& headers, const std::string& of) {
    constexpr std::array<std::pair<const char*, const char*>, 2> fields = {{{"Upgrade", protocol_name}, {"Connection", "Upgrade"}}};
    for (const auto& [name, token] : fields) {
        if (headers.has_token(name, token)) continue;
        const auto value = headers.get(name);
        if (!value) return of + " has no " + name + " field, which must name " + token + " (a proxy in between may have removed it)";
        return of + "'s " + name + " field is " + cited(*value) + ", which does not name " + token;
    }
    return std::nullopt;
}

/// What is wrong with a request that asks for a WebSocket, or nothing.
std::optional<HttpFailure> check_upgrade(const Request& request, int minor_version) {
    const Headers& headers = request.headers;
    if (request.method != "GET") return HttpFailure{405, "the opening handshake is a GET request"};
    if (minor_version == 0) return bad_request("a WebSocket needs HTTP/1.1: the client, or a proxy in between, speaks HTTP/1.0");
    if (auto problem = check_switch(headers, "the request")) return bad_request(std::move(*problem));
    if (headers.count("Sec-WebSocket-Version") > 1) return bad_request("there is more than one Sec-WebSocket-Version");
    if (headers.get("Sec-WebSocket-Version") != websocket_version)
        return HttpFailure{426, std::string("only version ") + websocket_version + " of the WebSocket protocol is spoken here"};
    if (headers.count("Sec-WebSocket-Key") != 1) return bad_request("there must be one Sec-WebSocket-Key");
    std::string key;
    if (!base64_decode(*headers.get("Sec-WebSocket-Key"), key) || key.size() != key_bytes)
        return bad_request("the Sec-WebSocket-Key is not the base64 form of 16 bytes");
    // Malformed ones fail the handshake, wanted or not (RFC 6455, section 9.1).
    if (!are_extensions(headers)) return bad_request("the Sec-WebSocket-Extensions is malformed");
    const auto subprotocols = headers.list(subprotocol_field);
    if (!std::all_of(subprotocols.begin(), subprotocols.end(), is_token)) return bad_request("a subprotocol is not a token");
    return std::nullopt;
}

/// An attempt at a WebSocket, however botched: it gets an error that says so, and no page.
bool attempts_websocket(const Headers& headers) {
    const auto protocols = headers.list("Upgrade");
    // With a version too, which is none of ours (RFC 9110, section 7.8).
    const auto is_ours = [](std::string_view protocol) {
        return equals_ignoring_case(protocol.substr(0, protocol.find('/')), protocol_name);
    };
    return headers.has("Sec-WebSocket-Key") || headers.has("Sec-WebSocket-Version") ||
           std::any_of(protocols.begin(), protocols.end(), is_ours);
}

/// Many servers look at the first line alone.
void add_subprotocols(Headers& headers, const std::string& list) {
    const auto before = headers.get(subprotocol_field);
    headers.set(subprotocol_field, before ? std::string(*before) + ", " + list : list);
}

}  // namespace

Request make_request(const Uri& uri, const Headers& extra, Entropy& entropy) {
    Request request;
    request.target = uri.target();
    request.headers.add("Host", uri.authority());
    request.headers.add("Upgrade", protocol_name);
    request.headers.add("Connection", "Upgrade");
    request.headers.add("Sec-WebSocket-Key", random_key(entropy));
    request.headers.add("Sec-WebSocket-Version", websocket_version);
    if (uri.has_credentials()) request.headers.add("Authorization", "Basic " + base64_encode(uri.user() + ":" + uri.password()));
    for (const Header& field : extra) {
        const bool reserved = std::any_of(reserved_fields.begin(), reserved_fields.end(),
                                          [&](std::string_view name) { return equals_ignoring_case(name, field.name); });
        if (reserved) throw Error(Errc::invalid_option, "the header field " + field.name + " belongs to the handshake and cannot be set");
        const bool single = equals_ignoring_case(field.name, "Host") || equals_ignoring_case(field.name, "Authorization");
        if (single)
            request.headers.set(field.name, field.value);
        else if (equals_ignoring_case(field.name, subprotocol_field))
            add_subprotocols(request.headers, field.value);
        else
            request.headers.add(field.name, field.value);
    }
    return request;
}

Wish examine_request(const Request& request, int minor_version, HttpFailure& failure) {
    std::optional<HttpFailure> problem = check_http(request, minor_version);
    const bool websocket = attempts_websocket(request.headers);
    if (!problem && websocket) problem = check_upgrade(request, minor_version);
    if (!problem && !websocket && request.method != "GET" && request.method != "HEAD" && request.method != "OPTIONS")
        problem = HttpFailure{405, "only GET, HEAD and OPTIONS are answered here"};
    if (!problem) return websocket ? Wish::websocket : Wish::page;
    failure = std::move(*problem);
    return Wish::refused;
}

Response accept_response(const Request& request) {
    Response response;
    response.status = 101;
    response.headers.add("Upgrade", protocol_name);
    response.headers.add("Connection", "Upgrade");
    // A hook may have removed the key.
    response.headers.add("Sec-WebSocket-Accept", accept_key(request.headers.get("Sec-WebSocket-Key").value_or("")));
    return response;
}

Response refuse_response(const HttpFailure& failure) {
    Response response;
    response.status = failure.status;
    response.body = failure.reason + "\n";
    response.headers.add("Content-Type", "text/plain; charset=utf-8");
    if (failure.status == 426) {
        response.headers.add("Upgrade", protocol_name);
        response.headers.add("Sec-WebSocket-Version", websocket_version);
    }
    if (failure.status == 405) response.headers.add("Allow", "GET, HEAD, OPTIONS");
    return response;
}

namespace {

/// What is wrong with the server's choice, or nothing: it chooses one of those that were offered, or none (RFC 6455, section 4.2.2).
std::optional<std::string> check_subprotocol(const std::vector<std::string_view>& offered, const Headers& headers) {
    const auto chosen = headers.get(subprotocol_field);
    if (!chosen) return std::nullopt;
    if (const std::size_t count = headers.count(subprotocol_field); count > 1)
        return "the response has " + std::to_string(count) + " Sec-WebSocket-Protocol fields, but a server chooses one subprotocol at most";
    if (std::find(offered.begin(), offered.end(), *chosen) != offered.end()) return std::nullopt;
    if (headers.list(subprotocol_field).size() > 1)
        return "the server chose several subprotocols, " + cited(*chosen) + ", but it may choose one at most";
    return "the server chose a subprotocol that was not offered: " + cited(*chosen);
}

}  // namespace

std::optional<std::string> check_accept(std::string_view key, const Headers& headers) {
    if (auto problem = check_switch(headers, "the response")) return problem;
    const std::size_t count = headers.count("Sec-WebSocket-Accept");
    if (count == 0) return "the response has no Sec-WebSocket-Accept field, which must answer the request's key";
    if (count > 1) return "the response has " + std::to_string(count) + " Sec-WebSocket-Accept fields, and must have one";
    if (headers.get("Sec-WebSocket-Accept") != accept_key(key))
        return "the response's Sec-WebSocket-Accept does not answer the request's key";
    return std::nullopt;
}

std::optional<std::string> check_response(const Request& request, const Response& response) {
    const Headers& headers = response.headers;
    if (response.status != 101) return "the server answered " + std::to_string(response.status) + " " + escaped(response.reason);
    if (auto problem = check_accept(request.headers.get("Sec-WebSocket-Key").value_or(""), headers)) return problem;
    return check_subprotocol(request.headers.list(subprotocol_field), headers);
}

}  // namespace hawser::protocol
