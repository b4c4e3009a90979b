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

std::vector<std::string> first_readable(const std::vector<std::string>& paths) {
    const auto found = std::find_if(paths.begin(), paths.end(), [](const std::string& path) { return access(path.c_str(), R_OK) == 0; });
    return found != paths.end() ? std::vector<std::string>{*found} : std::vector<std::string>{};
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
    CaSources named;
    if (file && *file) named.files.emplace_back(file);
    if (folders) named.folders = split(folders);
    if (!named.empty()) return named;
    CaSources found;
    found.files = first_readable(places.files);
    if (found.files.empty()) found.folders = first_readable(places.folders);
    return found;
}

}  // namespace hawser::transport
