#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "trial.hpp"

namespace hawser::check {

/// The results of a run, apart from the cases that made them.
struct Report {
    struct Row {
        std::string id;
        std::string requirement;
        std::string source;
        Verdict verdict;
        std::string detail;
        double seconds;
        /// Only of what failed or is not strict.
        std::vector<std::string> wire;

        std::string section() const { return id.substr(0, id.find('.')); }
    };

    /// A server's URL or a client's command.
    std::string subject{};
    Role role = Role::server;
    std::vector<Row> rows{};
    /// Why the run ended before all cases were judged; empty if it did not.
    std::string interruption{};

    static Report make(std::string subject, Role role, const std::vector<Result>& results);
};

/// How many rows have each verdict, in the order of the enumeration.
using Counts = std::array<std::size_t, 4>;

/// Sections in the order of their first row.
std::vector<std::string> sections_of(const Report& report);
/// Of one section, or of all if it is empty.
Counts count(const Report& report, const std::string& section = {});
/// "518 ok, 3 failed".
std::string counts_text(const Counts& counts);

std::string to_json(const Report& report);
/// Throws if the text is no such report; `name` says whose.
Report from_json(const std::string& text, const std::string& name);
std::string to_junit(const Report& report);
/// A page with a table for each section, and a column for each report.
std::string to_html(const std::vector<Report>& reports);

}  // namespace hawser::check
