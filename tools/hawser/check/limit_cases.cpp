#include "table.hpp"

namespace hawser::check {

namespace {

void add_sizes(Table& table) {
    for (const std::size_t mebibytes : {2U, 4U, 16U, 17U}) {
        const std::string name = std::to_string(mebibytes) + "-mebibytes";
        const std::string what = "a message of " + std::to_string(mebibytes) + " MiB is received, or refused with 1009";
        table.echo(name, what, "10.4", {data(op::binary, letters(mebibytes << 20))}).codes = {1009};
    }
    Frames frames;
    for (int i = 0; i < 320; ++i) frames.push_back(part(i == 0 ? op::binary : op::continuation, letters(65536)));
    frames.back().fin = true;
    table.echo("20-mebibytes-fragmented", "a message of 20 MiB in fragments is received, or refused with 1009", "10.4", frames).codes = {
        1009};
    Frames empty{part(op::text, "")};
    for (int i = 0; i < 200'000; ++i) empty.push_back(part(op::continuation, ""));
    empty.push_back(data(op::continuation, ""));
    table.echo("empty-fragments", "a message of 200,000 empty fragments is received, or refused", "10.4", empty).codes = {1009, 1008, 1002};
    Frames pings;
    for (int i = 0; i < 20'000; ++i) pings.push_back(data(op::ping, "ping " + std::to_string(i)));
    table.echo("pings", "of 20,000 pings at least the newest is answered, or the connection is ended", "5.5.3", pings).otherwise =
        Verdict::informational;
}

// Nothing more than the head is sent: what is promised cannot be meant.
void add_claims(Table& table) {
    const std::pair<const char*, std::uint64_t> claims[] = {
        {"2-to-32", std::uint64_t{1} << 32}, {"2-to-40", std::uint64_t{1} << 40}, {"2-to-63-less-1", (std::uint64_t{1} << 63) - 1}};
    for (const auto& [name, length] : claims) {
        Frame frame = data(op::binary, "");
        frame.form = LengthForm::bits64;
        frame.length = length;
        Case& a_case = table.fails("claim-" + std::string(name), "a frame may be refused with 1009 as soon as its length is known", "10.4",
                                   {frame}, {1009, 1002});
        a_case.otherwise = Verdict::informational;
    }
}

}  // namespace

std::vector<Case> limit_cases(Role role) {
    Table table(role, "limits");
    add_sizes(table);
    add_claims(table);
    return table.take();
}

}  // namespace hawser::check
