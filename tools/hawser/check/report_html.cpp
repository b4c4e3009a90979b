#include <algorithm>
#include <map>

#include "markup.hpp"
#include "report.hpp"

namespace hawser::check {

namespace {

constexpr const char* head = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>hawser check</title>
<style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 80em; padding: 0 1em; color: #222; }
table { border-collapse: collapse; width: 100%; margin: .5em 0 2em; }
td, th { border: 1px solid #ccc; padding: .25em .5em; text-align: left; vertical-align: top; }
.ok { background: #d8f0d8; } .informational { background: #dde8f8; } .not-strict { background: #fbeecb; } .failed { background: #f8d0d0; }
small { color: #555; } code, pre { font: 12px/1.3 ui-monospace, monospace; } pre { overflow-x: auto; max-width: 60em; }
</style></head><body>
<h1>hawser check</h1>
)";

std::string css_class(Verdict verdict) { return verdict == Verdict::not_strict ? "not-strict" : verdict_name(verdict); }

std::string cell(const Report::Row* row) {
    if (!row) return "<td></td>";
    std::string out = "<td class=\"" + css_class(row->verdict) + "\">" + verdict_name(row->verdict);
    if (!row->detail.empty()) out += "<br><small>" + markup(row->detail) + "</small>";
    if (!row->wire.empty()) {
        out += "<details><summary>wire</summary><pre>";
        for (const std::string& line : row->wire) out += markup(line) + "\n";
        out += "</pre></details>";
    }
    return out + "</td>";
}

std::string header_cells(const std::vector<Report>& reports) {
    std::string out;
    for (const Report& report : reports) {
        out += "<th>" + markup(report.subject) + "<br><small>" + (report.role == Role::server ? "server" : "client") + "</small>";
        if (!report.interruption.empty()) out += "<br>ended early: " + markup(report.interruption);
        out += "</th>";
    }
    return out;
}

std::string summary(const std::vector<Report>& reports, const std::vector<std::string>& sections) {
    std::string out = "<table><tr><th>section</th>" + header_cells(reports) + "</tr>\n";
    for (const std::string& section : sections) {
        const std::string name = markup(section);
        out.append("<tr><td><a href=\"#").append(name).append("\">").append(name).append("</a></td>");
        for (const Report& report : reports) out += "<td>" + counts_text(count(report, section)) + "</td>";
        out += "</tr>\n";
    }
    out += "<tr><th>all</th>";
    for (const Report& report : reports) out += "<th>" + counts_text(count(report)) + "</th>";
    return out + "</tr></table>\n";
}

/// A row for each case of any report, a column for each report.
std::string section_table(const std::string& section, const std::vector<Report>& reports) {
    std::vector<const Report::Row*> order;
    std::map<std::string, std::vector<const Report::Row*>> cells;
    for (std::size_t i = 0; i < reports.size(); ++i) {
        for (const Report::Row& row : reports[i].rows) {
            if (row.section() != section) continue;
            auto& line = cells[row.id];
            if (line.empty()) order.push_back(&row);
            line.resize(reports.size());
            line[i] = &row;
        }
    }
    const std::string name = markup(section);
    std::string out =
        "<h2 id=\"" + name + "\">" + name + "</h2>\n<table><tr><th>case</th><th>requirement</th>" + header_cells(reports) + "</tr>\n";
    for (const Report::Row* row : order) {
        out += "<tr><td><code>" + markup(row->id) + "</code></td><td>" + markup(row->requirement) + "<br><small>" + markup(row->source) +
               "</small></td>";
        for (const Report::Row* one : cells[row->id]) out += cell(one);
        out += "</tr>\n";
    }
    return out + "</table>\n";
}

}  // namespace

std::string to_html(const std::vector<Report>& reports) {
    std::vector<std::string> sections;
    for (const Report& report : reports)
        for (const std::string& section : sections_of(report))
            if (std::find(sections.begin(), sections.end(), section) == sections.end()) sections.push_back(section);
    std::string out = head + summary(reports, sections);
    for (const std::string& section : sections) out += section_table(section, reports);
    return out + "</body></html>\n";
}

}  // namespace hawser::check
