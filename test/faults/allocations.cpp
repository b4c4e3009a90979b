#include <dlfcn.h>
#include <ev.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>

#include "faults/plan.hpp"

// Put in place of the C library's and the compiler's, for everything in the process: our own code, mbedTLS, zlib, c-ares.

extern "C" {
// The C library's own, under its other names.
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* block);
}

namespace {

std::atomic<std::size_t> blocks{0};

const void* library_of(const void* address) noexcept {
    Dl_info info{};
    return dladdr(address, &info) != 0 ? info.dli_fbase : nullptr;
}

/// libev ends the process when it gets no memory; so it gets some.
bool is_refused(const void* caller) noexcept {
    static const void* const libev = library_of(reinterpret_cast<const void*>(&ev_run));
    return faults::is_armed("allocation") && library_of(caller) != libev && faults::strikes("allocation");
}

void* counted(void* block) noexcept {
    if (block) ++blocks;
    return block;
}

}  // namespace

std::size_t faults::live_blocks() noexcept { return blocks; }

extern "C" {

void* malloc(std::size_t size) noexcept { return is_refused(__builtin_return_address(0)) ? nullptr : counted(__libc_malloc(size)); }

void* calloc(std::size_t count, std::size_t size) noexcept {
    return is_refused(__builtin_return_address(0)) ? nullptr : counted(__libc_calloc(count, size));
}

void* realloc(void* block, std::size_t size) noexcept {
    if (size != 0 && is_refused(__builtin_return_address(0))) return nullptr;
    void* const moved = __libc_realloc(block, size);
    if (!block) return counted(moved);
    if (size == 0) --blocks;
    return moved;
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    return is_refused(__builtin_return_address(0)) ? nullptr : counted(__libc_memalign(alignment, size));
}

int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
    if (is_refused(__builtin_return_address(0))) return ENOMEM;
    *block = counted(__libc_memalign(alignment, size));
    return *block ? 0 : ENOMEM;
}

void free(void* block) noexcept {
    if (block) --blocks;
    __libc_free(block);
}

}  // extern "C"
