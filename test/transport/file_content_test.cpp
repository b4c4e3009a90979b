#include "transport/file_content.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>

#include "support/catch.hpp"
#include "support/certificates.hpp"

using namespace hawser::transport;

namespace {

std::error_code failure(const std::string& path) {
    try {
        const FileContent content(path);
        return {};
    } catch (const std::system_error& error) {
        return error.code();
    }
}

void set_time(const std::string& path, time_t seconds) {
    const timespec times[] = {{seconds, 0}, {seconds, 0}};
    REQUIRE(utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

}  // namespace

TEST_CASE("file content: all of a file, with a NUL behind it") {
    const support::Files files;
    for (const std::size_t size : {0UL, 1UL, 4095UL, 4096UL, 4097UL, 100'000UL}) {
        CAPTURE(size);
        const std::string text(size, 'x');
        const FileContent content(files.write("file", text));
        CHECK(content.view() == text);
        CHECK(content.view().data()[size] == '\0');
    }
}

TEST_CASE("file content: what tells no size is read to its end") {
    const FileContent content("/proc/self/maps");
    CHECK(content.status().st_size == 0);
    CHECK(content.view().size() > 4096);
    CHECK(content.view().back() == '\n');
}

TEST_CASE("file content: what cannot be read is told with the system's reason") {
    const support::Files files;
    CHECK(failure(files.path("missing")) == std::errc::no_such_file_or_directory);
    CHECK(failure(files.path("")) == std::errc::is_a_directory);
}

TEST_CASE("file content: a file has a longest size") {
    const support::Files files;
    const std::string path = files.write("file", "");
    const auto failure_at = [&](std::size_t size) {
        REQUIRE(truncate(path.c_str(), static_cast<off_t>(size)) == 0);
        return failure(path);
    };
    CHECK_FALSE(failure_at(FileContent::max_size - 1));
    CHECK_FALSE(failure_at(FileContent::max_size));
    CHECK(failure_at(FileContent::max_size + 1) == std::errc::file_too_large);
}

TEST_CASE("file mark: a file has changed when what it holds has") {
    const support::Files files;
    const std::string path = files.write("file", "before");
    FileMark mark(path, FileContent(path));
    CHECK(mark.is_unchanged());
    files.write("file", "behind");
    CHECK_FALSE(mark.is_unchanged());
    files.write("file", "before");
    CHECK(mark.is_unchanged());
    set_time(path, 1'000'000'000);
    CHECK(mark.is_unchanged());
    // Another file of the same content in its place.
    REQUIRE(rename(files.write("other", "before").c_str(), path.c_str()) == 0);
    CHECK(mark.is_unchanged());
    REQUIRE(unlink(path.c_str()) == 0);
    CHECK_FALSE(mark.is_unchanged());
}
