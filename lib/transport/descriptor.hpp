#pragma once

#include <unistd.h>

#include <utility>

namespace hawser::transport {

/// Owns a descriptor: closes it at the end.
class Descriptor {
public:
    explicit Descriptor(int descriptor = -1) noexcept : descriptor_(descriptor) {}
    Descriptor(Descriptor&& other) noexcept : descriptor_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        reset(other.release());
        return *this;
    }
    ~Descriptor() { reset(); }

    int get() const noexcept { return descriptor_; }
    explicit operator bool() const noexcept { return descriptor_ >= 0; }
    int release() noexcept { return std::exchange(descriptor_, -1); }
    void reset(int descriptor = -1) noexcept {
        // After EINTR the descriptor is released already (Linux): never close twice.
        if (const int old = std::exchange(descriptor_, descriptor); old >= 0) ::close(old);
    }

private:
    int descriptor_;
};

}  // namespace hawser::transport
