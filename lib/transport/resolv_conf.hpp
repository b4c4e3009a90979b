#pragma once

#include <string>

#include <hawser/configuration.hpp>

namespace hawser::transport {

/// How long resolv.conf(5) has name servers waited for. c-ares 1.18 knows these options by other names only.
struct ResolvTimes {
    Seconds timeout{0};  ///< "timeout:"; 0 when it is not given
    int attempts = 0;    ///< "attempts:"; 0 when it is not given
};

/// Of the file, then of the environment's RES_OPTIONS, which goes before it. A file that cannot be read says nothing.
ResolvTimes read_resolv_conf(const std::string& path);

}  // namespace hawser::transport
