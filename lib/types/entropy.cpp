#include "types/entropy.hpp"

#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "types/fork.hpp"

namespace hawser {
namespace {

// The most that getentropy(2) gives at once.
constexpr std::size_t batch_size = 256;

void draw(std::span<unsigned char> bytes) {
    if (getentropy(bytes.data(), bytes.size()) != 0) {
        throw std::system_error(errno, std::generic_category(), "the system's random number generator (getentropy) failed");
    }
}

class SystemEntropy final : public Entropy {
public:
    SystemEntropy() = default;
    SystemEntropy(const SystemEntropy&) = delete;
    SystemEntropy& operator=(const SystemEntropy&) = delete;
    ~SystemEntropy() override { forget(); }

    void fill(std::span<unsigned char> bytes) override {
        // What was drawn ahead is the parent's: its child must not hand out the same.
        if (!origin_.is_here()) forget();
        if (bytes.size() <= pool_.size() - used_) return take(bytes);
        for (; bytes.size() >= batch_size; bytes = bytes.subspan(batch_size)) draw(bytes.first(batch_size));
        const std::size_t at_hand = std::min(bytes.size(), pool_.size() - used_);
        take(bytes.first(at_hand));
        if (at_hand == bytes.size()) return;
        draw(pool_);
        used_ = 0;
        take(bytes.subspan(at_hand));
    }

private:
    void forget() noexcept {
        explicit_bzero(pool_.data(), pool_.size());
        used_ = pool_.size();
        origin_ = {};
    }

    // What was handed out is wiped: a key must not be found in memory after its use. The pool lives on, so no compiler leaves that out.
    // Most often it is a masking key.
    void take(std::span<unsigned char> bytes) noexcept {
        const auto hand_out = [&](std::size_t size) {
            std::memcpy(bytes.data(), pool_.data() + used_, size);
            std::memset(pool_.data() + used_, 0, size);
            used_ += size;
        };
        constexpr std::size_t key_size = 4;
        if (bytes.size() == key_size) return hand_out(key_size);
        if (!bytes.empty()) hand_out(bytes.size());
    }

    std::array<unsigned char, batch_size> pool_{};
    std::size_t used_ = batch_size;
    Origin origin_;
};

}  // namespace

std::unique_ptr<Entropy> system_entropy() { return std::make_unique<SystemEntropy>(); }

}  // namespace hawser
