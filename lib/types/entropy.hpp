#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace hawser {

/// A source of unpredictable bytes: masking keys and handshake keys come from it (RFC 6455, sections 5.3 and 10.3).
class Entropy {
public:
    virtual ~Entropy() = default;
    virtual void fill(std::span<unsigned char> bytes) = 0;
};

/// The operating system's generator, drawn in batches. After a fork() the child draws anew, by itself. Throws std::system_error when the
/// generator fails.
std::unique_ptr<Entropy> system_entropy();

}  // namespace hawser
