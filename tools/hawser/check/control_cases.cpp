#include "table.hpp"

namespace hawser::check {

namespace {

void add_pings(Table& table) {
    for (const std::size_t length : {0U, 1U, 2U, 5U, 64U, 123U, 124U, 125U}) {
        const std::string name = "ping-" + std::to_string(length);
        const std::string requirement = "a ping of " + std::to_string(length) + " bytes is answered with a pong of the same content";
        table.echo(name, requirement, "5.5.3", {data(op::ping, letters(length))});
        table.echo(name + ".bytewise", requirement + ", sent one byte at a time", "5.5.3", {data(op::ping, letters(length))})
            .steps[0]
            .chop = 1;
    }
    table.echo("ping-binary", "a ping may hold any byte", "5.5.2", {data(op::ping, std::string("\x00\xFF\xFE\xC0\x80", 5))});
    table.echo("ping-then-text", "a message behind a ping is received", "5.5.2", {data(op::ping, "hello"), data(op::text, "message")});
    for (const int count : {2, 10, 100}) {
        Frames frames;
        for (int i = 0; i < count; ++i) frames.push_back(data(op::ping, "ping " + std::to_string(i)));
        table.echo("pings-" + std::to_string(count), "of several pings at least the newest is answered, and in their order", "5.5.3",
                   frames);
    }
}

void add_pongs(Table& table) {
    for (const std::size_t length : {0U, 5U, 125U}) {
        table.echo("pong-" + std::to_string(length), "a pong that was not asked for is ignored", "5.5.3",
                   {data(op::pong, letters(length)), data(op::text, "message")});
        table.echo("pong-" + std::to_string(length) + "-then-ping", "a pong that was not asked for is ignored", "5.5.3",
                   {data(op::pong, letters(length)), data(op::ping, "hello")});
    }
    table.echo("pong-in-message", "a pong may come between fragments", "5.5",
               {part(op::text, "first "), data(op::pong, "x"), data(op::continuation, "last")});
}

void add_too_long(Table& table) {
    for (const unsigned opcode : {op::ping, op::pong, op::close}) {
        for (const std::size_t length : {126U, 127U, 65535U, 65536U}) {
            const Frame frame = opcode == op::close ? close_frame(1000, letters(length - 2)) : data(opcode, letters(length));
            table.fails(opcode_text(opcode) + "-" + std::to_string(length), "a control frame has at most 125 bytes", "5.5", {frame});
        }
        Frame claim = data(opcode, letters(5));
        claim.form = LengthForm::bits64;
        claim.length = std::uint64_t{1} << 62;
        table.fails(opcode_text(opcode) + "-2-to-62", "a control frame has at most 125 bytes", "5.5", {claim}, {1002, 1009});
    }
}

void add_fragmented(Table& table) {
    for (const unsigned opcode : {op::ping, op::pong, op::close}) {
        const std::string requirement = "a control frame must not be fragmented";
        const std::string full = opcode == op::close ? close_frame(1000).payload : "hello";
        table.fails(opcode_text(opcode) + "-fragment", requirement, "5.5", {part(opcode, full)});
        table.fails(opcode_text(opcode) + "-fragment-empty", requirement, "5.5", {part(opcode, "")});
        table.fails(opcode_text(opcode) + "-fragment-continued", requirement, "5.5", {part(opcode, full), data(op::continuation, "")});
        table.fails(opcode_text(opcode) + "-fragment-in-message", requirement, "5.5", {part(op::text, "first"), part(opcode, full)});
    }
}

}  // namespace

std::vector<Case> control_cases(Role role) {
    Table table(role, "control");
    add_pings(table);
    add_pongs(table);
    add_too_long(table);
    add_fragmented(table);
    return table.take();
}

}  // namespace hawser::check
