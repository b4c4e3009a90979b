#pragma once

#include <string>
#include <vector>

namespace hawser::transport {

/// A file or a folder with the certificates of authorities (CAs) that are trusted.
struct CaSource {
    std::string path{};
    std::string origin{};  ///< what names it, for errors: `ssl option "cafile"`, `environment variable SSL_CERT_FILE`
    bool is_folder = false;
    bool may_be_bad = false;  ///< one of a list to search: it is enough that another one has certificates
    bool operator==(const CaSource&) const = default;
};
using CaSources = std::vector<CaSource>;

/// What a system keeps them in: the usual places, in the order in which they are tried.
struct CaPlaces {
    std::vector<std::string> files{};
    std::vector<std::string> folders{};
};
const CaPlaces& usual_ca_places();

/// Where to look: what SSL_CERT_FILE and SSL_CERT_DIR (a list, ":"-separated) name, if either is set, whether it is
/// there or not; otherwise the first of the places' files that is there, or else the first of their folders.
CaSources find_ca_sources(const CaPlaces& places = usual_ca_places());

}  // namespace hawser::transport
