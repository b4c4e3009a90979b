#include "table.hpp"

namespace hawser::check {

namespace {

void add_counts(Table& table, unsigned opcode) {
    const std::string kind = opcode_text(opcode);
    for (const std::size_t count : {2U, 3U, 10U, 100U, 1000U})
        table.echo(kind + "-in-" + std::to_string(count), "a message of " + std::to_string(count) + " fragments is put together", "5.4",
                   fragments(opcode, letters(count), 1));
    for (const std::size_t size : {1U, 125U, 126U, 127U, 65535U, 65536U, 65537U})
        table.echo(kind + "-of-" + std::to_string(size), "fragments of " + std::to_string(size) + " bytes are put together", "5.4",
                   fragments(opcode, letters(3 * size + size / 2), size));
    table.echo(kind + "-bytewise", "fragments that arrive one byte at a time are put together", "5.4", fragments(opcode, letters(20), 4))
        .steps[0]
        .chop = 1;
    const std::pair<const char*, Frames> rows[] = {
        {"first", {part(opcode, ""), part(op::continuation, "a"), data(op::continuation, "b")}},
        {"middle", {part(opcode, "a"), part(op::continuation, ""), data(op::continuation, "b")}},
        {"last", {part(opcode, "a"), part(op::continuation, "b"), data(op::continuation, "")}},
        {"all", {part(opcode, ""), part(op::continuation, ""), data(op::continuation, "")}},
    };
    for (const auto& [which, frames] : rows) table.echo(kind + "-empty-" + which, "a fragment may be empty", "5.4", frames);
}

void add_interleaving(Table& table, unsigned opcode) {
    const std::string kind = opcode_text(opcode);
    for (const std::size_t count : {1U, 2U, 10U}) {
        Frames frames{part(opcode, "first ")};
        for (std::size_t i = 0; i < count; ++i) {
            frames.push_back(data(op::ping, "ping " + std::to_string(i)));
            frames.push_back(part(op::continuation, "middle "));
        }
        frames.push_back(data(op::continuation, "last"));
        table.echo(kind + "-pings-" + std::to_string(count), "a ping between fragments is answered, and the message goes on", "5.4",
                   frames);
        table
            .echo(kind + "-pings-" + std::to_string(count) + ".bytewise", "a ping between fragments is answered, sent one byte at a time",
                  "5.4", frames)
            .steps[0]
            .chop = 1;
    }
    // The pong has to come while the message is not complete: an endpoint must not wait for the rest (section 5.4).
    table.echo(kind + "-ping-at-once", "a ping between fragments is answered before the message is complete", "5.4",
               {part(opcode, "first "), data(op::ping, "hello")});
    Frames two = fragments(opcode, letters(10), 3);
    for (const Frame& frame : fragments(opcode == op::text ? op::binary : op::text, letters(12), 5)) two.push_back(frame);
    table.echo(kind + "-then-other", "a fragmented message may follow another", "5.4", two);
    two.push_back(data(opcode, "whole"));
    table.echo(kind + "-then-whole", "an unfragmented message may follow a fragmented one", "5.4", two);
}

void add_disorder(Table& table, unsigned opcode) {
    const std::string kind = opcode_text(opcode);
    const std::string inside = "no new message may begin inside a fragmented one";
    for (const unsigned other : {op::text, op::binary}) {
        const std::string name = opcode_text(other) + "-inside-" + kind;
        table.fails(name, inside, "5.4", {part(opcode, "first"), data(other, "second")});
        table.fails(name + "-empty", inside, "5.4", {part(opcode, "first"), data(other, "")});
        table.fails(name + "-fragment", inside, "5.4", {part(opcode, "first"), part(other, "second"), data(op::continuation, "rest")});
        table.fails(name + "-late", inside, "5.4", {part(opcode, "a"), part(op::continuation, "b"), data(other, "second")});
    }
    const std::string behind = "a continuation needs a message to continue";
    table.fails("continuation-behind-" + kind, behind, "5.4", {data(opcode, "whole"), data(op::continuation, "more")}).messages = {
        {opcode, "whole"}};
    table
        .fails("continuation-behind-fragmented-" + kind, behind, "5.4",
               {part(opcode, "a"), data(op::continuation, "b"), data(op::continuation, "c")})
        .messages = {{opcode, "ab"}};
    table.fails("fragment-behind-" + kind, behind, "5.4", {data(opcode, "whole"), part(op::continuation, "more")}).messages = {
        {opcode, "whole"}};
}

}  // namespace

std::vector<Case> fragment_cases(Role role) {
    Table table(role, "fragments");
    for (const unsigned opcode : {op::text, op::binary}) {
        add_counts(table, opcode);
        add_interleaving(table, opcode);
        add_disorder(table, opcode);
    }
    const std::string behind = "a continuation needs a message to continue";
    table.fails("continuation-first", behind, "5.4", {data(op::continuation, "hello")});
    table.fails("continuation-first-empty", behind, "5.4", {data(op::continuation, "")});
    table.fails("continuation-first-fragment", behind, "5.4", {part(op::continuation, "hello"), data(op::text, "message")});
    table.fails("continuation-first-fragment-empty", behind, "5.4", {part(op::continuation, ""), data(op::text, "message")});
    table.fails("continuation-behind-ping", behind, "5.4", {data(op::ping, ""), data(op::continuation, "hello")});
    return table.take();
}

}  // namespace hawser::check
