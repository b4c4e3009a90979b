#include "protocol/digest.hpp"

#include <mbedtls/md.h>

#include <array>

#include <hawser/error.hpp>

#include "types/base64.hpp"

namespace hawser::protocol {

namespace {

constexpr std::size_t sha1_size = 20;

}  // namespace

std::string accept_key(std::string_view key) {
    const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<unsigned char, sha1_size> digest{};
    if (mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA1), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                   digest.data()) != 0)
        throw Error(Errc::handshake_failed, "mbedTLS was built without SHA-1, which the opening handshake needs (RFC 6455, section 4.2.2)");
    return base64_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace hawser::protocol
