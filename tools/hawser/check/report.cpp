#include "report.hpp"

#include <algorithm>
#include <utility>

namespace hawser::check {

Report Report::make(std::string subject, Role role, const std::vector<Result>& results) {
    Report report{std::move(subject), role, {}, {}};
    for (const Result& result : results) {
        const bool kept = result.judgement.verdict >= Verdict::not_strict;
        report.rows.push_back({result.a_case->id, result.a_case->requirement, result.a_case->source, result.judgement.verdict,
                               printable(result.judgement.detail), result.seconds, kept ? result.wire : std::vector<std::string>()});
    }
    return report;
}

std::vector<std::string> sections_of(const Report& report) {
    std::vector<std::string> sections;
    for (const Report::Row& row : report.rows)
        if (std::find(sections.begin(), sections.end(), row.section()) == sections.end()) sections.push_back(row.section());
    return sections;
}

Counts count(const Report& report, const std::string& section) {
    Counts counts{};
    for (const Report::Row& row : report.rows)
        if (section.empty() || row.section() == section) ++counts[static_cast<std::size_t>(row.verdict)];
    return counts;
}

std::string counts_text(const Counts& counts) {
    std::string out;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] == 0) continue;
        out += (out.empty() ? "" : ", ") + std::to_string(counts[i]) + " " + verdict_name(static_cast<Verdict>(i));
    }
    return out;
}

}  // namespace hawser::check
