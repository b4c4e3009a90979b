#pragma once

#include <string>
#include <string_view>

namespace hawser::protocol {

/// Value of Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455, section 4.2.2).
std::string accept_key(std::string_view key);

}  // namespace hawser::protocol
