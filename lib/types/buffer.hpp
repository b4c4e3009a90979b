#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

namespace hawser {

/// Bytes that grow at the end: as a string, but what is added need not be written first, and growing uses realloc,
/// which moves the pages of a large block instead of copying it.
class Buffer {
public:
    Buffer() = default;
    Buffer(Buffer&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)), capacity_(std::exchange(other.capacity_, 0)) {}
    Buffer& operator=(Buffer other) noexcept {
        swap(other);
        return *this;
    }
    ~Buffer() { std::free(data_); }

    std::size_t size() const noexcept { return size_; }
    std::size_t capacity() const noexcept { return capacity_; }
    std::string_view view() const noexcept { return {data_, size_}; }
    /// Behind the last byte: `capacity() - size()` bytes may be written there and then added.
    char* end() const noexcept { return data_ + size_; }
    void add(std::size_t size) noexcept { size_ += size; }

    void reserve(std::size_t capacity) {
        if (capacity <= capacity_) return;
        void* grown = std::realloc(data_, capacity);
        if (grown == nullptr) throw std::bad_alloc();
        data_ = static_cast<char*>(grown);
        capacity_ = capacity;
    }
    /// Room for `size` more, growing at least by half.
    void make_room(std::size_t size) {
        if (size_ + size > capacity_) reserve(std::max(size_ + size, capacity_ + capacity_ / 2));
    }
    void append(std::string_view bytes) {
        if (bytes.empty()) return;
        make_room(bytes.size());
        std::memcpy(end(), bytes.data(), bytes.size());
        size_ += bytes.size();
    }
    void remove_suffix(std::size_t size) noexcept { size_ -= size; }
    void clear() noexcept { size_ = 0; }
    void swap(Buffer& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
    }

private:
    char* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace hawser
