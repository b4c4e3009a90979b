#include "types/option_table.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <limits>

#include "types/proxy.hpp"
#include "types/ssl_options.hpp"
#include "types/text.hpp"

namespace hawser {
namespace {

std::string check_bindto(const OptionValue& value) {
    const std::string_view text = std::get<std::string>(value);
    const std::size_t colon = text.rfind(':');
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(host.size() + (colon != std::string_view::npos));
    const bool is_ipv6 = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (is_ipv6) {
        host = host.substr(1, host.size() - 2);
        // A link-local address needs its zone: [fe80::1%eth0]:0
        if (const std::size_t percent = host.find('%'); percent + 1 < host.size()) host = host.substr(0, percent);
    }
    in6_addr address{};
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    const bool is_port = error == std::errc() && end == port.data() + port.size();
    const bool has_nul = text.find('\0') != std::string_view::npos;
    if (is_port && !has_nul && inet_pton(is_ipv6 ? AF_INET6 : AF_INET, std::string(host).c_str(), &address) == 1) return {};
    return "is " + cited(text) + ", expected \"ip:port\" or \"[ip]:port\"; port 0 lets the system pick one";
}

// The values are not shown: they may be credentials.
std::string check_header(const OptionValue& value) {
    std::size_t number = 0;
    for (const std::string_view field : std::get<std::vector<std::string>>(value)) {
        ++number;
        const std::size_t colon = field.find(':');
        if (colon == std::string_view::npos) return "has no colon in field " + std::to_string(number) + ", expected \"Name: value\"";
        const std::string_view name = field.substr(0, colon);
        if (!is_token(name)) return "has " + cited(name) + " in field " + std::to_string(number) + ", which is not a field name";
        if (!field_value_fault(trim(field.substr(colon + 1))).empty()) return "has a control character in the value of " + cited(name);
    }
    return {};
}

std::string check_secret_header(const OptionValue& value) {
    for (const std::string_view name : std::get<std::vector<std::string>>(value))
        if (!is_token(name)) return "has " + cited(name) + ", which is not a field name";
    return {};
}

std::string check_user_agent(const OptionValue& value) {
    const std::string& text = std::get<std::string>(value);
    if (text.empty()) return "is empty; leave it out to send none";
    const std::string_view fault = field_value_fault(text);
    return fault.empty() ? std::string() : "is " + cited(text) + ", which " + std::string(fault);
}

std::string check_protocol_version(const OptionValue& value) {
    const std::string& text = std::get<std::string>(value);
    return text == "1.1" ? std::string() : "is " + cited(text) + ", must be \"1.1\": the opening handshake has no other";
}

// The value is not shown: it may have credentials.
std::string check_proxy(const OptionValue& value) {
    return parse_proxy(std::get<std::string>(value))
               ? std::string()
               : "is no URI of a proxy, expected \"http://[user:password@]host[:port]\" or the like with socks5 or socks5h";
}

using enum OptionType;

// Linux takes no more (MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL, MAX_TCP_KEEPCNT in the kernel's net/tcp.h).
constexpr std::int64_t longest_keepalive = 32767;
constexpr std::int64_t most_keepalive_probes = 127;
// The kernel doubles the size, in an int.
constexpr std::int64_t largest_socket_buffer = 1'073'741'823;
constexpr std::int64_t day = 86'400;
// So that any other wish is answered by the check, which gives the reason.
constexpr std::int64_t most_renegotiations = std::numeric_limits<std::int64_t>::max();

constexpr std::int64_t most_redirects = 1000;

constinit const Option options[] = {
    {.wrapper = "socket", .name = "bindto", .type = string, .check = check_bindto},
    {.wrapper = "socket", .name = "backlog", .type = integer, .standard = 4096, .least = 1, .most = 65535},
    {.wrapper = "socket", .name = "ipv6_v6only", .type = boolean, .standard = false},
    {.wrapper = "socket", .name = "so_reuseport", .type = boolean, .standard = false},
    {.wrapper = "socket", .name = "so_broadcast", .type = boolean, .refusal = "a TCP stream has no broadcast"},
    {.wrapper = "socket", .name = "tcp_nodelay", .type = boolean, .standard = true},
    {.wrapper = "socket", .name = "so_keepalive", .type = boolean},
    {.wrapper = "socket", .name = "tcp_keepidle", .type = integer, .least = 1, .most = longest_keepalive},
    {.wrapper = "socket", .name = "tcp_keepintvl", .type = integer, .least = 1, .most = longest_keepalive},
    {.wrapper = "socket", .name = "tcp_keepcnt", .type = integer, .least = 1, .most = most_keepalive_probes},
    {.wrapper = "socket", .name = "so_rcvbuf", .type = integer, .least = 1, .most = largest_socket_buffer},
    {.wrapper = "socket", .name = "so_sndbuf", .type = integer, .least = 1, .most = largest_socket_buffer},
    {.wrapper = "http", .name = "header", .type = list, .check = check_header},
    {.wrapper = "http", .name = "secret_header", .type = list, .check = check_secret_header},
    {.wrapper = "http", .name = "user_agent", .type = string, .check = check_user_agent},
    {.wrapper = "http", .name = "timeout", .type = integer, .least = 1, .most = day},
    {.wrapper = "http", .name = "protocol_version", .type = string, .check = check_protocol_version},
    {.wrapper = "http", .name = "proxy", .type = string, .check = check_proxy},
    {.wrapper = "http", .name = "max_redirects", .type = integer, .least = 0, .most = most_redirects},
    {.wrapper = "http", .name = "follow_location", .type = boolean},
    {.wrapper = "ssl", .name = "peer_name", .type = string, .check = check_peer_name},
    {.wrapper = "ssl", .name = "verify_peer", .type = boolean},
    {.wrapper = "ssl", .name = "verify_peer_name", .type = boolean, .standard = true},
    {.wrapper = "ssl", .name = "allow_self_signed", .type = boolean, .standard = false},
    {.wrapper = "ssl", .name = "cafile", .type = string, .check = check_path},
    {.wrapper = "ssl", .name = "capath", .type = string, .check = check_path},
    {.wrapper = "ssl", .name = "verify_depth", .type = integer, .least = 0, .most = 100},
    {.wrapper = "ssl", .name = "local_cert", .type = string, .check = check_path},
    {.wrapper = "ssl", .name = "local_pk", .type = string, .check = check_path},
    {.wrapper = "ssl", .name = "passphrase", .type = string},
    {.wrapper = "ssl", .name = "SNI_enabled", .type = boolean, .standard = true},
    {.wrapper = "ssl", .name = "SNI_server_certs", .type = map, .check = check_server_certificates},
    {.wrapper = "ssl", .name = "peer_fingerprint", .type = string, .other_type = map, .check = check_fingerprint},
    {.wrapper = "ssl", .name = "capture_peer_cert", .type = boolean, .standard = false},
    {.wrapper = "ssl", .name = "capture_peer_cert_chain", .type = boolean, .standard = false},
    {.wrapper = "ssl", .name = "ciphers", .type = string, .check = check_ciphers},
    {.wrapper = "ssl", .name = "crypto_method", .type = string, .check = check_tls_version},
    {.wrapper = "ssl", .name = "min_proto_version", .type = string, .check = check_tls_version},
    {.wrapper = "ssl", .name = "max_proto_version", .type = string, .check = check_tls_version},
    {.wrapper = "ssl", .name = "security_level", .type = integer, .least = 0, .most = 5},
    {.wrapper = "ssl", .name = "max_rsa_bits", .type = integer, .least = 1024, .most = 8192},
    {.wrapper = "ssl", .name = "allow_all_curves", .type = boolean},
    {.wrapper = "ssl", .name = "alpn_protocols", .type = string, .check = check_alpn_protocols},
    {.wrapper = "ssl", .name = "disable_compression", .type = boolean, .standard = true, .check = check_compression},
    {.wrapper = "ssl", .name = "honor_cipher_order", .type = boolean, .standard = true, .check = check_cipher_order},
    {.wrapper = "ssl", .name = "no_ticket", .type = boolean, .standard = false},
    {.wrapper = "ssl", .name = "reneg_limit", .type = integer, .least = 0, .most = most_renegotiations, .check = check_renegotiation},
    {.wrapper = "ssl", .name = "reneg_window", .type = integer, .refusal = "renegotiation is always off"},
};

}  // namespace

std::span<const Option> known_options() noexcept { return options; }

}  // namespace hawser
