#include "../format.hpp"
#include "markup.hpp"
#include "report.hpp"

namespace hawser::check {

namespace {

std::string test_case(const Report::Row& row) {
    std::string out = "  <testcase classname=\"" + markup(row.section()) + "\" name=\"" + markup(row.id + ": " + row.requirement) +
                      "\" time=\"" + command::formatted("%.3f", row.seconds) + "\">";
    std::string wire = row.source + "\n";
    for (const std::string& line : row.wire) wire += line + "\n";
    if (row.verdict == Verdict::failed)
        out += "<failure message=\"" + markup(row.detail) + "\">" + markup(wire) + "</failure>";
    else if (row.verdict != Verdict::ok)
        out += "<system-out>" + markup(std::string(verdict_name(row.verdict)) + ": " + row.detail) + "</system-out>";
    return out + "</testcase>\n";
}

}  // namespace

std::string to_junit(const Report& report) {
    std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"" + markup(report.subject) + "\">\n";
    for (const std::string& section : sections_of(report)) {
        const Counts counts = count(report, section);
        const std::size_t all = counts[0] + counts[1] + counts[2] + counts[3];
        out += " <testsuite name=\"" + markup(section) + "\" tests=\"" + std::to_string(all) + "\" failures=\"" +
               std::to_string(counts[3]) + "\" errors=\"0\">\n";
        for (const Report::Row& row : report.rows)
            if (row.section() == section) out += test_case(row);
        out += " </testsuite>\n";
    }
    if (!report.interruption.empty()) {
        out += R"( <testsuite name="run" tests="1" failures="0" errors="1"><testcase classname="run" name="all cases are tried">)";
        out += "<error message=\"" + markup(report.interruption) + "\"/></testcase></testsuite>\n";
    }
    return out + "</testsuites>\n";
}

}  // namespace hawser::check
