#include <algorithm>

#include "table.hpp"

namespace hawser::check {

namespace {

void add_wrong_masking(Table& table) {
    const bool server = table.role() == Role::server;
    const std::string requirement =
        server ? "a server fails a connection on a frame that is not masked" : "a client fails a connection on a frame that is masked";
    const std::string prefix = server ? "unmasked-" : "masked-";
    for (const unsigned opcode : {op::text, op::binary, op::ping, op::pong, op::close}) {
        for (const std::size_t length : {std::size_t{0}, std::size_t{5}, std::size_t{125}, std::size_t{126}, std::size_t{65536}}) {
            if (opcode >= op::close && length > 125) continue;
            Frame frame = opcode == op::close && length > 0 ? close_frame(1000, letters(length - 2)) : data(opcode, letters(length));
            frame.wrong_masking = true;
            table.fails(prefix + opcode_text(opcode) + "-" + std::to_string(length), requirement, "5.1", {frame});
        }
    }
    Frame frame = data(op::continuation, "rest");
    frame.wrong_masking = true;
    table.fails(prefix + "continuation", requirement, "5.1", {part(op::text, "first"), frame});
    Frame second = data(op::text, "second");
    second.wrong_masking = true;
    table.fails(prefix + "second", requirement, "5.1", {data(op::text, "first"), second}).messages = {{op::text, "first"}};
}

void add_keys(Table& table) {
    const std::pair<const char*, std::array<char, 4>> keys[] = {{"00000000", {0, 0, 0, 0}},
                                                                {"ffffffff", {'\xFF', '\xFF', '\xFF', '\xFF'}},
                                                                {"01020304", {1, 2, 3, 4}},
                                                                {"800000ff", {'\x80', 0, 0, '\xFF'}}};
    for (const auto& [name, key] : keys) {
        for (const std::size_t length : {1U, 2U, 3U, 4U, 5U, 7U, 8U, 9U, 15U, 16U, 17U, 31U, 33U, 63U, 65U, 129U}) {
            Frame frame = data(op::text, letters(length));
            frame.masking_key = key;
            table.echo("key-" + std::string(name) + "-" + std::to_string(length), "any masking key is undone, whatever the length", "5.3",
                       {frame});
        }
    }
    for (std::size_t cut = 7; cut <= 6 + 17; ++cut)
        table
            .echo("cut-" + std::to_string(cut - 6), "unmasking goes on where a pause cut the payload", "5.3", {data(op::text, letters(20))})
            .steps[0]
            .cut = cut;
}

void add_freshness(Table& table) {
    Frames frames;
    for (int i = 0; i < 10; ++i) frames.push_back(data(op::text, "message " + std::to_string(i)));
    table.echo("fresh-keys", "a client chooses a fresh masking key for each frame", "5.3", frames).also = [](const Observation& seen) {
        auto keys = seen.masking_keys;
        std::sort(keys.begin(), keys.end());
        const bool fresh = std::unique(keys.begin(), keys.end()) == keys.end();
        return fresh ? Judgement{} : Judgement{Verdict::failed, "a masking key was used for more than one frame"};
    };
}

}  // namespace

std::vector<Case> mask_cases(Role role) {
    Table table(role, "mask");
    add_wrong_masking(table);
    role == Role::server ? add_keys(table) : add_freshness(table);
    return table.take();
}

}  // namespace hawser::check
