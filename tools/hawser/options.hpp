#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <hawser/client.hpp>
#include <hawser/configuration.hpp>

namespace hawser::command {

/// What every subcommand can be told.
struct CommonOptions {
    double timeout = 60;
    std::size_t max_message = 16 * 1024 * 1024;
    std::string unix_path{};
    bool verbose = false;

    void add_to(CLI::App& app);
    Configuration configuration() const;
};

/// What the subcommands that connect to a server can be told.
struct CallOptions {
    CommonOptions common{};
    std::string uri{};
    std::vector<std::string> headers{};
    std::vector<std::string> subprotocols{};

    void add_to(CLI::App& app);
    ClientOptions client_options() const;
};

/// An option that may be given several times, each time with one value.
CLI::Option* add_list(CLI::App& app, const std::string& name, std::vector<std::string>& values, const std::string& description);

// What CLI11 is to ask of values: complaints, empty if there is none.
std::string check_seconds(const std::string& text);
std::string check_count(const std::string& text);
std::string check_port(const std::string& text);
std::string check_subprotocol(const std::string& text);
std::string check_ping(const std::string& content);
/// "16M" as "16777216"; throws its complaint.
std::string to_bytes(std::string text);

/// Splits "Name: value".
Header parse_header(const std::string& text);

/// "1 byte", "2 bytes".
std::string bytes_text(std::size_t count);

}  // namespace hawser::command
