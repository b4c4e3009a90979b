#include <hawser/version.hpp>

#include "protocol/deflate.hpp"
#include "reactor/loop.hpp"
#include "transport/mbedtls_shim.hpp"
#include "transport/resolver.hpp"

namespace hawser {

LibraryVersions library_versions() {
    return {
        .hawser = HAWSER_VERSION,
        .libev = reactor::libev_version(),
        .mbedtls = transport::mbedtls::loaded_version(),
        .zlib = protocol::loaded_zlib_version(),
        .cares = transport::cares_version(),
    };
}

}  // namespace hawser
