#pragma once

#include <string>
#include <string_view>

#include <hawser/context.hpp>

namespace hawser {

// Checks of the values of "ssl" options: what is wrong with one, or empty.

std::string check_compression(const OptionValue& value);
std::string check_renegotiation(const OptionValue& value);
std::string check_alpn_protocols(const OptionValue& value);
std::string check_fingerprint(const OptionValue& value);
std::string check_server_certificates(const OptionValue& value);
std::string check_path(const OptionValue& value);
std::string check_peer_name(const OptionValue& value);

// These depend on what the TLS library can do: defined in transport/, where it is known.
std::string check_ciphers(const OptionValue& value);
std::string check_tls_version(const OptionValue& value);
std::string check_cipher_order(const OptionValue& value);

/// The bytes that `hex` stands for, in which colons may separate pairs; empty when it is something else.
std::string bytes_of_hex(std::string_view hex);
/// The parts of a list, trimmed.
std::vector<std::string> split_list(std::string_view list, char separator);

}  // namespace hawser
