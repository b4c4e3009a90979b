#include "types/buffer.hpp"

#include <string>
#include <utility>

#include "support/catch.hpp"

using hawser::Buffer;

TEST_CASE("buffer: an empty one holds no memory") {
    const Buffer buffer;
    CHECK(buffer.size() == 0);
    CHECK(buffer.capacity() == 0);
    CHECK(buffer.view().empty());
}

TEST_CASE("buffer: what is appended stands behind what is there") {
    Buffer buffer;
    buffer.append("");
    CHECK(buffer.capacity() == 0);
    std::string expected;
    for (int i = 0; i < 1000; ++i) {
        buffer.append(std::to_string(i));
        expected += std::to_string(i);
        REQUIRE(buffer.view() == expected);
        REQUIRE(buffer.capacity() >= buffer.size());
    }
}

TEST_CASE("buffer: room may be written before it is added") {
    Buffer buffer;
    buffer.append("abc");
    buffer.make_room(3);
    std::string("def").copy(buffer.end(), 3);
    CHECK(buffer.view() == "abc");
    buffer.add(3);
    CHECK(buffer.view() == "abcdef");
}

TEST_CASE("buffer: reserve gives exactly what is asked for, and never takes back") {
    Buffer buffer;
    buffer.reserve(100);
    CHECK(buffer.capacity() == 100);
    buffer.reserve(99);
    CHECK(buffer.capacity() == 100);
    buffer.append(std::string(100, 'x'));
    CHECK(buffer.capacity() == 100);
    buffer.append("y");
    CHECK(buffer.capacity() == 150);
}

TEST_CASE("buffer: clear keeps the memory") {
    Buffer buffer;
    buffer.append("abc");
    buffer.clear();
    CHECK(buffer.size() == 0);
    CHECK(buffer.capacity() != 0);
    buffer.append("again");
    CHECK(buffer.view() == "again");
}

TEST_CASE("buffer: moving takes the bytes along and leaves an empty one") {
    Buffer from;
    from.append("abc");
    Buffer to(std::move(from));
    CHECK(to.view() == "abc");
    CHECK(from.size() == 0);
    CHECK(from.capacity() == 0);
}
