#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "../commands.hpp"
#include "../files.hpp"
#include "../output.hpp"
#include "../signals.hpp"
#include "../terminal.hpp"
#include "descriptors.hpp"
#include "loads.hpp"

namespace hawser::command {

namespace {

using namespace hawser::bench;

constexpr const char* about_bench =
    "echo: each connection sends --depth messages, one frame each, waits for all echoes, and sends the next. Every echo's kind\n"
    "and length are checked, the content of each connection's first ones and of a sample; a difference ends the run. With\n"
    "--rate, messages are sent at their times whether the server keeps up or not, and a latency counts from when a message was\n"
    "due, so that none is left out because the server was slow. connect: connections are made and closed again and again.\n"
    "idle: connections are made, exchange one message each (none with --size 0), and are held.\n"
    "A first SIGINT or SIGTERM ends the measurement early. Exit status: 0 all went well, 1 a connection failed or was lost,\n"
    "or an echo differed, 2 wrong usage.";

struct BenchOptions {
    Plan plan{};
    std::string mode = "echo";
    double rate = 0;
    pid_t server = 0;
    std::string json_path{};
    Option rate_option{};
    Option server_option{};
    Option json{};

    void add_to(Subcommand& subcommand);
    /// What was asked for, if that can be done.
    Plan checked_plan() const;
};

void check_process(pid_t id) {
    try {
        const Process process(id);
    } catch (const std::exception& error) {
        throw WrongUsage(std::string("--server-pid: ") + error.what());
    }
}

const std::map<std::string, Mode>& modes() {
    static const std::map<std::string, Mode> all = {{"echo", Mode::echo}, {"connect", Mode::connect}, {"idle", Mode::idle}};
    return all;
}

std::string check_mode(const std::string& text) { return modes().contains(text) ? "" : "\"" + text + "\" is not echo, connect or idle"; }

std::string to_size(const std::string& text) { return text == "0" ? text : to_bytes(text); }

Option add_count(Subcommand& subcommand, const std::string& name, std::size_t& value, const std::string& description) {
    return subcommand.add_option(name, value, description).check_range(1, 1'000'000).type_name("COUNT");
}

void BenchOptions::add_to(Subcommand& subcommand) {
    subcommand.add_option("--mode", mode, "What to measure: echo, connect or idle (echo)").check(check_mode).type_name("MODE");
    add_count(subcommand, "--connections", plan.connections, "Connections at the same time (100)");
    subcommand.add_option("--size", plan.size, "Length of a message, with K, M or G if you like (20)")
        .transform(to_size)
        .type_name("BYTES");
    add_count(subcommand, "--depth", plan.depth, "Messages that each connection has in flight (1)");
    subcommand.add_flag("--text", plan.text, "Send texts (ASCII, like JSON) instead of binary messages");
    subcommand.add_flag("--length-only", plan.length_only, "Do not compare the contents of echoes");
    subcommand.add_option("--duration", plan.duration, "How long to measure (3)").check(check_positive).type_name("SECONDS");
    subcommand.add_option("--warmup", plan.warmup, "How long to load before that (0.5)").check(check_seconds).type_name("SECONDS");
    rate_option = subcommand.add_option("--rate", rate, "Messages a second, over all connections (see below)").check(check_positive);
    rate_option.type_name("COUNT");
    server_option = subcommand.add_option("--server-pid", server, "The server's process, whose CPU time and memory are told too");
    server_option.check_positive().type_name("PID");
    json = subcommand.add_option("--json", json_path, "Print JSON instead, or write it to a file besides")
               .value_is_optional()
               .type_name("[FILE]");
    plan.call.add_to(subcommand);
    subcommand.footer(about_bench);
}

Plan BenchOptions::checked_plan() const {
    Plan checked = plan;
    checked.mode = modes().at(mode);
    if (rate_option.count() > 0) checked.rate = rate;
    if (server_option.count() > 0) checked.server = server;
    if (checked.rate && checked.mode != Mode::echo) throw WrongUsage("--rate is for --mode echo alone");
    if (checked.depth > 1 && (checked.rate || checked.mode != Mode::echo)) throw WrongUsage("--depth is for --mode echo without --rate");
    if (checked.size > checked.call.common.max_message)
        throw WrongUsage("messages of " + bytes_text(checked.size) + " are longer than --max-message, " +
                         bytes_text(checked.call.common.max_message));
    if (checked.server) check_process(*checked.server);
    if (const std::string complaint = make_room_for(checked.connections); !complaint.empty()) throw WrongUsage(complaint);
    return checked;
}

std::unique_ptr<Load> make_load(Reactor& reactor, const Plan& plan) {
    switch (plan.mode) {
        case Mode::connect: return make_connect_load(reactor, plan);
        case Mode::idle: return make_idle_load(reactor, plan);
        case Mode::echo: break;
    }
    return plan.rate ? make_open_loop(reactor, plan) : make_closed_loop(reactor, plan);
}

void print_report(Reactor& reactor, const BenchOptions& options, const Report& report) {
    const bool is_json = options.json.count() > 0;
    if (is_json && options.json_path.empty()) return print_out(reactor, to_json(report));
    print_out(reactor, to_table(report));
    if (is_json) write_text(options.json_path, to_json(report));
}

int run_bench(const BenchOptions& options) {
    const Plan plan = options.checked_plan();
    Reactor reactor;
    // An echo that is none ends the run.
    reactor.on_exception([](const std::exception_ptr& exception) { std::rethrow_exception(exception); });
    const std::unique_ptr<Load> load = make_load(reactor, plan);
    std::optional<Signals> signals(std::in_place, reactor, [&](bool) { load->finish(); });
    const Report report = load->run();
    // From here on a signal ends the process: the reader of standard output may never take the rest.
    signals.reset();
    print_report(reactor, options, report);
    if (report.errors == 0 && (plan.mode != Mode::echo || report.messages != 0)) return 0;
    print_error(report.errors == 0 ? plan.call.uri + ": no echo came in the measured time"
                                   : load->first_error() + " (" + std::to_string(report.errors) + " of " +
                                         std::to_string(plan.connections) + " connections failed)");
    return 1;
}

}  // namespace

Command make_bench(CommandLine& line) {
    Subcommand subcommand = line.add_subcommand("bench", "Load a server, and measure what it does");
    const auto options = std::make_shared<BenchOptions>();
    options->add_to(subcommand);
    return {subcommand, [options] { return run_bench(*options); }};
}

}  // namespace hawser::command
