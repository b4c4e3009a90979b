#include "table.hpp"

namespace hawser::check {

namespace {

Case& add_closing(Table& table, const std::string& name, std::string requirement, const std::string& place, Frames frames,
                  std::vector<unsigned> codes) {
    Case& a_case = table.echo(name, std::move(requirement), place, std::move(frames));
    a_case.outcome = Outcome::closing;
    a_case.codes = std::move(codes);
    return a_case;
}

void add_valid(Table& table) {
    for (const unsigned code :
         {1000U, 1001U, 1002U, 1003U, 1007U, 1008U, 1009U, 1010U, 1011U, 1012U, 1013U, 1014U, 3000U, 3999U, 4000U, 4999U}) {
        const std::string name = "code-" + std::to_string(code);
        add_closing(table, name, "a Close is answered with a Close, typically of the same status", "5.5.1", {close_frame(code)}, {code});
        add_closing(table, name + "-reason", "a Close is answered with a Close, typically of the same status", "5.5.1",
                    {close_frame(code, "gr\xC3\xBC\xC3\x9F")}, {code});
    }
    // Without a status there is none to repeat.
    add_closing(table, "empty", "a Close without a status is answered", "5.5.1", {data(op::close, "")}, {1000, 1005});
    for (const std::size_t length : {1U, 122U, 123U})
        add_closing(table, "reason-" + std::to_string(length), "a reason may have up to 123 bytes", "5.5.1",
                    {close_frame(1000, letters(length))}, {1000});
    for (const auto& [name, bytes] : valid_utf8())
        add_closing(table, std::string("reason-valid-") + name, "a reason may be any UTF-8", "5.5.1", {close_frame(1000, bytes)}, {1000});
}

void add_invalid(Table& table) {
    for (const unsigned code : {0U, 1U, 999U, 1005U, 1006U, 1015U})
        table.fails("code-" + std::to_string(code), "status " + std::to_string(code) + " must not be in a Close",
                    code < 1000 ? "7.4.2" : "7.4.1", {close_frame(code)});
    for (const unsigned code : {1004U, 1016U, 1100U, 2000U, 2999U, 5000U, 65535U})
        table
            .fails("code-" + std::to_string(code), "status " + std::to_string(code) + " is reserved, and has no meaning yet", "7.4.2",
                   {close_frame(code)})
            .otherwise = Verdict::not_strict;
    for (const char byte : {'\x00', '\x03', '\xFF'})
        table.fails("half-a-code-" + std::to_string(static_cast<unsigned char>(byte)), "a Close has no status or one of 2 bytes", "5.5.1",
                    {data(op::close, std::string(1, byte))});
    for (const auto& [name, bytes] : invalid_utf8())
        table.fails(std::string("reason-invalid-") + name, "a reason that is not UTF-8 fails the connection", "5.5.1",
                    {close_frame(1000, bytes)}, {1007, 1002});
    table.fails("reason-invalid-late", "a reason that is not UTF-8 fails the connection", "5.5.1",
                {close_frame(1000, letters(122) + "\xC3")}, {1007, 1002});
}

void add_order(Table& table) {
    add_closing(table, "behind-message", "a message before a Close is received", "5.5.1", {data(op::text, "hello"), close_frame(1000)},
                {1000});
    add_closing(table, "behind-fragmented", "a message before a Close is received", "5.5.1",
                {part(op::text, "a"), data(op::continuation, "b"), close_frame(1000)}, {1000});
    add_closing(table, "inside-message", "a Close may come inside a fragmented message", "5.4",
                {part(op::text, "first"), close_frame(1000)}, {1000});
    add_closing(table, "bytewise", "a Close that arrives one byte at a time is answered", "5.5.1", {close_frame(1000, "bye")}, {1000})
        .steps[0]
        .chop = 1;
    const std::pair<const char*, Frame> after[] = {{"message", data(op::text, "late")},
                                                   {"ping", data(op::ping, "late")},
                                                   {"close", close_frame(1001)},
                                                   {"fragment", part(op::text, "late")},
                                                   {"bad-frame", data(15, "late")}};
    for (const auto& [name, frame] : after) {
        Case& a_case = add_closing(table, std::string(name) + "-behind", "what follows a Close is not processed", "1.4",
                                   {close_frame(1000), frame}, {1000});
        a_case.messages.clear();
        a_case.pongs.clear();
    }
    Case& twice = add_closing(table, "behind-many-messages", "messages before a Close are received", "5.5.1", {}, {1000});
    for (int i = 0; i < 100; ++i) {
        twice.steps[0].frames.push_back(data(op::text, "message " + std::to_string(i)));
        twice.messages.push_back({op::text, "message " + std::to_string(i)});
    }
    twice.steps[0].frames.push_back(close_frame(1000));
}

void add_half_close(Table& table) {
    Case& behind =
        add_closing(table, "fin-behind-close", "a Close is answered, even if no more can come", "7.1.1", {close_frame(1000)}, {1000});
    behind.steps[0].finish = true;
    behind.otherwise = Verdict::not_strict;
    Case& both = add_closing(table, "fin-behind-message-and-close", "a message is answered, even if no more can come", "7.1.1",
                             {data(op::text, "hello"), close_frame(1000)}, {1000});
    both.steps[0].finish = true;
    both.otherwise = Verdict::not_strict;
    const auto add_end = [&table](const std::string& name, const std::string& requirement, Frames frames) -> Case& {
        Case& a_case = table.echo(name, requirement, "7.1.4", std::move(frames));
        a_case.outcome = Outcome::ending;
        a_case.steps[0].finish = true;
        return a_case;
    };
    add_end("fin-alone", "a connection whose peer has ended is closed", {});
    add_end("fin-behind-message", "a message before the end may be answered; then the connection is closed", {data(op::text, "hello")});
    add_end("fin-behind-large-message", "a message before the end may be answered; then the connection is closed",
            {data(op::binary, letters(200000))});
    add_end("fin-inside-message", "a connection whose peer ended within a message is closed", {part(op::text, "first")});
    Case& cut = add_end("fin-inside-frame", "a connection whose peer ended within a frame is closed", {data(op::text, "hello")});
    cut.steps[0].only = table.role() == Role::server ? 8 : 4;
    cut.messages.clear();
    Case& head = add_end("fin-inside-head", "a connection whose peer ended within a frame's head is closed", {data(op::text, "hello")});
    head.steps[0].only = 1;
    head.messages.clear();
}

}  // namespace

std::vector<Case> close_cases(Role role) {
    Table table(role, "close");
    add_valid(table);
    add_invalid(table);
    add_order(table);
    add_half_close(table);
    return table.take();
}

}  // namespace hawser::check
