#pragma once

#include <string>
#include <vector>

#include <hawser/configuration.hpp>

namespace hawser::transport {

/// What resolv.conf(5) says of how a name is looked up, in words of its own: c-ares 1.18 knows its times by other names only, and walks
/// its search list for each family apart.
struct ResolvConf {
    Seconds timeout{0};                 ///< "timeout:"; 0 when it is not given
    int attempts = 0;                   ///< "attempts:"; 0 when it is not given
    int ndots = 1;                      ///< "ndots:": a name with as many dots is tried as it stands before the search list
    std::vector<std::string> search{};  ///< the domains of "search", or the one of "domain"
};

/// Of the file, then of the environment's LOCALDOMAIN and RES_OPTIONS, which go before it. A file that cannot be read says nothing.
/// Without a search list there is the domain of the host's own name, if it has one.
ResolvConf read_resolv_conf(const std::string& path);

/// The full names that `host` may stand for, in the order in which they are to be tried: each with a dot at its end.
std::vector<std::string> full_names(const std::string& host, const ResolvConf& conf);

}  // namespace hawser::transport
