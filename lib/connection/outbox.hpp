#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace hawser::connection {

/// Bytes that wait to be sent, own ones and shared ones, in order. Holds no memory while it is empty.
class Outbox {
public:
    Outbox() noexcept;
    ~Outbox();
    Outbox(const Outbox&) = delete;
    Outbox& operator=(const Outbox&) = delete;

    bool empty() const noexcept { return !queue_; }
    std::size_t size() const noexcept;

    /// Room for `size` bytes at the end, to be filled before any other call.
    char* reserve(std::size_t size);
    void append(std::string_view bytes);
    /// Shares the bytes instead of copying them, if that pays.
    void append_shared(const std::shared_ptr<const std::string>& bytes);

    /// Describes what is to be sent next, as far as `slices` goes; returns how many were filled.
    std::size_t describe(std::span<iovec> slices) const noexcept;
    /// The first `size` bytes have been sent.
    void consume(std::size_t size) noexcept;
    void clear() noexcept;

    /// Less than this is copied even if it could be shared.
    static constexpr std::size_t share_minimum = 256;

private:
    struct Queue;
    Queue& queue();

    std::unique_ptr<Queue> queue_;  // null while it is empty
};

}  // namespace hawser::connection
