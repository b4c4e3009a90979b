#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string_view>

#include <hawser/error.hpp>

#include "support/frames.hpp"

namespace fuzz {

/// The target: called with each input, once, by libFuzzer or by replay.cpp. What it finds wrong ends the process.
void run(std::string_view input);

/// Has to hold, whatever the input.
inline void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}

/// An input's first bytes choose how the others are used.
class Choices {
public:
    explicit Choices(std::string_view input) noexcept : rest_(input) {}

    unsigned byte() noexcept {
        if (rest_.empty()) return 0;
        const auto byte = static_cast<unsigned char>(rest_.front());
        rest_.remove_prefix(1);
        return byte;
    }
    bool flag() noexcept { return (byte() & 1u) != 0; }
    /// From `least` to `most`, both allowed.
    int between(int least, int most) noexcept { return least + static_cast<int>(byte()) % (most - least + 1); }
    /// Up to `size` bytes.
    std::string_view bytes(std::size_t size) noexcept {
        const std::string_view bytes = rest_.substr(0, size);
        rest_.remove_prefix(bytes.size());
        return bytes;
    }
    std::string_view rest() const noexcept { return rest_; }

private:
    std::string_view rest_;
};

/// Bytes in a block of their own that is exactly as large.
class Exact {
public:
    explicit Exact(std::string_view bytes) : bytes_(bytes) {}
    operator std::string_view() const noexcept { return {bytes_.span().data(), bytes_.span().size()}; }

private:
    support::ExactBytes bytes_;
};

/// Cuts bytes where a seed says, and shows each piece in a block of its own that is exactly as large.
template <typename Feed>
void in_pieces(std::string_view bytes, unsigned seed, Feed&& feed) {
    std::mt19937 random(seed);
    const std::size_t longest = std::size_t{1} << (seed % 12);
    while (!bytes.empty()) {
        const std::size_t size = std::min<std::size_t>(bytes.size(), 1 + random() % longest);
        const Exact piece(bytes.substr(0, size));
        bytes.remove_prefix(size);
        feed(std::string_view(piece));
    }
}

/// Calls `work`, which may refuse with an Error of this code and with nothing else; returns whether it did not.
template <typename Work>
bool accepts(hawser::Errc refusal, Work&& work) {
    try {
        work();
        return true;
    } catch (const hawser::Error& error) {
        require(error.errc() == refusal, "a refusal has its own code");
        require(error.what()[0] != '\0', "a refusal says why");
        return false;
    }
}

}  // namespace fuzz
