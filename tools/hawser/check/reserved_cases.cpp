#include "table.hpp"

namespace hawser::check {

namespace {

Frame with_rsv(Frame frame, unsigned rsv) {
    frame.rsv = rsv;
    return frame;
}

void add_bits(Table& table) {
    for (unsigned rsv = 1; rsv <= 7; ++rsv) {
        for (const unsigned opcode : {op::text, op::binary, op::ping, op::pong, op::close, op::continuation}) {
            const Frame frame = with_rsv(opcode == op::close ? close_frame(1000) : data(opcode, "hello"), rsv);
            Frames frames{frame};
            if (opcode == op::continuation) frames.insert(frames.begin(), part(op::text, "first"));
            table.fails("rsv-" + std::to_string(rsv) + "-" + opcode_text(opcode),
                        "a reserved bit that no extension defines fails the connection", "5.2", frames);
        }
        table
            .fails("rsv-" + std::to_string(rsv) + "-later", "a reserved bit fails the connection, behind valid messages too", "5.2",
                   {data(op::text, "first"), with_rsv(data(op::text, "second"), rsv), data(op::text, "third")})
            .messages = {{op::text, "first"}};
    }
}

void add_opcodes(Table& table) {
    for (const unsigned opcode : {3U, 4U, 5U, 6U, 7U, 11U, 12U, 13U, 14U, 15U}) {
        const std::string name = "opcode-" + std::to_string(opcode);
        const std::string requirement = "an unknown opcode, " + std::to_string(opcode) + ", fails the connection";
        table.fails(name + "-empty", requirement, "5.2", {data(opcode, "")});
        table.fails(name, requirement, "5.2", {data(opcode, "hello")});
        table.fails(name + "-in-message", requirement, "5.2",
                    {part(op::text, "first"), data(opcode, "hello"), data(op::continuation, "rest")});
        table.fails(name + "-later", requirement, "5.2", {data(op::text, "first"), data(opcode, "hello"), data(op::text, "third")})
            .messages = {{op::text, "first"}};
    }
}

}  // namespace

std::vector<Case> reserved_cases(Role role) {
    Table table(role, "reserved");
    add_bits(table);
    add_opcodes(table);
    return table.take();
}

}  // namespace hawser::check
