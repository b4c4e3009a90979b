// How fast payloads are masked and texts are validated, beside memcpy() of as many bytes in the same rounds: prints a table.

#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cost/measure.hpp"
#include "protocol/mask.hpp"
#include "protocol/utf8.hpp"

namespace {

using namespace hawser::protocol;
using cost::Clock;
using cost::median;

constexpr MaskingKey key = {0x37, 0xFA, 0x21, 0x3D};
constexpr std::size_t bytes_in_a_round = 32 * 1024 * 1024;
constexpr std::size_t rounds = 15;

/// The compiler must take it that whatever memory says matters.
void keep() { asm volatile("" ::: "memory"); }

std::string repeat(std::string_view piece, std::size_t size) {
    std::string text;
    while (text.size() + piece.size() <= size) text += piece;
    return text.append(size - text.size(), ' ');
}

struct Work {
    const char* name;
    std::function<void()> once;
    std::vector<double> gigabytes_per_second{};
};

void measure(Work& work, std::size_t size) {
    const std::size_t times = bytes_in_a_round / size;
    const Clock::time_point begin = Clock::now();
    for (std::size_t i = 0; i < times; ++i) {
        work.once();
        keep();
    }
    const std::chrono::duration<double> passed = Clock::now() - begin;
    work.gigabytes_per_second.push_back(1e-9 * static_cast<double>(times * size) / passed.count());
}

void validate(const std::string& text) {
    if (!is_utf8(text)) std::abort();
}

void compare(std::size_t size) {
    const std::string ascii = repeat(R"({"id":4711,"name":"temperature","value":21.5},)", size);
    const std::string mixed = repeat("Grüße aus Köln, Привет из Москвы, 東京からこんにちは, and some ASCII 👋 ", size);
    std::string to(size, '\0');
    std::vector<Work> works = {
        {"memcpy", [&] { std::memcpy(to.data(), ascii.data(), size); }},
        {"mask in place", [&] { mask(to.data(), size, key); }},
        {"mask to another place", [&] { mask_copy(to.data(), ascii.data(), size, key); }},
        {"validate ASCII", [&] { validate(ascii); }},
        {"validate mixed text", [&] { validate(mixed); }},
    };
    for (std::size_t round = 0; round < rounds; ++round)
        for (Work& work : works) measure(work, size);
    const double memcpy_speed = median(works.front().gigabytes_per_second);
    for (Work& work : works) {
        const double speed = median(work.gigabytes_per_second);
        std::printf("| %zu | %s | %.1f | %.2f |\n", size, work.name, speed, speed / memcpy_speed);
    }
}

}  // namespace

int main() {
    std::puts("| bytes | work | GB/s | of memcpy |\n|---|---|---|---|");
    for (const std::size_t size : {125u, 1024u, 16u * 1024, 256u * 1024, 4u * 1024 * 1024}) compare(size);
}
