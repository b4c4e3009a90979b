#include "transport/ca_bundle.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace hawser::transport {
namespace {

#ifdef __GLIBC__
// A program with its caller's environment and higher rights must not take its trust from there.
const char* variable(const char* name) { return secure_getenv(name); }
#else
const char* variable(const char* name) { return std::getenv(name); }
#endif

std::vector<std::string> split(std::string_view list) {
    std::vector<std::string> parts;
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(':'), list.size());
        if (end != 0) parts.emplace_back(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return parts;
}

/// Adds the first of the paths that can be read.
void add_first_readable(CaSources& sources, const std::vector<std::string>& paths, bool are_folders) {
    const auto found = std::find_if(paths.begin(), paths.end(), [](const std::string& path) { return access(path.c_str(), R_OK) == 0; });
    if (found != paths.end()) sources.push_back({*found, "the system's bundle of CA certificates", are_folders});
}

}  // namespace

const CaPlaces& usual_ca_places() {
    static const CaPlaces places = {
        {
            "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Arch
            "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // Fedora, RHEL
            "/etc/pki/tls/certs/ca-bundle.crt",                   // older ones
            "/etc/ssl/ca-bundle.pem",                             // openSUSE
            "/etc/ssl/cert.pem",                                  // Alpine, OpenBSD, macOS
            "/usr/local/share/certs/ca-root-nss.crt",             // FreeBSD
            "/etc/openssl/certs/ca-certificates.crt",             // NetBSD
        },
        {"/etc/ssl/certs", "/etc/pki/tls/certs", "/usr/share/ca-certificates"},
    };
    return places;
}

CaSources find_ca_sources(const CaPlaces& places) {
    const char* file = variable("SSL_CERT_FILE");
    const char* folders = variable("SSL_CERT_DIR");
    CaSources sources;
    if (file && *file) sources.push_back({file, "environment variable SSL_CERT_FILE"});
    for (std::string& folder : split(folders ? folders : ""))
        sources.push_back({std::move(folder), "environment variable SSL_CERT_DIR", true, true});
    if (sources.empty()) add_first_readable(sources, places.files, false);
    if (sources.empty()) add_first_readable(sources, places.folders, true);
    return sources;
}

}  // namespace hawser::transport
