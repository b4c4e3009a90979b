#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace hawser::transport {

/// What a file holds, with a NUL behind it. Wiped when it goes: it may be a private key.
class FileContent {
public:
    /// The longest that is read: a bundle of all the world's authorities has a quarter of a MiB.
    static constexpr std::size_t max_size = 16 * 1024 * 1024;

    /// Throws std::system_error; EFBIG for what is longer than `max_size`.
    explicit FileContent(const std::string& path);
    ~FileContent() { wipe(); }
    FileContent(const FileContent&) = delete;
    FileContent& operator=(const FileContent&) = delete;

    std::string_view view() const noexcept { return {bytes_.get(), size_}; }
    /// The file's status before it was read.
    const struct stat& status() const noexcept { return status_; }

private:
    FileContent() = default;
    void reserve(std::size_t capacity);
    void wipe() noexcept;

    struct stat status_ {};
    std::unique_ptr<char[]> bytes_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;  // without the NUL
};

/// A file as it was when it was read, without what it held: tells whether it has changed since.
class FileMark {
public:
    FileMark(std::string path, const FileContent& content);

    /// By the times of the file, or where they do not tell, by what it holds. False when it cannot be read any more.
    bool is_unchanged();

private:
    void set_status(const struct stat& status) noexcept;

    std::string path_;
    std::string digest_;
    struct stat status_ {};
    bool is_settled_ = false;  // a later change would show in the file's times
};

}  // namespace hawser::transport
