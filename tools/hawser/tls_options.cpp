#include "tls_options.hpp"

#include <string_view>

#include <hawser/error.hpp>

namespace hawser::command {

namespace {

/// Sets what "wrapper.name=value" says.
void set_option(Context& context, std::string_view text) {
    const std::size_t equals = text.find('=');
    const std::size_t dot = text.substr(0, equals).find('.');
    if (equals == std::string_view::npos || dot == std::string_view::npos)
        throw Error(Errc::invalid_option, "\"" + std::string(text) + "\" is not of the form WRAPPER.NAME=VALUE, as ssl.verify_depth=3");
    context.parse_option(text.substr(0, dot), text.substr(dot + 1, equals - dot - 1), text.substr(equals + 1));
}

void set_if_given(Context& context, const char* name, const std::string& value) {
    if (!value.empty()) context.set_option("ssl", name, value);
}

/// Adds --cert and --key.
Option add_identity(Subcommand& subcommand, std::string& certificate, std::string& key) {
    const Option option =
        subcommand.add_option("--cert", certificate, "Certificate to show, and those up to its root (PEM)").type_name("FILE");
    subcommand.add_option("--key", key, "Its private key, unless the file of --cert has it too").type_name("FILE").needs(option);
    return option;
}

}  // namespace

void ContextOptions::add_to(Subcommand& subcommand) {
    const auto check = [](const std::string& text) {
        try {
            Context context;
            set_option(context, text);
            return std::string();
        } catch (const Error& error) {
            return std::string(error.what());
        }
    };
    subcommand
        .add_list("--context", settings, "Any context option, as ssl.verify_depth=3; a list or a map grows by one (repeatable)")

        .check(check)
        .type_name("WRAPPER.NAME=VALUE");
}

void ContextOptions::apply_to(Context& context) const {
    for (const std::string& setting : settings) set_option(context, setting);
}

void ClientTlsOptions::add_to(Subcommand& subcommand) {
    subcommand.add_option("--cafile", authorities, "Certificates to trust instead of the system's (PEM)").type_name("FILE");
    subcommand.add_flag("--insecure", insecure, "Verify neither the server's certificate nor its name; a pin counts all the same");
    add_identity(subcommand, certificate, key);
    subcommand.add_option("--pin", pin, "SHA-256 fingerprint that the server's certificate must have").type_name("HEX");
    subcommand.add_option("--servername", server_name, "Name to send and to verify instead of the URL's host").type_name("NAME");
}

bool ClientTlsOptions::are_given() const { return insecure || !(authorities + certificate + key + pin + server_name).empty(); }

void ClientTlsOptions::apply_to(Context& context) const {
    if (insecure) context.set_option("ssl", "verify_peer", false);
    set_if_given(context, "cafile", authorities);
    set_if_given(context, "local_cert", certificate);
    set_if_given(context, "local_pk", key);
    set_if_given(context, "peer_fingerprint", pin);
    set_if_given(context, "peer_name", server_name);
}

void ServerTlsOptions::add_to(Subcommand& subcommand) {
    const Option tls = subcommand.add_flag("--tls", enabled,
                                           "Serve wss://; without --cert by a certificate made for this run, whose SHA-256\n"
                                           "fingerprint is a second line on standard output");
    add_identity(subcommand, certificate, key).needs(tls);
    subcommand.add_option("--client-ca", client_authorities, "Ask clients for a certificate that these have issued (PEM)")
        .type_name("FILE")
        .needs(tls);
}

void ServerTlsOptions::apply_to(Context& context) const {
    set_if_given(context, "local_cert", certificate);
    set_if_given(context, "local_pk", key);
    set_if_given(context, "cafile", client_authorities);
    if (!client_authorities.empty()) context.set_option("ssl", "verify_peer", true);
}

}  // namespace hawser::command
