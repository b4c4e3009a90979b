#pragma once

#include <functional>

#include <CLI/CLI.hpp>

namespace hawser::command {

/// A subcommand: its options, and what it does once they are parsed, which gives the exit status.
struct Command {
    CLI::App* options;
    std::function<int()> run;
};

// Each adds its subcommand to `app`.
Command make_bench(CLI::App& app);
Command make_check(CLI::App& app);
Command make_serve(CLI::App& app);
Command make_connect(CLI::App& app);
Command make_echo(CLI::App& app);
Command make_send(CLI::App& app);

}  // namespace hawser::command
