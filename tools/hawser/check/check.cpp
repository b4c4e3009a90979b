#include <fnmatch.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <hawser/uri.hpp>

#include "../commands.hpp"
#include "../files.hpp"
#include "../format.hpp"
#include "../options.hpp"
#include "../output.hpp"
#include "../progress_bar.hpp"
#include "../signals.hpp"
#include "../terminal.hpp"
#include "report.hpp"
#include "run.hpp"
#include "sources.hpp"

namespace hawser::command {

namespace {

using namespace hawser::check;

constexpr const char* about_check =
    "A server must echo what it receives. So must a client: it connects to the printed URL again and again, each time for\n"
    "one case, until that is refused; or --spawn starts it for each case.\n"
    "Verdicts: ok; informational, where the RFC leaves a choice; not strict, where a SHOULD is not followed or a sender's\n"
    "duty is not enforced; failed. What has been judged is reported also when a signal ends the run.\n"
    "Exit status: 0 no case failed, 1 one did, or not all were tried, 2 wrong usage.";

struct CheckOptions {
    std::string uri{};
    std::string port{};
    std::string spawn{};
    std::vector<std::string> only{};
    std::vector<std::string> reports{};
    std::string json{};
    std::string junit{};
    std::string html{};
    std::size_t jobs = 32;
    double timeout = 10;
    bool list = false;

    void add_to(Subcommand& subcommand);
    void validate() const;
    Role role() const { return port.empty() ? Role::server : Role::client; }
};

void CheckOptions::add_to(Subcommand& subcommand) {
    subcommand.add_option("URL", uri, "The server to check: ws://host:port/path");
    subcommand.add_option("--listen", port, "Check a client, on this port of 127.0.0.1; 0 for any that is free")
        .check(check_port)
        .type_name("PORT");
    subcommand.add_option("--spawn", spawn, "Start this client for each case, with {url} replaced").type_name("COMMAND");
    subcommand.add_list("--only", only, "Only cases whose id matches, as close.* (repeatable)").type_name("GLOB");
    subcommand.add_flag("--list", list, "List the cases instead; with --listen, those for clients");
    subcommand.add_option("--jobs", jobs, "Cases at the same time (32)").check_range(1, 1000).type_name("COUNT");
    subcommand.add_option("--timeout", timeout, "Bounds each case (10)").check(check_seconds).type_name("SECONDS");
    subcommand.add_option("--json", json, "Write the results").type_name("FILE");
    subcommand.add_option("--junit", junit, "Write the results for a build server").type_name("FILE");
    subcommand.add_option("--html", html, "Write the results as a page").type_name("FILE");
    subcommand.add_option("--report", reports, "Check nothing: make --html of what --json wrote, a column for each").type_name("FILE...");
    subcommand.footer(about_check);
}

void CheckOptions::validate() const {
    const int tasks = !uri.empty() + !port.empty() + !reports.empty();
    if (tasks > 1 || (tasks == 0 && !list)) throw WrongUsage("one of URL, --listen and --report is needed");
    if (!reports.empty() && html.empty()) throw WrongUsage("--report needs --html");
    if (!spawn.empty() && port.empty()) throw WrongUsage("--spawn needs --listen");
    if (!spawn.empty() && spawn.find("{url}") == std::string::npos) throw WrongUsage("--spawn needs {url} in its command");
    if (!uri.empty() && Uri(uri).is_secure()) throw WrongUsage("wss is not checked: give a ws:// URL");
}

std::vector<Case> chosen_cases(const CheckOptions& options) {
    std::vector<Case> cases = all_cases(options.role());
    const auto is_unwanted = [&](const Case& a_case) {
        return std::none_of(options.only.begin(), options.only.end(),
                            [&](const std::string& glob) { return fnmatch(glob.c_str(), a_case.id.c_str(), 0) == 0; });
    };
    if (!options.only.empty()) std::erase_if(cases, is_unwanted);
    if (cases.empty()) throw WrongUsage("no case matches --only");
    return cases;
}

/// How many cases are done, for a person.
class Progress {
public:
    explicit Progress(std::size_t all) : all_(all) {}

