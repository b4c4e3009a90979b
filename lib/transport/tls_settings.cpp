#include "transport/tls_settings.hpp"

#include <hawser/error.hpp>

#include "transport/tls.hpp"
#include "transport/tls_ciphers.hpp"
#include "types/ssl_options.hpp"
#include "types/text.hpp"

namespace hawser {
namespace {

using transport::mbedtls::Version;

/// Whether `name` is a version that can be spoken.
bool find_version(std::string_view name, Version& version) {
    if (name != "TLSv1.2" && name != "TLSv1.3") return false;
    version = name == "TLSv1.3" ? Version::tls13 : Version::tls12;
    return version == Version::tls12 || transport::mbedtls::has_tls13();
}

}  // namespace

std::string check_tls_version(const OptionValue& value) {
    const std::string& name = std::get<std::string>(value);
    Version version{};
    if (find_version(name, version)) return {};
    if (name == "TLSv1.3") return "is \"TLSv1.3\", which " + transport::mbedtls::library_name() + " cannot speak";
    return "is " + cited(name) + ", expected \"TLSv1.2\" or \"TLSv1.3\": nothing below 1.2 is spoken";
}

std::string check_cipher_order(const OptionValue& value) {
    if (std::get<bool>(value) || transport::mbedtls::has_client_order()) return {};
    return "is false, which is refused: with " + transport::mbedtls::library_name() + " the order is always the server's";
}

}  // namespace hawser

