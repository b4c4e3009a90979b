#pragma once

#include <sys/types.h>
#include <time.h>

namespace hawser::bench {

/// Another process, by what the system tells of it. Every call throws std::runtime_error when there is none (any more).
class Process {
public:
    explicit Process(pid_t id);

    /// Time that its threads have spent on a CPU, those that have ended included.
    double cpu_seconds() const;
    double resident_bytes() const;

private:
    pid_t id_;
    clockid_t clock_{};
};

/// CPU time of this process.
double own_cpu_seconds();

}  // namespace hawser::bench
