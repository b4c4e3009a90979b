#include "types/entropy.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "support/catch.hpp"

using namespace hawser;

namespace {

using Key = std::array<unsigned char, 16>;

Key draw(Entropy& entropy) {
    Key key{};
    entropy.fill(key);
    return key;
}

// What `function` returns in a child process.
template <typename Function>
int in_child(Function&& function) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) _exit(function());
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// The key that a child draws.
Key drawn_in_child(Entropy& entropy) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    in_child([&] {
        const Key key = draw(entropy);
        return write(ends[1], key.data(), key.size()) == static_cast<ssize_t>(key.size()) ? 0 : 1;
    });
    Key key{};
    close(ends[1]);
    CHECK(read(ends[0], key.data(), key.size()) == static_cast<ssize_t>(key.size()));
    close(ends[0]);
    return key;
}

// From here on getrandom(2), which getentropy(3) calls, fails with EPERM.
bool forbid_getrandom() {
    sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 0, 1),
                          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const sock_fprog program{static_cast<unsigned short>(std::size(code)), code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace

TEST_CASE("entropy: every byte of every size is filled, and none beyond") {
    const auto entropy = system_entropy();
    for (const std::size_t size : {0u, 1u, 4u, 16u, 255u, 256u, 257u, 511u, 512u, 513u, 1000u}) {
        CAPTURE(size);
        // A byte that stays 0 in 20 rounds was never written: by chance, one run in 10^45.
        std::vector<unsigned char> seen(size + 1);
        for (int round = 0; round < 20; ++round) {
            std::vector<unsigned char> bytes(size + 1);
            entropy->fill(std::span(bytes).first(size));
            for (std::size_t i = 0; i <= size; ++i) seen[i] = static_cast<unsigned char>(seen[i] | bytes[i]);
        }
        CHECK(std::count(seen.begin(), seen.end() - 1, 0) == 0);
        CHECK(seen.back() == 0);
    }
}

TEST_CASE("entropy: no key comes twice") {
    const auto entropy = system_entropy();
    const auto other = system_entropy();
    std::set<Key> keys;
    for (int i = 0; i < 1000; ++i) {
        keys.insert(draw(*entropy));
        keys.insert(draw(*other));
    }
    CHECK(keys.size() == 2000);
}

TEST_CASE("entropy: after fork the child draws other bytes than its parent") {
    const auto entropy = system_entropy();
    draw(*entropy);
    // They were drawn ahead, as the parent's next ones.
    const Key first = drawn_in_child(*entropy), second = drawn_in_child(*entropy);
    const Key parent = draw(*entropy);
    CHECK(first != parent);
    CHECK(second != parent);
    CHECK(first != second);
    CHECK(first != Key{});
}

TEST_CASE("entropy: a failure of the system's generator is thrown") {
    constexpr int thrown = 0, filled = 1, not_possible = 2;
    const int result = in_child([] {
        const auto entropy = system_entropy();
        if (!forbid_getrandom()) return not_possible;
        try {
            draw(*entropy);
            return filled;
        } catch (const std::system_error& error) {
            return error.code() == std::errc::operation_not_permitted ? thrown : filled;
        }
    });
    if (result == not_possible) WARN("the system allows no seccomp filter");
    CHECK(result != filled);
    CHECK(result != -1);
}
