#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include <hawser/compression.hpp>
#include <hawser/http.hpp>

#include "protocol/deflate.hpp"
#include "protocol/deflate_negotiation.hpp"
#include "protocol/http_body.hpp"
#include "protocol/http_parser.hpp"
#include "protocol/session.hpp"

namespace hawser::protocol {

/// What is needed until the handshake is complete.
struct Session::Opening {
    Opening(HttpParser::Kind kind, const Configuration& limits, Seconds time, TimePoint now)
        : parser(kind, limits), limit(time), deadline(later(now, time)) {}
    HttpParser parser;
    Seconds limit;        // of its time
    Request request{};    // client: the one sent
    Response response{};  // client: one that refuses, while its body is collected
    std::optional<HttpBody> body{};
    TimePoint deadline;
    unsigned interim_count = 0;
    bool received_any = false;
    bool head_only = false;  // server: the request's method is HEAD
    std::string key{};       // server: the request asks for a WebSocket with this
    std::optional<DeflateOptions> deflate{};
    std::shared_ptr<DeflatePool> deflate_pool{};
    std::optional<DeflateAgreement> agreed{};
};

}  // namespace hawser::protocol
