#include <atomic>
#include <cstdlib>
#include <new>

#include <hawser/server.hpp>

#include "support/catch.hpp"
#include "support/loopback.hpp"
#include "types/buffer.hpp"

// Counts what the whole executable allocates: this file has one of its own, whose calls of malloc and its kin the linker turns to these
// (--wrap), and operator new is replaced by one that calls malloc from here, since the standard library's own would escape.
// Where gcc inlines one half of a replaced pair and not the other, it takes them for mismatched.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace {

std::atomic<bool> is_counting{false};
std::atomic<std::size_t> allocations{0};

void count_one() noexcept {
    if (is_counting) ++allocations;
}

}  // namespace

extern "C" {
// The linker's names for malloc and its kin as they were.
void* __real_malloc(std::size_t size);
void* __real_calloc(std::size_t count, std::size_t size);
void* __real_realloc(void* block, std::size_t size);

void* __wrap_malloc(std::size_t size) {
    count_one();
    return __real_malloc(size);
}
void* __wrap_calloc(std::size_t count, std::size_t size) {
    count_one();
    return __real_calloc(count, size);
}
void* __wrap_realloc(void* block, std::size_t size) {
    count_one();
    return __real_realloc(block, size);
}
}

// Not inlined: a compiler that sees malloc() and free() of one block leaves both out.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size == 0 ? 1 : size); }
[[gnu::noinline]] void* operator new(std::size_t size) {
    if (void* block = operator new(size, std::nothrow)) return block;
    throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return operator new(size, std::nothrow); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }

using namespace hawser;
using namespace support;

namespace {

/// An echo server over TCP, and a client that is a socket and nothing else.
struct Echo {
    Echo() {
        loopback.server.on_message([](Connection& connection, MessageView message) { connection.send(message); });
        loopback.server.start();
        socket = loopback.dial();
        RawPeer(loopback.reactor.core(), Descriptor(dup(socket.get()))).shake_hands();
    }

    /// Sends the frames in one write, and runs the server until so many bytes have come back.
    void exchange(std::string_view frames, std::size_t echoed) {
        if (send(socket.get(), frames.data(), frames.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(frames.size())) std::abort();
        char bytes[4096];
        while (echoed != 0) {
            loopback.reactor.run_once(Seconds(1));
            const ssize_t size = recv(socket.get(), bytes, sizeof bytes, MSG_DONTWAIT);
            if (size > 0) echoed -= std::min(echoed, static_cast<std::size_t>(size));
        }
    }

    Loopback loopback;
    Descriptor socket;
};

std::size_t allocations_for(Echo& echo, const std::string& frames, std::size_t echoed) {
    for (int i = 0; i < 20; ++i) echo.exchange(frames, echoed);
    allocations = 0;
    is_counting = true;
    for (int i = 0; i < 500; ++i) echo.exchange(frames, echoed);
    is_counting = false;
    return allocations;
}

std::string repeated(const std::string& piece, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) all += piece;
    return all;
}

}  // namespace

TEST_CASE("allocation: the counter counts", "[allocation]") {
    allocations = 0;
    is_counting = true;
    // Called as functions: a new expression may be optimized away.
    operator delete(operator new(1));
    operator delete[](operator new[](1));
    Buffer grown;
    grown.reserve(1);
    grown.reserve(100);
    is_counting = false;
    operator delete(operator new(1));
    CHECK(allocations == 4);
}

TEST_CASE("allocation: a small message is echoed without any", "[allocation]") {
    Echo echo;
    const std::size_t pipelined = GENERATE(1u, 2u, 10u);
    SECTION("text of 20 bytes") {
        CHECK(allocations_for(echo, repeated(RawPeer::frame(0x81, std::string(20, 't')), pipelined), pipelined * 22) == 0);
    }
    SECTION("binary of 125 bytes") {
        CHECK(allocations_for(echo, repeated(RawPeer::frame(0x82, std::string(125, 'b')), pipelined), pipelined * 127) == 0);
    }
    SECTION("ping, answered by the stock middleware") {
        echo.loopback.server.on_message({});
        CHECK(allocations_for(echo, repeated(RawPeer::frame(0x89, std::string(20, 'p')), pipelined), pipelined * 22) == 0);
    }
}

TEST_CASE("allocation: a small message through a middleware is echoed without any", "[allocation]") {
    struct Forward final : Middleware {
        Hook hooks() const noexcept override { return Hook::incoming | Hook::outgoing; }
    };
    Echo echo;
    echo.loopback.server.add_middleware(std::make_shared<Forward>());
    CHECK(allocations_for(echo, RawPeer::frame(0x81, std::string(20, 't')), 22) == 0);
}
