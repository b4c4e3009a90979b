#include <memory>

#include "call.hpp"
#include "commands.hpp"
#include "flow.hpp"

namespace hawser::command {

namespace {

int echo(const CallOptions& options) {
    Call call(options);
    call.client().on_text(send_back).on_binary(send_back).on_drain([](Connection& connection) { connection.resume(); });
    return call.run();
}

}  // namespace

Command make_echo(CommandLine& line) {
    Subcommand subcommand = line.add_subcommand("echo", "Connect, and send back what comes in until the server closes");
    const auto options = std::make_shared<CallOptions>();
    options->add_to(subcommand);
    return {subcommand, [options] { return echo(*options); }};
}

}  // namespace hawser::command
