#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <hawser/message.hpp>

namespace support {

/// A cheap source of choices from a seed (splitmix64).
class Random {
public:
    explicit Random(std::uint64_t seed) noexcept : state_(seed) {}
    std::uint64_t next() noexcept;
    std::size_t up_to(std::size_t most) noexcept { return next() % (most + 1); }
    bool chance(std::size_t one_in) noexcept { return next() % one_in == 0; }

private:
    std::uint64_t state_;
};

/// Messages that both ends know by a key, so that nothing has to be kept to compare what arrives with what was sent: their kind,
/// their size (0 to 400,000 bytes, most of them small) and each of their bytes.
class Corpus {
public:
    Corpus();
    /// Valid as long as the corpus.
    hawser::MessageView message(std::uint64_t key) const;

private:
    std::string text_;   // characters of two bytes
    std::string bytes_;  // that cannot be compressed
};

}  // namespace support
