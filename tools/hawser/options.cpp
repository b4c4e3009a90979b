#include "options.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include <hawser/error.hpp>
#include <hawser/uri.hpp>

namespace hawser::command {

namespace {

constexpr std::uint64_t largest_size = std::uint64_t{1} << 40;
constexpr double largest_number = 1e9;
constexpr double longest_time = 10 * 365 * 86400.0;
constexpr std::size_t longest_ping = 125;  // RFC 6455, section 5.5

/// The number that `text` begins with, which is left with what follows; nothing if there is none.
template <typename Number>
std::optional<Number> parse_number(std::string_view& text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

std::string complain(const std::string& text, const std::string& expected) { return "\"" + text + "\" is not " + expected; }

constexpr const char* deflate_parameters =
    "server_no_context_takeover, client_no_context_takeover, server_max_window_bits=9..15, client_max_window_bits=9..15, "
    "memory_level=1..9, level=1..9 or threshold=BYTES";

/// Sets what "name" or "name=value" says; false if there is no such parameter.
bool set_parameter(DeflateOptions& options, std::string_view text) {
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    if (equals == std::string_view::npos) {
        if (name == "server_no_context_takeover") return options.server_no_context_takeover = true;
        return name == "client_no_context_takeover" && (options.client_no_context_takeover = true);
    }
    std::string_view rest = text.substr(equals + 1);
    const auto value = parse_number<int>(rest);
    if (!value || *value < 0 || !rest.empty()) return false;
    if (name == "threshold") return options.threshold = static_cast<std::size_t>(*value), true;
    int* const number = name == "server_max_window_bits"   ? &options.server_max_window_bits
                        : name == "client_max_window_bits" ? &options.client_max_window_bits
                        : name == "memory_level"           ? &options.memory_level
                        : name == "level"                  ? &options.level
                                                           : nullptr;
    if (number) *number = *value;
    return number != nullptr;
}

std::string check_deflate(const std::string& text) {
    DeflateOptions options;
    if (!set_parameter(options, text)) return complain(text, std::string("one of ") + deflate_parameters);
    try {
        options.validate();
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

std::string trimmed(const std::string& text) {
    constexpr const char* blanks = " \t\n\v\f\r";
    const std::size_t begin = text.find_first_not_of(blanks);
    return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// Complains unless `text` is "Name: value".
std::string check_header(const std::string& text) {
    const std::size_t colon = text.find(':');
    return colon == 0 || colon == std::string::npos ? complain(text, "of the form 'Name: value'") : std::string();
}

}  // namespace

void CompressionOptions::add_to(Subcommand& subcommand) {
    subcommand.add_flag("--deflate", enabled, "Compress messages, if the peer can do that too (permessage-deflate)");
    subcommand.add_list("--deflate-option", parameters, std::string("How to: ") + deflate_parameters + " (repeatable; implies --deflate)")
        .check(check_deflate)
        .type_name("NAME[=VALUE]");
}

DeflateOptions CompressionOptions::deflate_options() const {
    DeflateOptions options;
    for (const std::string& parameter : parameters) set_parameter(options, parameter);
    return options;
}

void CommonOptions::add_to(Subcommand& subcommand) {
    subcommand.add_option("--timeout", timeout, "Bounds each wait for the peer (60)").check(check_seconds).type_name("SECONDS");
    subcommand.add_option("--max-message", max_message, "Longest message that is accepted, with K, M or G if you like (16M)")
        .transform(to_bytes)
        .type_name("BYTES");
    subcommand.add_option("--unix", unix_path, "A Unix socket instead of host and port").type_name("PATH");
    compression.add_to(subcommand);
    context.add_to(subcommand);
    subcommand.add_flag("--verbose", verbose, "Tell on standard error what happens");
}

Configuration CommonOptions::bounds() const {
    Configuration configuration;
    configuration.timeout = Seconds(timeout);
    configuration.max_message_size = max_message;
    // Behind the high-water mark there must be room for what is already on its way: a longest message, or many short ones.
    configuration.max_buffered_amount = configuration.high_water_mark * 2 + max_message;
    return configuration;
}

void CallOptions::add_to(Subcommand& subcommand) {
    subcommand.add_option("URL", uri, "Where the server is: ws://host:port/path, or wss://").required();
    subcommand.add_list("--header", headers, "A header field for the request (repeatable)").check(check_header).type_name("'NAME: VALUE'");
    subcommand.add_list("--subprotocol", subprotocols, "A subprotocol to offer (repeatable)").check(check_subprotocol).type_name("NAME");
    tls.add_to(subcommand);
    common.add_to(subcommand);
}

ClientOptions CallOptions::client_options() const {
    if (tls.are_given() && !Uri(uri).is_secure())
        throw WrongUsage(uri + " is not encrypted: --cafile, --insecure, --cert, --key, --pin and --servername need wss://");
    ClientOptions options;
    options.unix_path = common.unix_path;
    options.configuration = common.configuration(tls);
    // What still comes in answer to a long input may take longer than a closing handshake alone.
    options.configuration.close_timeout = options.configuration.timeout;
    return options;
}

void CallOptions::apply_to(Client& client) const {
    for (const std::string& header : headers) {
        auto [name, value] = parse_header(header);
        client.add_header(std::move(name), std::move(value));
    }
    if (!subprotocols.empty()) client.add_middleware(std::make_shared<SubprotocolNegotiation>(subprotocols));
    common.compression.apply_to(client);
}

std::string check_seconds(const std::string& text) {
    std::string_view rest = text;
    const auto seconds = parse_number<double>(rest);
    const bool fits = seconds && rest.empty() && *seconds >= 0 && *seconds <= longest_time;
    return fits ? std::string() : complain(text, "a number of seconds from 0 to 10 years");
}

std::string check_positive(const std::string& text) {
    std::string_view rest = text;
    const auto number = parse_number<double>(rest);
    const bool fits = number && rest.empty() && *number > 0 && *number <= largest_number;
    return fits ? std::string() : complain(text, "a number above 0, and at most 1000000000");
}

std::string check_count(const std::string& text) {
    std::string_view rest = text;
    return parse_number<std::uint64_t>(rest) && rest.empty() ? std::string() : complain(text, "a number of at least 0");
}

std::string check_port(const std::string& text) {
    std::string_view rest = text;
    return parse_number<std::uint16_t>(rest) && rest.empty() ? std::string() : complain(text, "a port from 0 to 65535");
}

std::string to_bytes(const std::string& text) {
    std::string_view rest = text;
    const auto number = parse_number<std::uint64_t>(rest);
    const std::size_t unit = std::string_view("KMG").find(rest.empty() ? 'K' : rest.front());
    const unsigned shift = rest.empty() ? 0 : 10 * static_cast<unsigned>(unit + 1);
    if (!number || rest.size() > 1 || unit == std::string_view::npos || *number == 0 || *number > largest_size >> shift)
        throw WrongUsage(complain(text, "a number of bytes from 1 to 1024G"));
    return std::to_string(*number << shift);
}

Header parse_header(const std::string& text) {
    const std::size_t colon = text.find(':');
    return {trimmed(text.substr(0, colon)), trimmed(text.substr(colon + 1))};
}

// A token of RFC 9110, section 5.6.2.
std::string check_subprotocol(const std::string& text) {
    const auto is_wrong = [](char c) {
        return c <= ' ' || c >= 0x7F || std::string_view("()<>@,;:\\\"/[]?={}").find(c) != std::string_view::npos;
    };
    const bool fits = !text.empty() && std::none_of(text.begin(), text.end(), is_wrong);
    return fits ? std::string() : complain(text, "a subprotocol's name: letters, digits and !#$%&'*+-.^_`|~");
}

std::string check_ping(const std::string& content) {
    return content.size() > longest_ping ? "a ping has at most " + bytes_text(longest_ping) : std::string();
}

std::string bytes_text(std::size_t count) { return std::to_string(count) + (count == 1 ? " byte" : " bytes"); }

}  // namespace hawser::command
