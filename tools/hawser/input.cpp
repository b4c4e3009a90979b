#include "input.hpp"

#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace hawser::command {

void Input::resume() {
    if (attached_ || over_) return;
    attached_ = true;
    reactor_.attach(STDIN_FILENO, Readiness::readable, [this](Readiness) { read(); });
}

void Input::pause() noexcept {
    if (attached_) reactor_.detach(STDIN_FILENO);
    attached_ = false;
}

void Input::stop() noexcept {
    pause();
    over_ = true;
}

// One read an event never waits, whether the descriptor is non-blocking or not: it is shared with other processes.
void Input::read() {
    const ssize_t size = ::read(STDIN_FILENO, buffer_.data(), buffer_.size());
    if (size < 0) {
        if (errno == EINTR || errno == EAGAIN) return;
        throw std::system_error(errno, std::generic_category(), "cannot read standard input");
    }
    const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(size));
    if (bytes.empty()) {
        stop();
        if (!line_.empty()) on_piece(line_);
        return on_end();
    }
    if (pieces_ == Pieces::chunks) return on_piece(bytes);
    take_lines(bytes);
}

void Input::take_lines(std::string_view bytes) {
    for (std::size_t end = bytes.find('\n'); end != std::string_view::npos && !over_; end = bytes.find('\n')) {
        line_.append(bytes.substr(0, end));
        bytes.remove_prefix(end + 1);
        check_length();
        on_piece(line_);
        line_.clear();
    }
    line_.append(bytes);
    check_length();
}

void Input::check_length() const {
    if (line_.size() <= longest_) return;
    throw std::runtime_error("a line of standard input is longer than " + std::to_string(longest_) + " bytes (raise --max-message)");
}

}  // namespace hawser::command
