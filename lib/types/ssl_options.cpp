#include "types/ssl_options.hpp"

#include <algorithm>

#include "types/text.hpp"

namespace hawser {
namespace {

constexpr std::size_t sha1_size = 20;
constexpr std::size_t sha256_size = 32;
// The length of a protocol's name is one byte, that of the list two (RFC 7301, section 3.1).
constexpr std::size_t longest_alpn_name = 255;

int hex_digit(char c) noexcept {
    if (is_digit(c)) return c - '0';
    const char letter = lower(c);
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

std::string check_digest(std::string_view hash, std::string_view hex) {
    const std::size_t size = bytes_of_hex(hex).size();
    const bool fits = (size == sha256_size && hash != "sha1") || (size == sha1_size && hash != "sha256");
    return fits ? std::string() : "has " + cited(hex) + ", expected the 64 hex digits of a SHA-256 digest, or the 40 of a SHA-1 one";
}

}  // namespace

std::string bytes_of_hex(std::string_view hex) {
    std::string digits;
    std::copy_if(hex.begin(), hex.end(), std::back_inserter(digits), [](char c) { return c != ':'; });
    std::string bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        const int high = hex_digit(digits[i]);
        const int low = hex_digit(digits[i + 1]);
        if (high < 0 || low < 0) return {};
        bytes += static_cast<char>(high * 16 + low);
    }
    return digits.size() % 2 == 0 ? bytes : std::string();
}

std::vector<std::string> split_list(std::string_view list, char separator) {
    std::vector<std::string> parts;
    while (true) {
        const std::size_t end = std::min(list.find(separator), list.size());
        parts.emplace_back(trim(list.substr(0, end)));
        if (end == list.size()) return parts;
        list.remove_prefix(end + 1);
    }
}

std::string check_compression(const OptionValue& value) {
    return std::get<bool>(value) ? std::string() : "is false, which is refused: compression inside of TLS gives secrets away (CRIME)";
}

std::string check_renegotiation(const OptionValue& value) {
    return std::get<std::int64_t>(value) == 0 ? std::string() : "is refused but for 0: renegotiation is always off";
}

std::string check_alpn_protocols(const OptionValue& value) {
    for (const std::string& name : split_list(std::get<std::string>(value), ',')) {
        if (name.empty()) return "has an empty name; expected names with commas between them, \"http/1.1\" for example";
        if (name.size() > longest_alpn_name) return "has a name of " + std::to_string(name.size()) + " bytes, at most 255 are possible";
        if (name.find('\0') != std::string::npos) return "has a NUL in a name, which mbedTLS cannot send";
    }
    return {};
}

std::string check_fingerprint(const OptionValue& value) {
    if (const std::string* hex = std::get_if<std::string>(&value)) return check_digest("", *hex);
    const auto& pins = std::get<std::map<std::string, std::string>>(value);
    if (pins.empty()) return "is empty";
    for (const auto& [hash, hex] : pins) {
        if (hash != "sha1" && hash != "sha256") return "has the hash " + cited(hash) + ", expected \"sha256\" or \"sha1\"";
        if (std::string why = check_digest(hash, hex); !why.empty()) return why;
    }
    return {};
}

std::string check_server_certificates(const OptionValue& value) {
    for (const auto& [host, files] : std::get<std::map<std::string, std::string>>(value)) {
        if (host.empty()) return "has an empty host name";
        const std::vector<std::string> paths = split_list(files, ',');
        if (paths.size() > 2 || std::any_of(paths.begin(), paths.end(), [](const std::string& path) { return path.empty(); }))
            return "has " + cited(files) + " for " + cited(host) + ", expected \"certificate.pem\" or \"certificate.pem,key.pem\"";
    }
    return {};
}

std::string check_path(const OptionValue& value) {
    const std::string& path = std::get<std::string>(value);
    if (path.empty()) return "is empty; leave it out";
    return path.find('\0') == std::string::npos ? std::string() : "is " + cited(path) + ", which is no path";
}

std::string check_peer_name(const OptionValue& value) {
    const std::string& name = std::get<std::string>(value);
    // The empty name is for the handshake to refuse: it is allowed where no name is checked.
    const bool is_name = std::none_of(name.begin(), name.end(), [](char c) { return is_control_character(c) || c == ' '; });
    return is_name && name.size() <= longest_alpn_name ? std::string() : "is " + cited(name) + ", which is no host name and no IP address";
}

}  // namespace hawser
