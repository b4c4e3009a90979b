#pragma once

#include <string>
#include <string_view>

#include <hawser/http.hpp>

namespace hawser::connection {

/// What was sent and received in an opening handshake.
struct Heads {
    Request request{};
    Response response{};
};

/// The same as one text, for connections to keep: little more than the bytes that passed on the wire. Without the response's body,
/// which an accepted handshake has not.
std::string pack(const Heads& heads);
Heads unpack(std::string_view packed);

}  // namespace hawser::connection
