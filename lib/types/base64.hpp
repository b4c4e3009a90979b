#pragma once

#include <string>
#include <string_view>

namespace hawser {

/// Base64 with padding (RFC 4648, section 4).
std::string base64_encode(std::string_view bytes);
/// False when the text is not canonical base64: wrong length, alphabet, padding or trailing bits.
bool base64_decode(std::string_view text, std::string& bytes);

}  // namespace hawser
