#include "table.hpp"

namespace hawser::check {

namespace {

// Long enough for an answer, if one is to come before the rest.
constexpr double patience = 1;

/// Sends the first `only` bytes of `first`, or all of it, and later what is left of it and `rest`.
void add(Table& table, const std::string& name, const std::string& what, const std::string& place, Frame first, std::size_t only,
         Frames rest, std::vector<unsigned> codes) {
    Case& a_case = table.fails(name, what + " can be failed before the rest comes, and must be at its end", place, {}, std::move(codes));
    a_case.tells_time = true;
    first.masking_key = {'k', 'e', 'y', '!'};
    Step later{std::move(rest), 0, 0, patience};
    if (only > 0) later.frames.insert(later.frames.begin(), first);
    later.skip = only;
    later.frames.push_back(a_case.steps[0].frames.back());
    a_case.steps = {{{std::move(first)}}, std::move(later)};
    a_case.steps[0].only = only;
}

Frame long_frame(unsigned opcode, const std::string& begin) { return data(opcode, begin + letters(1000)); }

void add_texts(Table& table) {
    for (const auto& [name, bytes] : invalid_utf8()) {
        if (std::string(name).starts_with("cut-")) continue;
        add(table, std::string("utf8-fragment-") + name, "a fragment that is not UTF-8", "8.1", part(op::text, bytes), 0,
            {data(op::continuation, "rest")}, {1007});
    }
    add(table, "utf8-frame", "a frame whose first half is not UTF-8", "8.1", long_frame(op::text, "\xC0\x80"), 500, {}, {1007});
}

void add_heads(Table& table) {
    const bool server = table.role() == Role::server;
    Frame rsv = long_frame(op::text, "");
    rsv.rsv = 2;
    add(table, "rsv-head", "a head with a reserved bit", "5.2", rsv, 2, {}, {1002});
    add(table, "opcode-head", "a head with an unknown opcode", "5.2", long_frame(5, ""), 2, {}, {1002});
    add(table, "ping-head", "the head of a control frame that is too long", "5.5", long_frame(op::ping, ""), 2, {}, {1002});
    add(table, "continuation-head", "the head of a continuation of nothing", "5.4", long_frame(op::continuation, ""), 2, {}, {1002});
    Frame masking = long_frame(op::text, "");
    masking.wrong_masking = true;
    add(table, "mask-head", server ? "the head of a frame that is not masked" : "the head of a frame that is masked", "5.1", masking, 2, {},
        {1002});
}

}  // namespace

std::vector<Case> timing_cases(Role role) {
    Table table(role, "timing");
    add_texts(table);
    add_heads(table);
    return table.take();
}

}  // namespace hawser::check
