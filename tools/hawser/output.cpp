#include "output.hpp"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace hawser::command {

namespace {

constexpr std::size_t full_at = 256 * 1024;

}  // namespace

Output::~Output() {
    if (attached_) reactor_.detach(STDOUT_FILENO);
}

void Output::write(std::string_view bytes) {
    if (broken_) return;
    kept_.append(bytes);
    if (attached_) return;
    flush(false);
    watch();
}

bool Output::is_full() const noexcept { return kept_.size() - written_ >= full_at; }

void Output::finish() { flush(true); }

// The descriptor is shared with other processes, which O_NONBLOCK would disturb. PIPE_BUF bytes are what a pipe that
// poll() calls writable takes at once.
void Output::flush(bool wait) {
    while (written_ < kept_.size() && is_ready(wait)) {
        const ssize_t result = ::write(STDOUT_FILENO, kept_.data() + written_, std::min<std::size_t>(kept_.size() - written_, PIPE_BUF));
        if (result >= 0)
            written_ += static_cast<std::size_t>(result);
        else if (errno != EINTR && errno != EAGAIN)
            return failed(errno);
    }
    if (written_ < kept_.size()) return;
    kept_.clear();
    written_ = 0;
}

bool Output::is_ready(bool wait) const {
    pollfd descriptor{STDOUT_FILENO, POLLOUT, 0};
    return poll(&descriptor, 1, wait ? -1 : 0) > 0 || wait;
}

void Output::failed(int error) {
    broken_ = true;
    kept_.clear();
    written_ = 0;
    if (error != EPIPE) throw std::system_error(error, std::generic_category(), "cannot write to standard output");
    if (on_broken) on_broken();
}

void Output::watch() {
    if (attached_ == !kept_.empty()) return;
    attached_ = !kept_.empty();
    if (!attached_) {
        reactor_.detach(STDOUT_FILENO);
        if (on_drain) on_drain();
        return;
    }
    reactor_.attach(STDOUT_FILENO, Readiness::writable, [this](Readiness) {
        flush(false);
        watch();
    });
}

void print_out(Reactor& reactor, std::string_view text) {
    Output output(reactor);
    output.write(text);
    output.finish();
}

}  // namespace hawser::command
