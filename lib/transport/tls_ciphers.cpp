#include "transport/tls_ciphers.hpp"

#include <mbedtls/ssl_ciphersuites.h>

#include <algorithm>
#include <array>
#include <utility>

#include "transport/mbedtls_shim.hpp"
#include "types/ssl_options.hpp"
#include "types/text.hpp"

namespace hawser {

std::string check_ciphers(const OptionValue& value) {
    std::string unknown;
    const std::string& list = std::get<std::string>(value);
    transport::find_ciphersuites(list, unknown);
    if (unknown.empty() && !list.empty()) return {};
    return "has " + cited(unknown) + ", which " + transport::mbedtls::library_name() +
           " does not know; expected IANA or OpenSSL names of single ciphersuites, \":\"-separated";
}

}  // namespace hawser

namespace hawser::transport {
namespace {

// mbedTLS's ChaCha20-Poly1305 is software, and still faster than its AES-GCM; what the peer would like to use does not
// change the order on a server.
constexpr std::array default_names = {
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
};

int number_of(const std::string& name) {
    const int number = mbedtls_ssl_get_ciphersuite_id(name.c_str());
    const int* const known = mbedtls_ssl_list_ciphersuites();
    // An id may have a name, and yet not be compiled in.
    for (const int* one = known; number != 0 && *one != 0; ++one) {
        if (*one == number) return number;
    }
    return 0;
}

std::string with_dashes(std::string_view name) {
    std::string out(name);
    std::replace(out.begin(), out.end(), '_', '-');
    return out;
}

// "ECDHE-RSA-AES128-GCM-SHA256" → "TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256".
std::string from_openssl(std::string_view name) {
    constexpr std::array exchanges = {"ECDHE-ECDSA-", "ECDHE-RSA-", "DHE-RSA-", "ECDH-ECDSA-", "ECDH-RSA-",
                                      "ECDHE-PSK-",   "DHE-PSK-",   "RSA-PSK-", "PSK-"};
    const auto exchange = std::find_if(exchanges.begin(), exchanges.end(), [&](const char* one) { return name.starts_with(one); });
    std::string out = "TLS-";
    out += exchange != exchanges.end() ? *exchange : "RSA-";
    if (exchange != exchanges.end()) name.remove_prefix(std::string_view(*exchange).size());
    out += "WITH-";
    std::string cipher(name);
    constexpr std::array<std::pair<const char*, const char*>, 6> families = {{{"AES128", "AES-128"},
                                                                              {"AES256", "AES-256"},
                                                                              {"CAMELLIA128", "CAMELLIA-128"},
                                                                              {"CAMELLIA256", "CAMELLIA-256"},
                                                                              {"ARIA128", "ARIA-128"},
                                                                              {"ARIA256", "ARIA-256"}}};
    for (const auto& [from, to] : families) {
        if (cipher.starts_with(from)) cipher.replace(0, std::string_view(from).size(), to);
    }
    if (cipher == "CHACHA20-POLY1305") cipher += "-SHA256";
    if (cipher.ends_with("-CCM8")) cipher.replace(cipher.size() - 1, 1, "-8");
    // OpenSSL leaves out CBC: what is neither of the modes with a name of their own is it.
    const bool has_mode =
        cipher.find("GCM") != std::string::npos || cipher.find("CCM") != std::string::npos || cipher.starts_with("CHACHA20");
    if (const std::size_t hash = cipher.rfind('-'); !has_mode && hash != std::string::npos) cipher.insert(hash, "-CBC");
    return out + cipher;
}

}  // namespace

int find_ciphersuite(std::string_view name) {
    if (name.starts_with("TLS_") || name.starts_with("TLS-")) {
        const std::string plain = with_dashes(name);
        const int number = number_of(plain);
        // Those of TLS 1.3 have a prefix of mbedTLS's own.
        return number != 0 ? number : number_of("TLS1-3" + plain.substr(3));
    }
    return number_of(from_openssl(name));
}

std::vector<int> find_ciphersuites(std::string_view list, std::string& unknown) {
    std::vector<int> numbers;
    for (const std::string& name : split_list(list, ':')) {
        const int number = find_ciphersuite(name);
        if (number == 0) {
            unknown = name;
            return {};
        }
        numbers.push_back(number);
    }
    return numbers;
}

std::vector<int> default_ciphersuites() {
    std::vector<int> numbers;
    for (const char* name : default_names) {
        if (const int number = find_ciphersuite(name); number != 0) numbers.push_back(number);
    }
    return numbers;
}

}  // namespace hawser::transport
