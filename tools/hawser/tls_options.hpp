#pragma once

#include <string>
#include <vector>

#include <hawser/context.hpp>

#include "command_line.hpp"

namespace hawser::command {

/// Any option of the context, as WRAPPER.NAME=VALUE.
struct ContextOptions {
    std::vector<std::string> settings{};

    void add_to(Subcommand& subcommand);
    void apply_to(Context& context) const;
};

/// What a client can be told about TLS.
struct ClientTlsOptions {
    std::string authorities{};
    bool insecure = false;
    std::string certificate{};
    std::string key{};
    std::string pin{};
    std::string server_name{};

    void add_to(Subcommand& subcommand);
    /// Any of them was given, which makes sense with wss:// alone.
    bool are_given() const;
    void apply_to(Context& context) const;
};

/// What a server can be told about TLS.
struct ServerTlsOptions {
    bool enabled = false;
    std::string certificate{};
    std::string key{};
    std::string client_authorities{};

    void add_to(Subcommand& subcommand);
    void apply_to(Context& context) const;
};

}  // namespace hawser::command
