#include <random>

#include "table.hpp"

namespace hawser::check {

namespace {

constexpr const char* data_rule = "RFC 7692, section 6.1";
constexpr const char* decompression = "RFC 7692, section 7.2.2";

/// Words that repeat, near and far.
std::string prose(std::size_t length) {
    std::minstd_rand random(4711);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same words each time
    std::string out;
    while (out.size() < length) {
        out += letters(3 + random() % 9);
        if (random() % 5 == 0) out += std::to_string(random() % 1000);
        out += ' ';
    }
    out.resize(length);
    return out;
}

Frame compressed(unsigned opcode, std::string payload) {
    Frame frame = data(opcode, std::move(payload));
    frame.rsv = 4;
    return frame;
}

Frames compressed_fragments(const std::string& payload, std::size_t size) {
    Frames frames = fragments(op::text, payload, size);
    frames.front().rsv = 4;
    return frames;
}

/// Cases on a connection that has agreed on the extension.
class DeflateTable {
public:
    explicit DeflateTable(Role role) : table_(role, "deflate") {}
    std::vector<Case> take() { return table_.take(); }

    Case& echo(const std::string& name, const std::string& requirement, const std::string& place, Frames frames,
               std::vector<Message> messages) {
        Case& a_case = agreed(table_.echo(name, requirement, place, std::move(frames)));
        a_case.messages = std::move(messages);
        return a_case;
    }

    Case& fails(const std::string& name, const std::string& requirement, const std::string& place, Frames frames,
                std::vector<unsigned> codes) {
        return agreed(table_.fails(name, requirement, place, std::move(frames), std::move(codes)));
    }

private:
    Case& agreed(Case& a_case) const {
        // So that a server which needs a bound of the client's window may say one.
        if (table_.role() == Role::server) a_case.extensions = "permessage-deflate; client_max_window_bits";
        a_case.needs_deflate = true;
        a_case.needs_window_bits = 9;
        return a_case;
    }

