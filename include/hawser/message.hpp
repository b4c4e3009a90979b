#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <hawser/export.hpp>

namespace hawser {

/// Wall-clock time at which a message was made (sent) or completed (received).
using Timestamp = std::chrono::system_clock::time_point;

/// The five kinds of message; values are the frame opcodes of RFC 6455, section 11.8.
enum class Opcode : std::uint8_t {
    text = 0x1,    ///< UTF-8
    binary = 0x2,  ///< any bytes
    close = 0x8,   ///< the last that its sender sends; may carry a status and a reason
    ping = 0x9,    ///< asks for a pong
    pong = 0xA,    ///< answers a ping, or says that its sender is alive
};

/// Lower-case name of an opcode: "text", "binary", "close", "ping" or "pong".
HAWSER_API std::string_view opcode_name(Opcode opcode) noexcept;

/// Whether the opcode is that of a control frame: close, ping or pong (RFC 6455, section 5.5).
constexpr bool is_control(Opcode opcode) noexcept { return (static_cast<unsigned>(opcode) & 0x8u) != 0; }

/// Status codes of a Close frame (RFC 6455, section 7.4). Any other value that `is_sendable` accepts may be
/// used too: `static_cast<CloseCode>(4001)`.
enum class CloseCode : std::uint16_t {
    none = 0,                    ///< not a Close message
    normal = 1000,               ///< the purpose has been fulfilled
    going_away = 1001,           ///< the server stops, or the page is left
    protocol_error = 1002,       ///< a frame broke the protocol
    unsupported_data = 1003,     ///< a kind of data that cannot be accepted
    no_status = 1005,            ///< reported when a Close frame had no status; never sent
    abnormal = 1006,             ///< reported when no Close frame came; never sent
    invalid_payload = 1007,      ///< text that is not UTF-8
    policy_violation = 1008,     ///< a rule of the receiver's that no other status tells
    message_too_big = 1009,      ///< more than the receiver takes
    mandatory_extension = 1010,  ///< the client needs an extension that the server did not agree to
    internal_error = 1011,       ///< the server cannot go on
    service_restart = 1012,      ///< the server restarts: come back, not all at once
    try_again_later = 1013,      ///< the server is overloaded
    bad_gateway = 1014,          ///< a proxy got no good answer from upstream
    tls_handshake = 1015,        ///< reported when TLS failed; never sent
};

/// Whether a Close frame may carry this status: 1000–1003, 1007–1014 and 3000–4999 (RFC 6455, section 7.4.2,
/// and the IANA registry).
constexpr bool is_sendable(CloseCode code) noexcept {
    const auto value = static_cast<unsigned>(code);
    return (value >= 1000 && value <= 1003) || (value >= 1007 && value <= 1014) || (value >= 3000 && value <= 4999);
}

/// A message as callbacks and middlewares see it. `content` is borrowed: received content lives until the
/// callback returns, sent content until the call returns. Copy it into a `Message` to keep it.
struct MessageView {
    /// What kind of message it is.
    Opcode opcode = Opcode::text;
    /// Payload; for a Close message the reason, without the status.
    std::string_view content;
    /// Status of a Close message: `no_status` when the frame was empty. `none` for the other kinds.
    CloseCode close_status = CloseCode::none;
    /// When the message was complete; of received ones, when the loop saw that there was something to read.
    Timestamp timestamp{};
    /// Sending: whether it may be compressed, where that was agreed on.
    bool compress = true;

    /// Lower-case name of the kind.
    std::string_view opcode_name() const noexcept { return hawser::opcode_name(opcode); }
    /// Length of the content in bytes.
    std::size_t length() const noexcept { return content.size(); }
    /// False when there are no bytes.
    bool has_content() const noexcept { return !content.empty(); }
};

/// A message that owns its content. Sending takes a `MessageView`, to which every `Message` converts.
class HAWSER_API Message {
public:
    /// Copies what a callback was shown.
    explicit Message(const MessageView& view);
    /// A message made now; a Close has status 1000.
    Message(Opcode opcode, std::string content);

    /// What kind of message it is.
    Opcode opcode() const noexcept { return opcode_; }
    /// Lower-case name of the kind.
    std::string_view opcode_name() const noexcept { return hawser::opcode_name(opcode_); }
    /// Length of the content in bytes.
    std::size_t length() const noexcept { return content_.size(); }
    /// False when there are no bytes.
    bool has_content() const noexcept { return !content_.empty(); }
    /// The payload; for a Close message the reason.
    const std::string& content() const noexcept { return content_; }
    /// Replaces the payload. Its length and encoding are checked when the message is sent.
    void set_content(std::string content) { content_ = std::move(content); }
    /// When the message was made, or received.
    Timestamp timestamp() const noexcept { return timestamp_; }
    /// Status of a Close message, `CloseCode::none` for the other kinds.
    CloseCode close_status() const noexcept { return close_status_; }
    /// Changes the status of a Close message; without effect on the other kinds.
    void set_close_status(CloseCode code) noexcept;
    /// Whether it may be compressed when it is sent, where that was agreed on (CompressionExtension). True at first.
    bool compress() const noexcept { return compress_; }
    /// Exempts the message from compression, or takes that back.
    void set_compress(bool compress) noexcept { compress_ = compress; }

    /// The message as a view; valid while this message lives and is not changed.
    MessageView view() const noexcept { return {opcode_, content_, close_status_, timestamp_, compress_}; }
    /// As view().
    operator MessageView() const noexcept { return view(); }

private:
    Opcode opcode_;
    CloseCode close_status_ = CloseCode::none;
    bool compress_ = true;
    Timestamp timestamp_;
    std::string content_;
};

/// UTF-8 text (RFC 6455, section 5.6).
struct HAWSER_API Text : Message {
    /// A text message; its encoding is checked when it is sent.
    explicit Text(std::string content = {}) : Message(Opcode::text, std::move(content)) {}
};

/// Arbitrary bytes (RFC 6455, section 5.6).
struct HAWSER_API Binary : Message {
    /// A binary message.
    explicit Binary(std::string content = {}) : Message(Opcode::binary, std::move(content)) {}
};

/// A ping of at most 125 bytes (RFC 6455, section 5.5.2).
struct HAWSER_API Ping : Message {
    /// A ping; its length is checked when it is sent.
    explicit Ping(std::string content = {}) : Message(Opcode::ping, std::move(content)) {}
};

/// A pong of at most 125 bytes (RFC 6455, section 5.5.3).
struct HAWSER_API Pong : Message {
    /// A pong; its length is checked when it is sent.
    explicit Pong(std::string content = {}) : Message(Opcode::pong, std::move(content)) {}
};

/// A Close with a status and a reason of at most 123 bytes of UTF-8 (RFC 6455, section 5.5.1).
struct HAWSER_API Close : Message {
    /// A Close; status and reason are checked when it is sent.
    explicit Close(CloseCode code = CloseCode::normal, std::string reason = {});
    /// As above, with the status as a number. Throws `Errc::invalid_option` for one that has no place in the frame's 16 bits.
    template <std::integral Number>
    requires(!std::same_as<Number, bool>) explicit Close(Number code, std::string reason = {})
        : Close(status_of(code), std::move(reason)) {}

private:
    template <std::integral Number>
    static CloseCode status_of(Number code) {
        if (!std::in_range<std::uint16_t>(code)) refuse_status(std::to_string(code));
        return static_cast<CloseCode>(code);
    }
    [[noreturn]] static void refuse_status(const std::string& number);
};

}  // namespace hawser
