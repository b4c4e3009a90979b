// What permessage-deflate holds for an open connection, at each end: prints the table of README.md.

#include <malloc.h>
#include <zlib.h>

#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "protocol/deflate.hpp"

namespace {

using namespace hawser::protocol;
using hawser::Buffer;

constexpr std::size_t connections = 50;

std::string words(std::size_t size) {
    std::mt19937 random(1);
    std::string text;
    while (text.size() < size) text += std::to_string(random() % 1000) + " words ";
    return text;
}

/// Bytes that the allocator has given out, its own overhead included.
std::size_t used() {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/// Has each of so many connections do `work` once; KiB that each holds then.
template <typename End, typename Make, typename Work>
std::size_t held(Make&& make, Work&& work) {
    std::vector<std::unique_ptr<End>> ends;
    ends.reserve(connections);
    for (std::size_t i = 0; i < connections; ++i) ends.push_back(make());
    const std::size_t before = used();
    for (const auto& end : ends) work(*end);
    return ((used() - before) / connections + 512) / 1024;
}

struct Held {
    std::size_t compressor;
    std::size_t decompressor;
};

Held measure(const DeflateSettings& settings, bool takes_over) {
    const auto pool = std::make_shared<DeflatePool>();
    // Enough that the window has been filled.
    const std::string message = words(100'000);
    const auto make_deflater = [&] { return std::make_unique<Deflater>(settings, takes_over, 0, pool); };
    const auto make_inflater = [&] { return std::make_unique<Inflater>(settings.window_bits, takes_over, pool); };
    const Buffer payload = make_deflater()->compress(message);
    Buffer room;
    room.reserve(message.size());
    const auto inflate = [&](Inflater& inflater) {
        room.clear();
        inflater.feed(payload.view(), room, message.size());
        inflater.finish(room, message.size());
    };
    // What the pool keeps for all does not count.
    inflate(*make_inflater());
    return {held<Deflater>(make_deflater, [&](Deflater& deflater) { deflater.compress(message); }), held<Inflater>(make_inflater, inflate)};
}

}  // namespace

int main() {
    std::cout << "KiB for an open connection, zlib " << zlibVersion()
              << "\n\n| window bits, memory level | compressor | decompressor |\n|---|---|---|\n";
    for (const auto& [bits, level] :
         {std::pair{9, 1}, {9, 5}, {10, 5}, {11, 5}, {12, 1}, {12, 5}, {12, 8}, {13, 5}, {14, 5}, {15, 5}, {15, 8}, {15, 9}}) {
        const Held with = measure({bits, level, 6}, true);
        std::cout << "| " << bits << ", " << level << " | " << with.compressor << " KiB | " << with.decompressor << " KiB |\n";
    }
    const Held without = measure({15, 9, 6}, false);
    std::cout << "| any, without context takeover | " << without.compressor << " KiB | " << without.decompressor << " KiB |\n";
}
