#pragma once

#include <hawser/uri.hpp>

namespace hawser {

/// Whether two URIs have one origin (RFC 6454, section 4): scheme, host and port.
inline bool have_same_origin(const Uri& a, const Uri& b) noexcept {
    return a.scheme() == b.scheme() && a.host() == b.host() && a.port() == b.port();
}

}  // namespace hawser
