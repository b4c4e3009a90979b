#pragma once

#include <string>
#include <string_view>

namespace hawser::protocol {

/// Base64 with padding (RFC 4648, section 4).
std::string base64_encode(std::string_view bytes);
/// False when the text is not canonical base64: wrong length, alphabet, padding or trailing bits.
bool base64_decode(std::string_view text, std::string& bytes);

/// Value of Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455, section 4.2.2).
std::string accept_key(std::string_view key);

}  // namespace hawser::protocol
