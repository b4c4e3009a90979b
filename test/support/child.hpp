#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "support/catch.hpp"

namespace support {

/// How a child process ended that did `work`, whose result is its exit status: as waitpid() tells it.
template <typename Work>
int status_of_child(Work work) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        // An assertion that is to fail speaks to nobody, and is not the test runner's to catch.
        close(STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        _exit(work());
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

}  // namespace support
