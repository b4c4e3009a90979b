#include "stream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

namespace hawser::check {

namespace {

// What is sent in pieces is to be received in pieces.
constexpr double pause_seconds = 0.001;
constexpr double cut_seconds = 0.004;
// On a busy machine pauses last longer, and a subject bounds its opening handshake: behind that there are none.
constexpr std::chrono::seconds most_pauses{3};

}  // namespace

void Stream::open(int descriptor, bool connecting) {
    descriptor_ = descriptor;
    connecting_ = connecting;
    const int on = 1;
    setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch();
}

void Stream::send(std::string bytes, std::size_t chop, std::size_t cut, bool last) {
    finish_due_ = finish_due_ || last;
    begin_ = std::chrono::steady_clock::now();
    const std::string_view all = bytes;
    if (cut > 0) {
        pieces_.emplace_back(all.substr(0, cut));
        pieces_.emplace_back(all.substr(std::min(cut, all.size())));
    } else if (chop > 0) {
        for (std::size_t begin = 0; begin < all.size(); begin += chop) pieces_.emplace_back(all.substr(begin, chop));
    } else {
        pieces_.push_back(std::move(bytes));
    }
    if (timer_ != 0) return;
    write();
}

void Stream::finish() {
    finish_due_ = true;
    if (is_sent()) finish_now();
}

void Stream::close() {
    if (timer_ != 0) reactor_.cancel(std::exchange(timer_, 0));
    if (descriptor_ < 0) return;
    reactor_.detach(descriptor_);
    ::close(std::exchange(descriptor_, -1));
}

void Stream::on_ready(Readiness readiness) {
    const auto bits = static_cast<unsigned>(readiness);
    if (connecting_) return connected();
    if (bits & static_cast<unsigned>(Readiness::writable)) write();
    if (descriptor_ >= 0 && bits & static_cast<unsigned>(Readiness::readable)) read();
}

void Stream::connected() {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size);
    connecting_ = false;
    watch();
    events_.on_connected(error);
}

void Stream::read() {
    char buffer[65536];
    const ssize_t count = recv(descriptor_, buffer, sizeof buffer, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count > 0) {
        const std::string_view bytes(buffer, static_cast<std::size_t>(count));
        wire_.received(bytes);
        return events_.on_bytes(bytes);
    }
    ended_ = true;
    wire_.note(count == 0 ? "received the end of the stream" : "the connection was reset");
    watch();
    events_.on_end(count < 0);
}

void Stream::write() {
    while (!pieces_.empty() && timer_ == 0 && !broken_) {
        const std::string& piece = pieces_.front();
        if (written_ == 0 && !piece.empty()) wire_.sent(piece);
        // The end of the stream goes with the last bytes, so that none can be received without it.
        const int more = finish_due_ && pieces_.size() == 1 ? MSG_MORE : 0;
        const ssize_t count = ::send(descriptor_, piece.data() + written_, piece.size() - written_, MSG_NOSIGNAL | more);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) return watch();
        // Reading will show how it ended.
        if (count < 0) broken_ = true;
        written_ += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
        if (written_ < piece.size() && !broken_) continue;
        pieces_.pop_front();
        written_ = 0;
        if (!pieces_.empty() && std::chrono::steady_clock::now() - begin_ < most_pauses) pause();
    }
    if (broken_) pieces_.clear();
    watch();
    if (!is_sent()) return;
    if (finish_due_) finish_now();
    events_.on_sent();
}

void Stream::pause() {
    timer_ = reactor_.after(Seconds(pieces_.size() == 1 ? cut_seconds : pause_seconds), [this] {
        timer_ = 0;
        write();
    });
}

void Stream::finish_now() {
    finish_due_ = false;
    if (descriptor_ < 0) return;
    wire_.note("sent the end of the stream");
    shutdown(descriptor_, SHUT_WR);
}

void Stream::watch() {
    if (descriptor_ < 0) return;
    const bool writing = connecting_ || (!pieces_.empty() && timer_ == 0);
    const unsigned interest = (ended_ || connecting_ ? 0U : 1U) | (writing ? 2U : 0U);
    if (interest == 0)
        reactor_.detach(descriptor_);
    else
        reactor_.attach(descriptor_, static_cast<Readiness>(interest), [this](Readiness ready) { on_ready(ready); });
}

}  // namespace hawser::check