    Table table_;
};

void add_styles(DeflateTable& table) {
    struct Row {
        const char* name;
        DeflateStyle style;
    };
    const Row rows[] = {{"level-1", {9, 1, Z_DEFAULT_STRATEGY}},
                        {"level-6", {9, 6, Z_DEFAULT_STRATEGY}},
                        {"level-9", {9, 9, Z_DEFAULT_STRATEGY}},
                        {"stored", {9, 0, Z_DEFAULT_STRATEGY}},
                        {"fixed", {9, 6, Z_FIXED}},
                        {"huffman", {9, 6, Z_HUFFMAN_ONLY}},
                        {"runs", {9, 6, Z_RLE}}};
    for (const auto& [name, style] : rows)
        for (const std::size_t length : {0U, 1U, 5U, 125U, 126U, 1000U, 65535U, 65536U, 262144U})
            table.echo(std::string(name) + "-" + std::to_string(length), "a compressed message is received", data_rule,
                       {compressed(length % 2 == 0 ? op::text : op::binary, deflated(prose(length), style))},
                       {{length % 2 == 0 ? op::text : op::binary, prose(length)}});
    for (int bits = 9; bits <= 15; ++bits) {
        // zlib does not refer back by the last 262 bytes of a window.
        const std::string content = noise_twice((std::size_t{1} << bits) - 262);
        table
            .echo("window-" + std::to_string(bits), "a message may refer back as far as the window reaches", decompression,
                  {compressed(op::text, deflated(content, {bits, 9, Z_DEFAULT_STRATEGY}))}, {{op::text, content}})
            .needs_window_bits = bits;
    }
}

void add_takeover(DeflateTable& table) {
    for (const int bits : {9, 15}) {
        Deflater deflater({bits, 9, Z_DEFAULT_STRATEGY});
        Frames frames;
        std::vector<Message> messages;
        for (int i = 0; i < 20; ++i) {
            const std::string content = prose(300) + std::to_string(i);
            frames.push_back(compressed(op::text, deflater.message(content)));
            messages.push_back({op::text, content});
        }
        Case& a_case = table.echo("takeover-" + std::to_string(bits), "a message may refer back to the ones before it", decompression,
                                  frames, messages);
        a_case.needs_takeover = true;
        a_case.needs_window_bits = bits;
    }
    const std::string small = deflated("small", {9, 6, Z_DEFAULT_STRATEGY});
    table.echo("independent", "messages need not refer back", decompression,
               {compressed(op::text, small), compressed(op::binary, small), compressed(op::text, small)},
               {{op::text, "small"}, {op::binary, "small"}, {op::text, "small"}});
    table.echo("mixed", "a message may be left uncompressed", data_rule,
               {data(op::text, "plain"), compressed(op::text, small), data(op::binary, "plain")},
               {{op::text, "plain"}, {op::text, "small"}, {op::binary, "plain"}});
}

void add_fragments(DeflateTable& table) {
    const std::string content = prose(500);
    const std::string payload = deflated(content, {9, 6, Z_DEFAULT_STRATEGY});
    for (const std::size_t size : {1U, 2U, 3U, 7U, 50U, 100U})
        table.echo("fragments-of-" + std::to_string(size), "a compressed message may be fragmented anywhere", data_rule,
                   compressed_fragments(payload, size), {{op::text, content}});
    const std::string small = deflated("a small message", {9, 6, Z_DEFAULT_STRATEGY});
    for (std::size_t cut = 1; cut < small.size(); ++cut) {
        Frames frames{part(op::text, small.substr(0, cut)), data(op::continuation, small.substr(cut))};
        frames[0].rsv = 4;
        table.echo("split-" + std::to_string(cut), "a compressed message may be fragmented anywhere", data_rule, frames,
                   {{op::text, "a small message"}});
        frames.insert(frames.begin() + 1, data(op::ping, "x"));
        if (cut % 4 == 0)
            table.echo("split-" + std::to_string(cut) + ".ping", "a ping between compressed fragments is not compressed", data_rule, frames,
                       {{op::text, "a small message"}});
    }
    Frames empty = compressed_fragments(payload, 50);
    empty.insert(empty.begin() + 1, part(op::continuation, ""));
    table.echo("empty-fragment", "a fragment of a compressed message may be empty", data_rule, empty, {{op::text, content}});
    table
        .echo("bytewise", "a compressed message may arrive one byte at a time", data_rule, compressed_fragments(payload, 100),
              {{op::text, content}})
        .steps[0]
        .chop = 1;
}

void add_forms(DeflateTable& table) {
    const auto bytes = [](std::initializer_list<int> values) {
        std::string out;
        for (const int value : values) out += static_cast<char>(value);
        return out;
    };
    struct Row {
        const char* name;
        const char* place;
        std::string payload;
        const char* content;
    };
    const Row rows[] = {
        {"example-fixed", "RFC 7692, section 7.2.3.1", bytes({0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00}), "Hello"},
        {"example-stored", "RFC 7692, section 7.2.3.3", bytes({0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00}), "Hello"},
        {"example-final", "RFC 7692, section 7.2.3.4", bytes({0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00}), "Hello"},
        {"example-two-blocks", "RFC 7692, section 7.2.3.5",
         bytes({0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00}), "Hello"},
        {"empty-stored", "RFC 7692, section 7.2.3.6", bytes({0x00}), ""},
        {"empty-fixed", "RFC 7692, section 7.2.3.6", bytes({0x02, 0x00}), ""},
    };
    for (const Row& row : rows)
        table.echo(row.name, "a message may consist of any deflate blocks", row.place, {compressed(op::text, row.payload)},
                   {{op::text, row.content}});
}

void add_wrong_bits(DeflateTable& table) {
    const std::string small = deflated("small", {9, 6, Z_DEFAULT_STRATEGY});
    table.fails("rsv1-continuation", "RSV1 is set on the first fragment alone", data_rule,
                {part(op::text, "a"), compressed(op::continuation, "b")}, {1002});
    for (const unsigned opcode : {op::ping, op::pong, op::close}) {
        Frame frame = compressed(opcode, opcode == op::close ? close_frame(1000).payload : small);
        table.fails("rsv1-" + opcode_text(opcode), "a control frame is not compressed", data_rule, {frame}, {1002});
    }
    for (const unsigned rsv : {1U, 2U, 3U, 5U, 6U, 7U}) {
        Frame frame = compressed(op::text, small);
        frame.rsv = rsv;
        table.fails("rsv-" + std::to_string(rsv), "RSV2 and RSV3 stay reserved", "5.2", {frame}, {1002});
    }
}

void add_wrong_data(DeflateTable& table) {
    const std::pair<const char*, std::string> rows[] = {
        {"block-type", "\x07"},
        {"stored-length", std::string("\x00\x05\x00\x00\x00hello", 10)},
        {"too-far-back", std::string("\x02\x02\x00", 3)},
        {"no-deflate", "hello, this is not compressed at all"},
        {"ones", std::string(20, '\xFF')},
        // A stored block of 100 bytes has 50.
        {"cut", std::string("\x00\x64\x00\x9B\xFF", 5) + letters(50)},
    };
    for (const auto& [name, payload] : rows) {
        // The RFC names no status for it.
        Case& a_case = table.fails(std::string("corrupt-") + name, "data that cannot be decompressed fail the connection", decompression,
                                   {compressed(op::binary, payload)}, {1002, 1003, 1007, 1008, 1011});
        // What is there can be decompressed; that it does not end with a block is the sender's fault alone.
        if (std::string_view(name) == "cut") a_case.otherwise = Verdict::not_strict;
    }
    for (const auto& [name, bytes] : invalid_utf8())
        table.fails(std::string("utf8-") + name, "a compressed text is checked as any other", "8.1",
                    {compressed(op::text, deflated("before " + bytes, {9, 6, Z_DEFAULT_STRATEGY}))}, {1007});
    table
        .echo("bomb", "a message of 32 KiB that grows to 32 MiB is received, or refused with 1009", "10.4",
              {compressed(op::binary, deflated(std::string(32U << 20, 'x')))}, {{op::binary, std::string(32U << 20, 'x')}})
        .codes = {1009};
}

}  // namespace

std::vector<Case> deflate_data_cases(Role role) {
    DeflateTable table(role);
    add_styles(table);
    add_takeover(table);
    add_fragments(table);
    add_forms(table);
    add_wrong_bits(table);
    add_wrong_data(table);
    return table.take();
}

}  // namespace hawser::check
