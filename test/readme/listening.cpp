// Linked to each example: says by a line, to the descriptor that LISTENING names, that the program listens.
#include <dlfcn.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

extern "C" int listen(int descriptor, int backlog) noexcept {
    const auto next = reinterpret_cast<int (*)(int, int)>(dlsym(RTLD_NEXT, "listen"));
    const int result = next(descriptor, backlog);
    const char* const told = std::getenv("LISTENING");
    if (result == 0 && told && write(std::atoi(told), "\n", 1) != 1) std::abort();
    return result;
}
