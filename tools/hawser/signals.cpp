#include "signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace hawser::command {

Signals::Signals(Reactor& reactor, OnSignal on_signal) : reactor_(reactor), on_signal_(std::move(on_signal)) {
    sigset_t taken;
    sigemptyset(&taken);
    sigaddset(&taken, SIGINT);
    sigaddset(&taken, SIGTERM);
    descriptor_ = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "cannot take signals");
    // A blocked signal waits for signalfd's reader.
    pthread_sigmask(SIG_BLOCK, &taken, &before_);
    reactor_.attach(descriptor_, Readiness::readable, [this](Readiness) { read(); });
}

Signals::~Signals() {
    reactor_.detach(descriptor_);
    close(descriptor_);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void Signals::read() {
    signalfd_siginfo info;
    while (::read(descriptor_, &info, sizeof info) == sizeof info) on_signal_(std::exchange(again_, true));
}

}  // namespace hawser::command
