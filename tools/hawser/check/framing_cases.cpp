#include "table.hpp"

namespace hawser::check {

namespace {

constexpr std::size_t boundaries[] = {0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 65534, 65535, 65536, 65537, 131072, 1048576};

const char* form_name(LengthForm form) { return form == LengthForm::bits16 ? "16" : form == LengthForm::bits64 ? "64" : "7"; }

void add_lengths(Table& table) {
    for (const unsigned opcode : {op::text, op::binary}) {
        for (const std::size_t length : boundaries) {
            const std::string name = opcode_text(opcode) + "-" + std::to_string(length);
            const std::string what = "a " + opcode_text(opcode) + " message of " + std::to_string(length) + " bytes is received";
            table.echo(name, what, "5.2", {data(opcode, letters(length))});
            if (length <= 256)
                table.echo(name + ".bytewise", what + ", one byte at a time", "5.2", {data(opcode, letters(length))}).steps[0].chop = 1;
            else if (length <= 131072)
                table.echo(name + ".pieces", what + ", in pieces", "5.2", {data(opcode, letters(length))}).steps[0].chop = 1999;
        }
    }
}

void add_cuts(Table& table) {
    for (const std::size_t length : {std::size_t{5}, std::size_t{126}, std::size_t{65536}}) {
        const std::size_t head = (length < 126 ? 2U : length < 65536 ? 4U : 10U) + (table.role() == Role::server ? 4U : 0U);
        for (std::size_t cut = 1; cut <= head + 1; ++cut)
            table
                .echo("cut-" + std::to_string(length) + "-at-" + std::to_string(cut),
                      "a frame of " + std::to_string(length) + " bytes that pauses after its byte " + std::to_string(cut) + " is received",
                      "5.2", {data(op::text, letters(length))})
                .steps[0]
                .cut = cut;
    }
}

void add_long_forms(Table& table) {
    struct Row {
        LengthForm form;
        std::size_t length;
    };
    const Row rows[] = {{LengthForm::bits16, 0},   {LengthForm::bits16, 1},   {LengthForm::bits16, 125},  {LengthForm::bits64, 0},
                        {LengthForm::bits64, 125}, {LengthForm::bits64, 126}, {LengthForm::bits64, 65535}};
    for (const unsigned opcode : {op::text, op::binary, op::ping, op::pong}) {
        for (const Row& row : rows) {
            if (opcode >= op::close && row.length > 125) continue;
            Frame frame = data(opcode, letters(row.length));
            frame.form = row.form;
            const std::string name = "long-form-" + opcode_text(opcode) + "-" + form_name(row.form) + "-" + std::to_string(row.length);
            table
                .fails(name,
                       "the shortest form of a length must be used; " + std::to_string(row.length) + " in " + form_name(row.form) +
                           " bits is not that",
                       "5.2", {frame})
                .otherwise = Verdict::not_strict;
        }
    }
}

void add_impossible_lengths(Table& table) {
    constexpr std::uint64_t top_bit = std::uint64_t{1} << 63;
    const std::pair<const char*, std::uint64_t> lengths[] = {
        {"2-to-63", top_bit}, {"2-to-63-and-5", top_bit + 5}, {"2-to-64-less-1", ~std::uint64_t{0}}};
    for (const unsigned opcode : {op::text, op::binary, op::continuation}) {
        for (const auto& [name, length] : lengths) {
            Frame frame = data(opcode, "hello");
            frame.form = LengthForm::bits64;
            frame.length = length;
            Frames frames{frame};
            if (opcode == op::continuation) frames.insert(frames.begin(), part(op::text, "first"));
            // 1009 is as good: the message is too big.
            table.fails("length-" + std::string(name) + "-" + opcode_text(opcode), "the first bit of a 64-bit length must be 0", "5.2",
                        frames, {1002, 1009});
        }
    }
}

void add_sequences(Table& table) {
    for (const int count : {2, 10, 200}) {
        Frames frames;
        for (int i = 0; i < count; ++i) frames.push_back(data(i % 3 == 0 ? op::binary : op::text, "message " + std::to_string(i)));
        table.echo("sequence-" + std::to_string(count), std::to_string(count) + " messages in one write come back in their order", "5.4",
                   frames);
    }
    Frames mixed;
    for (const std::size_t length : boundaries)
        if (length <= 65537) mixed.push_back(data(length % 2 == 0 ? op::text : op::binary, letters(length)));
    table.echo("sequence-of-lengths", "messages of all lengths follow each other", "5.2", mixed);
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    table.echo("all-bytes", "a binary message may hold any byte", "5.6", {data(op::binary, bytes + bytes)});
}

}  // namespace

std::vector<Case> framing_cases(Role role) {
    Table table(role, "framing");
    add_lengths(table);
    add_cuts(table);
    add_sequences(table);
    add_long_forms(table);
    add_impossible_lengths(table);
    return table.take();
}

}  // namespace hawser::check
