#include "table.hpp"

namespace hawser::check {

namespace {

constexpr const char* valid_text = "a text may hold any UTF-8";
constexpr const char* invalid_text = "a text that is not UTF-8 fails the connection with 1007";

void add_valid(Table& table) {
    for (const auto& [name, bytes] : valid_utf8()) {
        table.echo(std::string("valid-") + name, valid_text, "5.6", {data(op::text, bytes)});
        for (std::size_t cut = 1; cut < bytes.size(); ++cut)
            table.echo(std::string("valid-") + name + ".split-" + std::to_string(cut), "a character may be cut by the end of a fragment",
                       "5.6", {part(op::text, bytes.substr(0, cut)), data(op::continuation, bytes.substr(cut))});
        Frames frames{part(op::text, "")};
        for (const char byte : bytes) frames.push_back(part(op::continuation, std::string(1, byte)));
        frames.push_back(data(op::continuation, ""));
        if (bytes.size() > 1)
            table.echo(std::string("valid-") + name + ".bytewise", "a character may be spread over fragments of one byte", "5.6", frames)
                .steps[0]
                .chop = 1;
    }
}

void add_invalid(Table& table) {
    for (const auto& [name, bytes] : invalid_utf8()) {
        table.fails(std::string("invalid-") + name, invalid_text, "8.1", {data(op::text, bytes)}, {1007});
        table.fails(std::string("invalid-") + name + ".inside", invalid_text, "8.1", {data(op::text, "before " + bytes + " behind")},
                    {1007});
        for (std::size_t cut = 1; cut < bytes.size(); ++cut)
            table.fails(std::string("invalid-") + name + ".split-" + std::to_string(cut), "fragments are checked as one text", "8.1",
                        {part(op::text, bytes.substr(0, cut)), data(op::continuation, bytes.substr(cut))}, {1007});
        table.fails(std::string("invalid-") + name + ".last-fragment", "fragments are checked as one text", "8.1",
                    {part(op::text, "valid"), part(op::continuation, ""), data(op::continuation, bytes)}, {1007});
    }
}

// Checks that look at several bytes at once have borders of their own.
void add_long(Table& table) {
    for (const std::size_t length : {7U, 8U, 15U, 16U, 31U, 32U, 63U, 64U, 127U, 1000U, 4095U, 65530U}) {
        const std::string place = std::to_string(length);
        table.echo("valid-behind-" + place, valid_text, "5.6", {data(op::text, letters(length) + "\xF0\x9F\x8E\x89" + letters(length))});
        table.fails("invalid-behind-" + place, invalid_text, "8.1", {data(op::text, letters(length) + "\xED\xA0\x80" + letters(length))},
                    {1007});
        table.fails("cut-behind-" + place, invalid_text, "8.1", {data(op::text, letters(length) + "\xF0\x9F\x8E")}, {1007});
    }
}

}  // namespace

std::vector<Case> utf8_cases(Role role) {
    Table table(role, "utf8");
    add_valid(table);
    add_invalid(table);
    add_long(table);
    table.echo("not-in-binary", "a binary message need not be UTF-8", "5.6", {data(op::binary, "\xFF\xFE\xC0\x80")});
    table.echo("not-across-messages", "each text is checked by itself", "5.6",
               {data(op::text, "\xC3\xA9"), data(op::text, "x"), data(op::text, "\xE2\x82\xAC")});
    table.fails("across-messages", "each text is checked by itself", "8.1", {data(op::text, "\xC3"), data(op::text, "\xA9")}, {1007});
    table.echo("ping-inside-character", "a control frame may come within a character that fragments cut", "5.4",
               {part(op::text, "\xE2\x82"), data(op::ping, "\xFF"), data(op::continuation, "\xAC")});
    return table.take();
}

}  // namespace hawser::check
