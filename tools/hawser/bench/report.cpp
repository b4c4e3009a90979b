#include "report.hpp"

#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "../format.hpp"

namespace hawser::bench {

namespace {

using command::formatted;

constexpr std::array<std::pair<const char*, double>, 6> percentiles = {
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"p99.99", 0.9999}, {"max", 1}}};

const char* mode_name(Mode mode) {
    switch (mode) {
        case Mode::echo: return "echo";
        case Mode::connect: return "connect";
        case Mode::idle: return "idle";
    }
    return "";
}

double microseconds(const Report& report, double share) { return static_cast<double>(report.latency.quantile(share)) / 1000; }

double per_second(const Report& report, std::uint64_t count) { return static_cast<double>(count) / report.seconds; }

double percent(const Report& report, double cpu_seconds) { return 100 * cpu_seconds / report.seconds; }

/// What the server spent on each of what was counted; nothing if that is not known.
std::optional<double> server_cost(const Report& report, std::uint64_t count) {
    if (!report.server_cpu_seconds || count == 0) return std::nullopt;
    return 1e6 * *report.server_cpu_seconds / static_cast<double>(count);
}

/// "1,234,567".
std::string grouped(double number) {
    std::string digits = formatted("%.0f", number);
    for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
    return digits;
}

std::string row(const char* name, const std::string& value) { return formatted("%-14s", name) + value + "\n"; }

std::string load_text(const Plan& plan) {
    std::string text = grouped(static_cast<double>(plan.connections)) + (plan.connections == 1 ? " connection" : " connections");
    if (plan.mode == Mode::connect) return text + ", made and closed again and again";
    if (plan.mode == Mode::idle && plan.size == 0) return text + ", idle";
    text += std::string(", ") + (plan.text ? "text" : "binary") + " messages of " + command::bytes_text(plan.size);
    if (plan.mode == Mode::idle) return text + ", one each, then idle";
    if (plan.rate) return text + formatted(", %.10g a second", *plan.rate);
    return text + ", " + std::to_string(plan.depth) + " in flight each";
}

std::string latency_text(const Report& report) {
    std::string text;
    for (const auto& [name, share] : percentiles)
        text += formatted("%s%s %.1f", text.empty() ? "" : ", ", name, microseconds(report, share));
    return text + (report.plan.rate ? " us, from when a message was due to its echo"
                                    : " us, from the sending of a batch to its last echo (closed loop)");
}

std::string cpu_text(const Report& report) {
    std::string text = formatted("client %.0f %%", percent(report, report.client_cpu_seconds));
    if (!report.server_cpu_seconds) return text;
    text += formatted(", server %.0f %%", percent(report, *report.server_cpu_seconds));
    if (const auto cost = server_cost(report, report.messages)) text += formatted(", %.2f us a message", *cost);
    if (const auto cost = server_cost(report, report.handshakes)) text += formatted(", %.2f us a connection", *cost);
    return text;
}

}  // namespace

std::string to_table(const Report& report) {
    std::string text = row("load", load_text(report.plan));
    text += row("time", formatted("%.2f s", report.seconds));
    if (report.plan.mode == Mode::echo) {
        const double rate = per_second(report, report.messages);
        text += row("messages", grouped(static_cast<double>(report.messages)) + ", " + grouped(rate) + " a second, " +
                                    formatted("%.2f MB/s each way", 1e-6 * rate * static_cast<double>(report.plan.size)));
        text += row("latency", latency_text(report));
    }
    if (report.plan.mode == Mode::connect)
        text += row("handshakes",
                    grouped(static_cast<double>(report.handshakes)) + ", " + grouped(per_second(report, report.handshakes)) + " a second");
    text += row("CPU", cpu_text(report));
    if (report.rss_bytes_per_connection)
        text += row("memory", formatted("server %.0f bytes a connection", *report.rss_bytes_per_connection));
    if (report.errors != 0) text += row("errors", grouped(static_cast<double>(report.errors)));
    return text;
}

std::string to_json(const Report& report) {
    const Plan& plan = report.plan;
    nlohmann::ordered_json whole = {{"mode", mode_name(plan.mode)}, {"url", plan.call.uri}, {"connections", plan.connections}};
    if (plan.mode != Mode::connect) whole["size"] = plan.size;
    if (plan.mode == Mode::echo && !plan.rate) whole["depth"] = plan.depth;
    if (plan.mode != Mode::connect) whole["opcode"] = opcode_name(plan.opcode());
    if (plan.rate) whole["rate"] = *plan.rate;
    whole["seconds"] = report.seconds;
    if (plan.mode == Mode::echo) {
        whole["messages"] = report.messages;
        whole["messages_per_second"] = per_second(report, report.messages);
        whole["bytes_per_second"] = per_second(report, report.messages) * static_cast<double>(plan.size);
        for (const auto& [name, share] : percentiles) whole["latency_us"][name] = microseconds(report, share);
    }
    if (plan.mode == Mode::connect) {
        whole["handshakes"] = report.handshakes;
        whole["handshakes_per_second"] = per_second(report, report.handshakes);
    }
    whole["errors"] = report.errors;
    whole["client_cpu_percent"] = percent(report, report.client_cpu_seconds);
    if (const auto cost = server_cost(report, report.messages)) whole["server_us_per_message"] = *cost;
    if (const auto cost = server_cost(report, report.handshakes)) whole["server_us_per_connection"] = *cost;
    if (report.server_cpu_seconds) whole["server_cpu_percent"] = percent(report, *report.server_cpu_seconds);
    if (report.rss_bytes_per_connection) whole["rss_bytes_per_connection"] = *report.rss_bytes_per_connection;
    // A URL may be no UTF-8.
    return whole.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace hawser::bench
