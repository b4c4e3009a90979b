#pragma once

#include <functional>

#include "command_line.hpp"

namespace hawser::command {

/// A subcommand, and what it does once its options are parsed, which gives the exit status.
struct Command {
    Subcommand subcommand;
    std::function<int()> run;
};

// Each adds its subcommand.
Command make_bench(CommandLine& line);
Command make_check(CommandLine& line);
Command make_serve(CommandLine& line);
Command make_connect(CommandLine& line);
Command make_echo(CommandLine& line);
Command make_send(CommandLine& line);

}  // namespace hawser::command