namespace hawser::transport {
namespace {

std::string text_of(const Context& context, std::string_view name) { return context.get_option_or("ssl", name, std::string()); }
bool flag_of(const Context& context, std::string_view name, bool fallback = false) { return context.get_option_or("ssl", name, fallback); }

Pin make_pin(std::string digest) {
    const mbedtls_md_type_t hash = digest.size() == 20 ? MBEDTLS_MD_SHA1 : MBEDTLS_MD_SHA256;
    return {hash, std::move(digest)};
}

std::vector<Pin> read_pins(const Context& context) {
    std::vector<Pin> pins;
    const OptionValue* value = context.get_option("ssl", "peer_fingerprint");
    if (!value) return pins;
    if (const std::string* hex = std::get_if<std::string>(value)) return {make_pin(bytes_of_hex(*hex))};
    for (const auto& [hash, hex] : std::get<std::map<std::string, std::string>>(*value)) pins.push_back(make_pin(bytes_of_hex(hex)));
    return pins;
}

/// What certificates must at least be, by OpenSSL's levels: bits of security 0, 80, 112, 128, 192, 256.
mbedtls_x509_crt_profile profile_of(std::int64_t level) {
    constexpr std::uint32_t rsa_bits[] = {0, 1024, 2048, 3072, 7680, 15360};
    const auto md = [](mbedtls_md_type_t type) { return static_cast<std::uint32_t>(MBEDTLS_X509_ID_FLAG(type)); };
    const auto curve = [](mbedtls_ecp_group_id id) { return static_cast<std::uint32_t>(MBEDTLS_X509_ID_FLAG(id)); };
    mbedtls_x509_crt_profile profile{};
    profile.allowed_pks = 0xFFFFFFFU;
    profile.rsa_min_bitlen = rsa_bits[level];
    profile.allowed_mds = md(MBEDTLS_MD_SHA512);
    if (level <= 4) profile.allowed_mds |= md(MBEDTLS_MD_SHA384);
    if (level <= 3) profile.allowed_mds |= md(MBEDTLS_MD_SHA256);
    if (level <= 2) profile.allowed_mds |= md(MBEDTLS_MD_SHA224);
    if (level == 0) profile.allowed_mds |= md(MBEDTLS_MD_SHA1);
    profile.allowed_curves = curve(MBEDTLS_ECP_DP_SECP521R1) | curve(MBEDTLS_ECP_DP_BP512R1);
    if (level <= 4) profile.allowed_curves |= curve(MBEDTLS_ECP_DP_SECP384R1) | curve(MBEDTLS_ECP_DP_BP384R1);
    if (level <= 3)
        profile.allowed_curves |= curve(MBEDTLS_ECP_DP_SECP256R1) | curve(MBEDTLS_ECP_DP_BP256R1) | curve(MBEDTLS_ECP_DP_SECP256K1);
    if (level <= 1) profile.allowed_curves = 0xFFFFFFFU;
    return profile;
}

void read_versions(const Context& context, TlsSettings& settings) {
    settings.most = mbedtls::has_tls13() ? Version::tls13 : Version::tls12;
    const std::string only = text_of(context, "crypto_method");
    const std::string least = text_of(context, "min_proto_version");
    const std::string most = text_of(context, "max_proto_version");
    if (!only.empty() && find_version(only, settings.least)) settings.most = settings.least;
    if (!least.empty()) find_version(least, settings.least);
    if (!most.empty()) find_version(most, settings.most);
    if (settings.least > settings.most || (!only.empty() && (!least.empty() || !most.empty())))
        throw Error(Errc::invalid_option,
                    "ssl options \"crypto_method\", \"min_proto_version\" and \"max_proto_version\" leave no version of TLS: "
                    "give crypto_method alone, or a minimum that is not above the maximum");
}

void read_rules(const Context& context, bool is_server, VerifyRules& rules) {
    rules.is_server = is_server;
    rules.verify_peer = flag_of(context, "verify_peer", !is_server);
    rules.verify_name = flag_of(context, "verify_peer_name", true);
    rules.allow_self_signed = flag_of(context, "allow_self_signed");
    rules.pins = read_pins(context);
    if (const OptionValue* depth = context.get_option("ssl", "verify_depth"))
        rules.depth = static_cast<int>(std::get<std::int64_t>(*depth));
    // The highest levels ask for more than is else allowed.
    const std::int64_t level = context.get_option_or("ssl", "security_level", std::int64_t{0});
    rules.max_rsa_bits = static_cast<std::size_t>(context.get_option_or("ssl", "max_rsa_bits", std::int64_t{level >= 4 ? 8192 : 4096}));
    rules.allow_all_curves = flag_of(context, "allow_all_curves", level == 5);
}

void read_authorities(const Context& context, bool is_server, TlsSettings& settings) {
    if (const std::string file = text_of(context, "cafile"); !file.empty()) settings.authorities.push_back({file, "ssl option \"cafile\""});
    if (const std::string folder = text_of(context, "capath"); !folder.empty())
        settings.authorities.push_back({folder, "ssl option \"capath\"", true});
    if (!settings.rules.verify_peer || !settings.authorities.empty()) return;
    // Any public authority's word is good enough for a server's name, but not for who may come in.
    if (is_server) {
        if (settings.rules.allow_self_signed) return;
        throw Error(Errc::invalid_option,
                    "a server that verifies its clients (ssl option \"verify_peer\") needs ssl option \"cafile\" or \"capath\": "
                    "the certificates of those who issue the clients' ones");
    }
    settings.authorities = find_ca_sources();
    settings.has_system_authorities = true;
    if (settings.authorities.empty() && !settings.rules.allow_self_signed)
        throw Error(Errc::invalid_option,
                    "no bundle of CA certificates was found in the usual places: install ca-certificates, set SSL_CERT_FILE, "
                    "or give ssl option \"cafile\" or \"capath\"");
}

}  // namespace

TlsSettings TlsSettings::read(const Context& context, bool is_server) {
    TlsSettings settings;
    read_versions(context, settings);
    read_rules(context, is_server, settings.rules);
    read_authorities(context, is_server, settings);
    if (const OptionValue* name = context.get_option("ssl", "peer_name")) {
        settings.peer_name = std::get<std::string>(*name);
        settings.has_peer_name = true;
    }
    settings.send_name = flag_of(context, "SNI_enabled", true);
    settings.certificate = text_of(context, "local_cert");
    settings.key = text_of(context, "local_pk");
    settings.passphrase = text_of(context, "passphrase");
    settings.by_host = context.get_option_or("ssl", "SNI_server_certs", std::map<std::string, std::string>());
    if (settings.certificate.empty() && !settings.key.empty())
        throw IdentityMismatch(Errc::invalid_option,
                               "ssl option \"local_pk\" is given without \"local_cert\", the certificate that it belongs to");
    if (is_server && settings.certificate.empty() && settings.by_host.empty())
        throw Error(
            Errc::invalid_option,
            "a server of wss needs a certificate: give ssl option \"local_cert\", and \"local_pk\" if the key is not in the same file");
    std::string unknown;
    const std::string ciphers = text_of(context, "ciphers");
    settings.ciphersuites = ciphers.empty() ? default_ciphersuites() : find_ciphersuites(ciphers, unknown);
    const OptionValue* level = context.get_option("ssl", "security_level");
    settings.profile = level ? profile_of(std::get<std::int64_t>(*level)) : mbedtls_x509_crt_profile_default;
    const std::string protocols = text_of(context, "alpn_protocols");
    if (!protocols.empty()) settings.protocols = split_list(protocols, ',');
    settings.servers_order = flag_of(context, "honor_cipher_order", true);
    settings.keep_chain = flag_of(context, "capture_peer_cert_chain");
    settings.keep_certificate = settings.keep_chain || flag_of(context, "capture_peer_cert");
    // Of the chain a session has no more than the first certificate.
    settings.tickets = !flag_of(context, "no_ticket") && !settings.keep_chain;
    return settings;
}

}  // namespace hawser::transport
