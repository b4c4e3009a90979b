#include "transport/file_content.hpp"

#include <fcntl.h>
#include <mbedtls/md.h>
#include <mbedtls/platform_util.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "transport/descriptor.hpp"

namespace hawser::transport {
namespace {

/// File systems count time in steps of up to so many seconds: two changes within one step may show the same times.
constexpr time_t longest_time_step = 2;

[[noreturn]] void fail(int error) { throw std::system_error(error, std::generic_category()); }

std::string digest_of(std::string_view bytes) {
    const mbedtls_md_info_t* info = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
    std::string digest(mbedtls_md_get_size(info), '\0');
    mbedtls_md(info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()));
    return digest;
}

bool is_same(const timespec& a, const timespec& b) noexcept { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

bool is_same(const struct stat& a, const struct stat& b) noexcept {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size && is_same(a.st_mtim, b.st_mtim) &&
           is_same(a.st_ctim, b.st_ctim);
}

}  // namespace

// By way of the other constructor: so what has been read is wiped when this one fails.
FileContent::FileContent(const std::string& path) : FileContent() {
    const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file || fstat(file.get(), &status_) != 0) fail(errno);
    // Room for one byte more, so that the end shows; what tells no size, a pipe say, may have any.
    reserve(std::clamp<std::size_t>(static_cast<std::size_t>(status_.st_size) + 1, 4096, max_size + 1));
    while (const ssize_t size = ::read(file.get(), bytes_.get() + size_, capacity_ - size_)) {
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) fail(errno);
        size_ += static_cast<std::size_t>(size);
        if (size_ > max_size) fail(EFBIG);
        if (size_ == capacity_) reserve(std::min(2 * capacity_, max_size + 1));
    }
    bytes_[size_] = '\0';
}

void FileContent::reserve(std::size_t capacity) {
    auto room = std::make_unique_for_overwrite<char[]>(capacity + 1);
    std::copy_n(bytes_.get(), size_, room.get());
    wipe();
    bytes_ = std::move(room);
    capacity_ = capacity;
}

void FileContent::wipe() noexcept {
    if (bytes_) mbedtls_platform_zeroize(bytes_.get(), size_);
}

FileMark::FileMark(std::string path, const FileContent& content) : path_(std::move(path)), digest_(digest_of(content.view())) {
    set_status(content.status());
}

void FileMark::set_status(const struct stat& status) noexcept {
    status_ = status;
    is_settled_ = std::max(status.st_mtim.tv_sec, status.st_ctim.tv_sec) + longest_time_step < ::time(nullptr);
}

bool FileMark::is_unchanged() {
    struct stat now {};
    if (stat(path_.c_str(), &now) != 0) return false;
    if (is_settled_ && is_same(now, status_)) return true;
    try {
        const FileContent content(path_);
        if (digest_of(content.view()) != digest_) return false;
        set_status(content.status());
        return true;
    } catch (const std::system_error&) {
        return false;
    }
}

}  // namespace hawser::transport
