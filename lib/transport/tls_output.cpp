#include "transport/tls_output.hpp"

#include <array>
#include <new>

namespace hawser::transport {
namespace {

/// Output that the socket does not take: a handshake's flight, or one record. Beyond it there are alerts only, as answers to
/// a peer that does not read.
constexpr std::size_t max_held_output = 128 * 1024;

}  // namespace

bool TlsOutput::take(std::string_view bytes) {
    if (batch_ && held_.empty() && batch_->append(bytes)) {
        if (batch_->is_full()) flush_batch();
    } else if (!error_) {
        hold(bytes.substr(held_.empty() ? send_now(bytes) : 0));
    }
    return !error_;
}

/// Returns how many bytes the socket took.
std::size_t TlsOutput::send_now(std::string_view bytes) {
    if (bytes.empty()) return 0;
    const std::array slice = {iovec{const_cast<char*>(bytes.data()), bytes.size()}};  // it is only read
    const IoResult result = inner_.write(slice);
    if (result.status == IoResult::Status::failed) error_ = result.error();
    return result.bytes;
}

/// Keeps what the socket did not take.
void TlsOutput::hold(std::string_view bytes) {
    if (!error_ && held_.size() + bytes.size() > max_held_output) error_ = make_error_code(std::errc::no_buffer_space);
    if (error_ || bytes.empty()) return;
    try {
        held_.append(bytes);
    } catch (const std::bad_alloc&) {
        error_ = make_error_code(std::errc::not_enough_memory);
    }
}

void TlsOutput::flush_batch() {
    const std::string_view bytes = batch_->view();
    hold(bytes.substr(send_now(bytes)));
    batch_->clear();
}

/// Returns whether nothing is held any more.
bool TlsOutput::flush() {
    while (!held_.empty()) {
        const std::size_t sent = send_now(held_);
        if (sent == 0 && !error_) return false;
        held_.erase(0, error_ ? held_.size() : sent);
    }
    if (held_.capacity() > std::string().capacity()) held_ = std::string();
    return true;
}

}  // namespace hawser::transport
