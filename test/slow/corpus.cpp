#include "slow/corpus.hpp"

namespace support {

namespace {

constexpr std::size_t pool_size = 1024 * 1024;
constexpr std::size_t size_bounds[] = {0, 20, 125, 126, 1'000, 1'000, 5'000, 5'000, 70'000, 400'000};

}  // namespace

std::uint64_t Random::next() noexcept {
    std::uint64_t value = state_ += 0x9E3779B97F4A7C15;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
    return value ^ (value >> 31);
}

Corpus::Corpus() {
    Random random(1);
    while (text_.size() < pool_size) {
        text_ += '\xD0';
        text_ += static_cast<char>(0x90 + random.up_to(0x2F));
    }
    while (bytes_.size() < pool_size) bytes_ += static_cast<char>(random.up_to(255));
}

hawser::MessageView Corpus::message(std::uint64_t key) const {
    Random random(key);
    const bool is_text = random.chance(2);
    std::size_t size = random.up_to(size_bounds[random.up_to(std::size(size_bounds) - 1)]);
    std::size_t offset = random.up_to(pool_size - size);
    if (is_text) size -= size % 2, offset -= offset % 2;  // whole characters
    hawser::MessageView view;
    view.opcode = is_text ? hawser::Opcode::text : hawser::Opcode::binary;
    view.content = std::string_view(is_text ? text_ : bytes_).substr(offset, size);
    return view;
}

}  // namespace support
