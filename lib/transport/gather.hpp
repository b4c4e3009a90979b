#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

namespace hawser::transport {

/// Takes slices apart into pieces as long as a TLS record may be: small ones are put together, large ones are not copied.
class Gatherer {
public:
    explicit Gatherer(std::span<const iovec> slices) noexcept : slices_(slices) { skip_empty(); }

    /// The next piece, at most as long as `room`, which holds what had to be put together; empty at the end.
    std::span<const char> next(std::span<char> room) noexcept {
        if (slices_.empty()) return {};
        const std::span<const char> first = rest();
        if (first.size() >= room.size() || slices_.size() == 1) return take(std::min(first.size(), room.size()));
        std::size_t size = 0;
        while (!slices_.empty() && size < room.size()) {
            const std::span<const char> piece = take(std::min(rest().size(), room.size() - size));
            std::memcpy(room.data() + size, piece.data(), piece.size());
            size += piece.size();
        }
        return room.first(size);
    }

private:
    std::span<const char> rest() const noexcept {
        const iovec& slice = slices_.front();
        return {static_cast<const char*>(slice.iov_base) + offset_, slice.iov_len - offset_};
    }
    std::span<const char> take(std::size_t size) noexcept {
        const std::span<const char> piece = rest().first(size);
        offset_ += size;
        if (offset_ == slices_.front().iov_len) {
            slices_ = slices_.subspan(1);
            offset_ = 0;
            skip_empty();
        }
        return piece;
    }
    void skip_empty() noexcept {
        while (!slices_.empty() && slices_.front().iov_len == 0) slices_ = slices_.subspan(1);
    }

    std::span<const iovec> slices_;
    std::size_t offset_ = 0;
};

}  // namespace hawser::transport
