#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <hawser/client.hpp>
#include <hawser/compression.hpp>
#include <hawser/configuration.hpp>

#include "command_line.hpp"
#include "tls_options.hpp"

namespace hawser::command {

/// Whether and how messages are compressed.
struct CompressionOptions {
    bool enabled = false;
    std::vector<std::string> parameters{};

    void add_to(Subcommand& subcommand);
    /// Adds the extension to a client or a server, if it is wanted.
    template <typename Endpoint>
    void apply_to(Endpoint& endpoint) const {
        if (enabled || !parameters.empty()) endpoint.add_middleware(std::make_shared<CompressionExtension>(deflate_options()));
    }

private:
    DeflateOptions deflate_options() const;
};

/// What every subcommand can be told.
struct CommonOptions {
    double timeout = 60;
    std::size_t max_message = 16 * 1024 * 1024;
    std::string unix_path{};
    CompressionOptions compression{};
    ContextOptions context{};
    bool verbose = false;

    void add_to(Subcommand& subcommand);
    /// `tls`: the role's own options, before which those of --context go.
    template <typename TlsOptions>
    Configuration configuration(const TlsOptions& tls) const {
        Configuration made = bounds();
        tls.apply_to(made.context);
        context.apply_to(made.context);
        return made;
    }

private:
    Configuration bounds() const;
};

/// What the subcommands that connect to a server can be told.
struct CallOptions {
    CommonOptions common{};
    ClientTlsOptions tls{};
    std::string uri{};
    std::vector<std::string> headers{};
    std::vector<std::string> subprotocols{};

    void add_to(Subcommand& subcommand);
    ClientOptions client_options() const;
    /// What is no part of those.
    void apply_to(Client& client) const;
};

// What is to be asked of values: complaints, empty if there is none.
std::string check_seconds(const std::string& text);
/// For a number above 0.
std::string check_positive(const std::string& text);
std::string check_count(const std::string& text);
std::string check_port(const std::string& text);
std::string check_subprotocol(const std::string& text);
std::string check_ping(const std::string& content);
/// "16M" as "16777216"; throws its complaint.
std::string to_bytes(const std::string& text);

/// Splits "Name: value".
Header parse_header(const std::string& text);

/// "1 byte", "2 bytes".
std::string bytes_text(std::size_t count);

}  // namespace hawser::command
