#include "types/base64.hpp"

#include <mbedtls/base64.h>

#include <utility>

#include <hawser/error.hpp>

namespace hawser {
namespace {

const unsigned char* input(std::string_view bytes) noexcept { return reinterpret_cast<const unsigned char*>(bytes.data()); }
unsigned char* output(std::string& bytes) noexcept { return reinterpret_cast<unsigned char*>(bytes.data()); }

}  // namespace

std::string base64_encode(std::string_view bytes) {
    // mbedTLS writes a NUL behind the text.
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    std::size_t size = 0;
    if (mbedtls_base64_encode(output(text), text.size(), &size, input(bytes), bytes.size()) != 0)
        throw Error(Errc::handshake_failed, "mbedTLS cannot encode " + std::to_string(bytes.size()) + " bytes as base64");
    text.resize(size);
    return text;
}

bool base64_decode(std::string_view text, std::string& bytes) {
    std::string decoded(text.size() / 4 * 3, '\0');
    std::size_t size = 0;
    if (mbedtls_base64_decode(output(decoded), decoded.size(), &size, input(text), text.size()) != 0) return false;
    decoded.resize(size);
    // mbedTLS skips line ends and ignores trailing bits: only what it would write itself is canonical.
    if (base64_encode(decoded) != text) return false;
    bytes = std::move(decoded);
    return true;
}

}  // namespace hawser
