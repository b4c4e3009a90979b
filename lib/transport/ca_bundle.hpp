#pragma once

#include <string>
#include <vector>

namespace hawser::transport {

/// Files and folders with the certificates of the authorities (CAs) that are trusted.
struct CaSources {
    std::vector<std::string> files{};
    std::vector<std::string> folders{};
    bool empty() const noexcept { return files.empty() && folders.empty(); }
};

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
