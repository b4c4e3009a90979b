#include <array>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "report.hpp"

namespace hawser::check {

namespace {

constexpr std::array<Verdict, 4> verdicts = {Verdict::ok, Verdict::informational, Verdict::not_strict, Verdict::failed};

const char* role_name(Role role) { return role == Role::server ? "server" : "client"; }

Verdict verdict_of(const std::string& name) {
    for (const Verdict verdict : verdicts)
        if (name == verdict_name(verdict)) return verdict;
    throw std::runtime_error("\"" + name + "\" is no verdict");
}

}  // namespace

std::string to_json(const Report& report) {
    nlohmann::ordered_json cases = nlohmann::ordered_json::array();
    for (const Report::Row& row : report.rows) {
        nlohmann::ordered_json one = {{"id", row.id},         {"requirement", row.requirement},
                                      {"source", row.source}, {"verdict", verdict_name(row.verdict)},
                                      {"detail", row.detail}, {"seconds", row.seconds}};
        if (!row.wire.empty()) one["wire"] = row.wire;
        cases.push_back(std::move(one));
    }
    nlohmann::ordered_json counts;
    const Counts all = count(report);
    for (const Verdict verdict : verdicts) counts[verdict_name(verdict)] = all[static_cast<std::size_t>(verdict)];
    nlohmann::ordered_json whole = {{"subject", report.subject}, {"role", role_name(report.role)}, {"counts", std::move(counts)}};
    if (!report.interruption.empty()) whole["interruption"] = report.interruption;
    whole["cases"] = std::move(cases);
    // A command may be no UTF-8.
    return whole.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Report from_json(const std::string& text, const std::string& name) {
    try {
        const auto whole = nlohmann::json::parse(text);
        Report report;
        report.subject = whole.at("subject").get<std::string>();
        report.role = whole.at("role") == "client" ? Role::client : Role::server;
        report.interruption = whole.value("interruption", std::string());
        for (const auto& one : whole.at("cases"))
            report.rows.push_back({one.at("id").get<std::string>(), one.at("requirement").get<std::string>(),
                                   one.at("source").get<std::string>(), verdict_of(one.at("verdict").get<std::string>()),
                                   one.at("detail").get<std::string>(), one.at("seconds").get<double>(),
                                   one.value("wire", std::vector<std::string>())});
        return report;
    } catch (const std::exception& error) {
        throw std::runtime_error(name + " is no report of hawser check --json: " + error.what());
    }
}

}  // namespace hawser::check