    void step(Verdict verdict) {
        failed_ += verdict == Verdict::failed;
        ++done_;
        bar_.show(static_cast<double>(done_) / static_cast<double>(all_),
                  std::to_string(done_) + " of " + std::to_string(all_) + ", " + std::to_string(failed_) + " failed");
        if (done_ == all_) bar_.clear();
    }

private:
    ProgressBar bar_{};
    std::size_t all_;
    std::size_t done_ = 0;
    std::size_t failed_ = 0;
};

std::string summary(const Report& report, double seconds) {
    std::string out;
    for (const Report::Row& row : report.rows) {
        if (row.verdict < Verdict::not_strict) continue;
        out += std::string(verdict_name(row.verdict)) + "  " + row.id + ": " + row.requirement + " (" + row.source + ")\n    " +
               row.detail + "\n";
        if (row.verdict != Verdict::failed) continue;
        for (const std::string& line : row.wire) out += "    " + line + "\n";
    }
    for (const std::string& section : sections_of(report)) {
        out += formatted("%-12s ", section.c_str()) + counts_text(count(report, section)) + "\n";
    }
    out += "all          " + counts_text(count(report)) + formatted(" in %.1f s", seconds);
    return out + (report.interruption.empty() ? "" : ", ended early: " + report.interruption) + "\n";
}

/// Writes the files that are wanted.
void write_files(const CheckOptions& options, const Report& report) {
    if (!options.json.empty()) write_text(options.json, to_json(report));
    if (!options.junit.empty()) write_text(options.junit, to_junit(report));
    if (!options.html.empty()) write_text(options.html, to_html({report}));
}

/// Tries the cases. Whatever ends that early, what has been judged is reported, once all that was opened and started has ended.
Report try_cases(const CheckOptions& options, Reactor& reactor) {
    const std::vector<Case> cases = chosen_cases(options);
    Subject subject;
    subject.role = options.role();
    subject.timeout = Seconds(options.timeout);
    Run run(reactor, subject, cases);
    Progress progress(cases.size());
    run.on_result = [&](const Result& result) { progress.step(result.judgement.verdict); };
    std::unique_ptr<ServerSource> server;
    std::unique_ptr<ClientSource> clients;
    if (subject.role == Role::server) {
        const Uri uri(options.uri);
        subject.authority = uri.authority();
        subject.target = uri.target();
        server = std::make_unique<ServerSource>(run, uri);
    } else {
        clients = std::make_unique<ClientSource>(reactor, run, options.port, options.spawn);
        print_out(reactor, "listening on " + clients->url() + "\n");
    }
    std::string interruption;
    try {
        if (server || !options.spawn.empty()) run.keep_running(options.jobs);
        reactor.run();
    } catch (const std::exception& error) {
        interruption = error.what();
    }
    Report report = Report::make(server ? options.uri : options.spawn.empty() ? "a client" : options.spawn, subject.role, run.results());
    report.interruption = interruption;
    return report;
}

int run_cases(const CheckOptions& options) {
    Reactor reactor;
    const Signals signals(reactor, [](bool) { throw std::runtime_error("interrupted"); });
    const TimePoint begin = std::chrono::steady_clock::now();
    const Report report = try_cases(options, reactor);
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
    print_out(reactor, summary(report, passed.count()));
    write_files(options, report);
    if (!report.interruption.empty()) print_error(report.interruption);
    return count(report)[static_cast<std::size_t>(Verdict::failed)] > 0 || !report.interruption.empty() ? 1 : 0;
}

int list_cases(const CheckOptions& options) {
    std::string text;
    for (const Case& a_case : chosen_cases(options)) text += a_case.id + ": " + a_case.requirement + " (" + a_case.source + ")\n";
    Reactor reactor;
    print_out(reactor, text);
    return 0;
}

int merge_reports(const CheckOptions& options) {
    std::vector<Report> reports;
    for (const std::string& path : options.reports) reports.push_back(from_json(read_text(path), path));
    write_text(options.html, to_html(reports));
    return 0;
}

int run_check(const CheckOptions& options) {
    options.validate();
    if (!options.reports.empty()) return merge_reports(options);
    return options.list ? list_cases(options) : run_cases(options);
}

}  // namespace

Command make_check(CommandLine& line) {
    Subcommand subcommand = line.add_subcommand("check", "Check whether a server or a client keeps to RFC 6455 and RFC 7692");
    const auto options = std::make_shared<CheckOptions>();
    options->add_to(subcommand);
    return {subcommand, [options] { return run_check(*options); }};
}

}  // namespace hawser::command
