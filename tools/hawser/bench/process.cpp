#include "process.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <string>

namespace hawser::bench {

namespace {

double seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec); }

}  // namespace

Process::Process(pid_t id) : id_(id) {
    if (clock_getcpuclockid(id, &clock_) != 0) throw std::runtime_error("there is no process " + std::to_string(id));
}

double Process::cpu_seconds() const {
    timespec time{};
    if (clock_gettime(clock_, &time) != 0) throw std::runtime_error("the process " + std::to_string(id_) + " has ended");
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double Process::resident_bytes() const {
    const std::string path = "/proc/" + std::to_string(id_) + "/statm";
    std::ifstream file(path);
    double size = 0, resident = 0;
    if (!(file >> size >> resident)) throw std::runtime_error("cannot tell the memory of process " + std::to_string(id_) + " from " + path);
    return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double own_cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace hawser::bench
