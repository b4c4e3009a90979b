#include "transport/tls_records.hpp"

#include <algorithm>

namespace hawser::transport {
namespace {

// RFC 8446, sections 5.1 and 4, and what encryption adds at least: the type, and the shortest tag (CCM_8).
constexpr unsigned char handshake_type = 22, encrypted_type = 23;
constexpr char certificate_type = 11;
constexpr std::size_t message_header_size = 4;
constexpr std::size_t encryption_size = 9;
/// In the handshake a longer record is no alert; there are few of them, for its bytes are bounded.
constexpr std::size_t longest_idle_record = 64;

}  // namespace

void TlsRecords::take(std::string_view bytes) {
    if (!is_open_) {
        for (std::size_t i = 0; i < bytes.size() && handshake_size_ + i < first_bytes_.size(); ++i)
            first_bytes_[handshake_size_ + i] = bytes[i];
        handshake_size_ += bytes.size();
    }
    while (!bytes.empty()) {
        const std::size_t wanted = header_size_ < header_.size() ? header_.size() - header_size_ : missing_;
        const std::string_view part = bytes.substr(0, wanted);
        bytes.remove_prefix(part.size());
        if (header_size_ < header_.size()) {
            std::copy(part.begin(), part.end(), header_.begin() + static_cast<std::ptrdiff_t>(header_size_));
            header_size_ += part.size();
            if (header_size_ == header_.size()) begin_record();
        } else {
            if (!is_open_ && type() == handshake_type) messages_ += part;
            missing_ -= part.size();
        }
        if (header_size_ == header_.size() && missing_ == 0) end_record();
    }
}

std::size_t TlsRecords::content_size() const noexcept {
    return static_cast<std::size_t>(static_cast<unsigned char>(header_[3]) << 8 | static_cast<unsigned char>(header_[4]));
}

void TlsRecords::begin_record() {
    missing_ = content_size();
    if (!is_open_ && type() == encrypted_type && missing_ > encryption_size) hidden_size_ += missing_ - encryption_size;
}

void TlsRecords::end_record() {
    header_size_ = 0;
    if (is_open_ || (type() != handshake_type && content_size() <= longest_idle_record)) ++idle_;
}

void TlsRecords::end_handshake() {
    is_open_ = true;
    idle_ = 0;
    messages_ = std::string();
}

std::string TlsRecords::take_certificates() {
    while (messages_.size() >= message_header_size) {
        const auto byte = [&](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(messages_[at])); };
        const std::size_t size = message_header_size + (byte(1) << 16 | byte(2) << 8 | byte(3));
        if (messages_.size() < size) break;
        std::string message = messages_.substr(0, size);
        messages_.erase(0, size);
        if (message[0] == certificate_type) return message.substr(message_header_size);
    }
    return {};
}

std::string idle_text() {
    return "more than " + std::to_string(TlsRecords::max_idle) +
           " in a row brought nothing: they were empty, or alerts that only warn, or session tickets";
}

}  // namespace hawser::transport
