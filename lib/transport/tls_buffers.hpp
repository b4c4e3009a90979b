#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace hawser::transport {

/// 16 KiB of content (RFC 8446, section 5.1), and what encryption adds.
inline constexpr std::size_t longest_record = 17 * 1024;

/// What one read receives ahead of mbedTLS, which asks for a record in two steps: room for the longest record.
class ReadAhead {
public:
    /// So much is received in one read: more than its content, and not so much that small records take long.
    static constexpr std::size_t most = 100 * 1024;

    /// `left_over`: what an earlier read had received and not used; it stays where it is.
    explicit ReadAhead(std::string_view left_over) noexcept : rest_(left_over) {}

    std::string_view rest() const noexcept { return rest_; }
    /// To be received into once nothing is left; then `received(size)`.
    std::span<char> room() noexcept { return room_; }
    void received(std::size_t size) noexcept {
        rest_ = {room_.data(), size};
        total_ += size;
        is_drained_ = size < room_.size();
    }
    /// What was received came to something.
    void set_useful() noexcept { is_useful_ = true; }
    /// It did, and the socket had no more: nothing is lost by asking it only next time. Or it is the others' turn.
    bool is_enough() const noexcept { return (is_useful_ && is_drained_) || total_ >= most; }
    /// Bytes that were received.
    std::size_t total() const noexcept { return total_; }
    std::size_t take(std::span<char> into) noexcept {
        const std::size_t size = rest_.copy(into.data(), into.size());
        rest_.remove_prefix(size);
        return size;
    }

private:
    std::string_view rest_;
    std::size_t total_ = 0;
    bool is_drained_ = false;
    bool is_useful_ = false;
    std::array<char, 20 * 1024> room_;
};

/// Records that are to be sent at once: two of the longest.
class RecordBatch {
public:
    std::string_view view() const noexcept { return {room_.data(), size_}; }
    /// Returns false, without effect, when there is no room.
    bool append(std::string_view bytes) noexcept {
        if (bytes.size() > room_.size() - size_) return false;
        size_ += bytes.copy(room_.data() + size_, bytes.size());
        return true;
    }
    /// There may be no room for another record.
    bool is_full() const noexcept { return room_.size() - size_ < longest_record; }
    void clear() noexcept { size_ = 0; }

private:
    std::size_t size_ = 0;
    std::array<char, 2 * longest_record> room_;
};

/// Lends something to whom `slot` belongs, until the end of a scope.
template <typename T>
class Lent {
public:
    Lent(T*& slot, T& value) noexcept : slot_(slot) { slot_ = &value; }
    ~Lent() { slot_ = nullptr; }
    Lent(const Lent&) = delete;
    Lent& operator=(const Lent&) = delete;

private:
    T*& slot_;
};

}  // namespace hawser::transport
