// What a compressed message costs a server beyond zlib's own work: deflate_cost [ROUNDS]
//
// A connection of a server is brought 1 KiB of JSON, compressed, and echoes it, in memory. zlib alone inflates and deflates the
// same bytes with the same settings. Figures are medians, with the least and the most of the rounds, which take turns.

#include <zlib.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include <hawser/hawser.hpp>

#include "cost/measure.hpp"
#include "cost/memory_server.hpp"

namespace {

using namespace hawser;
using cost::Rounds;

constexpr std::size_t messages_a_round = 2000;
constexpr std::string_view tail("\x00\x00\xFF\xFF", 4);

std::string json() {
    std::string text = "[";
    for (unsigned i = 0; text.size() < 980; ++i) {
        const std::string number = std::to_string(i * 2'654'435'761U);
        text += R"({"id":)" + number + R"(,"name":"user )" + number.substr(0, 3) + R"(","active":)" + (i % 3 ? "true" : "false") + "},";
    }
    text += "{}]";
    return text.append(1024 - text.size(), ' ');
}

/// zlib as a program uses it that does nothing else.
class Bare {
public:
    Bare(const DeflateOptions& options, bool takes_over) : takes_over_(takes_over), out_(2048, '\0') {
        if (inflateInit2(&inflater_, -15) != Z_OK || deflateInit2(&deflater_, options.level, Z_DEFLATED, -options.server_max_window_bits,
                                                                  options.memory_level, Z_DEFAULT_STRATEGY) != Z_OK)
            throw std::bad_alloc();
    }
    ~Bare() {
        inflateEnd(&inflater_);
        deflateEnd(&deflater_);
    }
    Bare(const Bare&) = delete;
    Bare& operator=(const Bare&) = delete;

    /// Both with the tail of RFC 7692, section 7.2.1; valid until the next call.
    std::string_view inflated(std::string_view payload) {
        if (!takes_over_) inflateReset(&inflater_);
        set(inflater_, payload);
        inflate(&inflater_, Z_SYNC_FLUSH);
        return result(inflater_);
    }
    std::string_view deflated(std::string_view content) {
        if (!takes_over_) deflateReset(&deflater_);
        set(deflater_, content);
        deflate(&deflater_, Z_SYNC_FLUSH);
        return result(deflater_);
    }

private:
    void set(z_stream& stream, std::string_view input) {
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
        stream.avail_in = static_cast<uInt>(input.size());
        stream.next_out = reinterpret_cast<Bytef*>(out_.data());
        stream.avail_out = static_cast<uInt>(out_.size());
    }
    std::string_view result(const z_stream& stream) const { return std::string_view(out_).substr(0, out_.size() - stream.avail_out); }

    bool takes_over_;
    z_stream inflater_{}, deflater_{};
    std::string out_;
};

void report(int window_bits, int memory_level, int level, bool takes_over, std::size_t rounds) {
    DeflateOptions options;
    options.server_max_window_bits = options.client_max_window_bits = window_bits;
    options.memory_level = memory_level;
    options.level = level;
    options.server_no_context_takeover = options.client_no_context_takeover = !takes_over;
    const std::string text = json();
    // What the client sends does not refer to what it sent before, so that it may be sent again.
    const std::string payload(Bare(options, false).deflated(text));

    cost::MemoryServer server;
    server->add_middleware(std::make_shared<CompressionExtension>(options));
    server->on_text([](Connection& connection, MessageView message) { connection.send(message); });
    server.open("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n");
    server.set_input(cost::client_frame(Opcode::text, std::string_view(payload).substr(0, payload.size() - tail.size()), true));
    Bare bare(options, takes_over);
    Rounds ours, zlibs, ratio;
    for (std::size_t round = 0; round < rounds; ++round) {
        const double with = cost::median_of(messages_a_round, [&] { server.bring(); });
        const double without = cost::median_of(messages_a_round, [&] {
            if (bare.inflated(payload) != text) throw std::runtime_error("zlib inflates to something else");
            bare.deflated(text);
        });
        ours.add(with);
        zlibs.add(without);
        ratio.add(without / with);
    }
    std::cout << "| " << window_bits << ", " << memory_level << ", " << level << " | " << (takes_over ? "yes" : "no") << " | "
              << ours.text() << " | " << zlibs.text() << " | " << ratio.text(3) << " |" << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t rounds = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 11;
    std::cout << "zlib " << zlibVersion() << ", microseconds for one message of 1 KiB\n\n"
              << "| window bits, memory level, level | context takeover | hawser | zlib alone | rate, of zlib's |\n|---|---|---|---|---|"
              << std::endl;
    for (const bool takes_over : {false, true}) {
        report(15, 8, 6, takes_over, rounds);
        report(15, 8, 1, takes_over, rounds);
        report(12, 5, 6, takes_over, rounds);
    }
}
