#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace hawser::transport {

/// Follows the records that a peer sends (RFC 8446, section 5.1), ahead of mbedTLS: how many bring nothing, which mbedTLS skips and
/// does not tell, and the certificates that TLS 1.2 shows in the clear.
class TlsRecords {
public:
    /// So many in a row may bring nothing: alerts that only warn, empty ones, session tickets.
    static constexpr unsigned max_idle = 32;

    /// These bytes are what mbedTLS is given next.
    void take(std::string_view bytes);
    /// The handshake is complete.
    void end_handshake();
    /// Something came of the records that were taken.
    void set_useful() noexcept { idle_ = 0; }
    bool is_idle_too_long() const noexcept { return idle_ > max_idle; }

    /// Of the handshake.
    std::size_t handshake_size() const noexcept { return handshake_size_; }
    std::string_view first_bytes() const noexcept { return {first_bytes_.data(), std::min(handshake_size_, first_bytes_.size())}; }
    /// The most that the encrypted records of the handshake can hold, up to the end of that which is under way.
    std::size_t hidden_size() const noexcept { return hidden_size_; }
    /// A handshake message of the type Certificate that was sent in the clear, without its header (RFC 5246, section 7.4.2), once; empty
    /// when there is none.
    std::string take_certificates();

private:
    void begin_record();
    void end_record();
    std::size_t content_size() const noexcept;
    unsigned char type() const noexcept { return static_cast<unsigned char>(header_[0]); }

    std::array<char, 5> header_{};
    std::array<char, 9> first_bytes_{};  // the head of a record, and of a message
    std::size_t header_size_ = 0;
    std::size_t missing_ = 0;  // of the content of the record under way
    std::size_t handshake_size_ = 0, hidden_size_ = 0;
    std::string messages_;  // of the handshake, in the clear, from the first on that is not complete or not looked at
    unsigned idle_ = 0;
    bool is_open_ = false;
};

/// What is said of a peer whose records bring nothing.
std::string idle_text();

}  // namespace hawser::transport
