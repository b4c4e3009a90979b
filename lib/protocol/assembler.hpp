#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include <hawser/configuration.hpp>
#include <hawser/message.hpp>

#include "protocol/deflate.hpp"
#include "protocol/frame.hpp"
#include "protocol/utf8.hpp"
#include "types/buffer.hpp"

namespace hawser::protocol {

/// Puts messages together from frames (RFC 6455, section 5.4). A message that is one frame, and is there as a whole,
/// is unmasked in place and shown where it lies; others are collected in storage that grows with what has been
/// received, never with what a header promises. A compressed message is inflated while it arrives (RFC 7692).
/// Between messages it holds no memory.
class Assembler {
public:
    enum class Status : std::uint8_t { incomplete, message, failed };

    explicit Assembler(Role receiver) noexcept : receiver_(receiver) {}

    /// Compressed messages may come from now on.
    void set_inflater(std::unique_ptr<Inflater> inflater) noexcept { inflater_ = std::move(inflater); }

    /// Takes the next message from the front of `input`, which it shortens and changes. The message lives until the
    /// next call, or until forget(). `incomplete`: what is left of `input` is the beginning of a frame, to be shown
    /// again with more behind it. After `failed` no further call.
    Status next(std::span<char>& input, const Configuration& limits, MessageView& message) {
        forget();
        if (!partial_)
            if (const Status status = short_frame(input, limits, message); status != Status::incomplete) return status;
        return any_frames(input, limits, message);
    }

    /// Gives back the storage of a message that was taken, if it had any: the next call may be long in coming.
    void forget() noexcept {
        if (partial_ && partial_->is_delivered) partial_.reset();
    }

    /// Gives up a message that will not be complete.
    void abandon() noexcept {
        if (in_message()) partial_.reset();
    }

    /// Where the rest of a large frame may be received directly, to be followed by `received` and `next`;
    /// empty when it is better received with what follows. `spare`: the block that the long messages of a reactor leave to each other
    /// while there are any; filling fresh memory costs far more than filling it again.
    std::span<char> direct_target(std::weak_ptr<Buffer>& spare);
    /// `size` bytes were written to the front of the direct target, which was not empty.
    void received(std::size_t size) noexcept { partial_->pending_direct = size; }

    /// What was wrong, after `failed`.
    const Failure& failure() const noexcept { return partial_->failure; }
    /// In the middle of a message: an end now loses it.
    bool in_message() const noexcept { return partial_ && !partial_->is_delivered; }

    /// A frame with less than this still to come is not received directly.
    static constexpr std::size_t direct_minimum = 16 * 1024;
    /// How much is received directly at once: what unmasking finds in the processor's cache.
    static constexpr std::size_t direct_maximum = 256 * 1024;

private:
    /// A message that is not, or was not, there as a whole.
    struct Partial {
        ~Partial();
        Buffer storage{};
        std::shared_ptr<Buffer> spare{};  // when it is received directly
        std::uint64_t remaining = 0;      // of the frame's payload
        std::uint64_t offset = 0;         // in the frame's payload
        std::size_t pending_direct = 0;
        std::uint32_t fragments = 0;  // data frames so far
        MaskingKey key{};
        Utf8Validator utf8{};
        Opcode opcode = Opcode::text;
        bool in_frame = false;
        bool is_last = false;  // the frame
        bool is_compressed = false;
        bool is_delivered = false;  // the storage holds a message that was shown
        bool is_spare_too_large = false;
        Failure failure{};
    };

    Status short_frame(std::span<char>& input, const Configuration& limits, MessageView& message);
    Status any_frames(std::span<char>& input, const Configuration& limits, MessageView& message);
    Status begin_frame(std::span<char>& input, const Configuration& limits, MessageView& message);
    Status control_frame(std::span<char>& input, const FrameHeader& header, MessageView& message);
    Status close_frame(std::string_view payload, MessageView& message);
    Status whole_text(std::string_view content, MessageView& message);
    Status finish(MessageView& message);
    bool check_data_frame(const FrameHeader& header, const Configuration& limits);
    void unmask(char* data, std::size_t size) noexcept;
    bool check_text(std::string_view text);
    bool take(char* data, std::size_t size);
    bool take_payload(std::span<char>& input, const Configuration& limits);
    bool inflate(std::string_view input, const Configuration& limits);
    bool finish_inflating(const Configuration& limits);
    bool check_inflated(Inflater::Status status, std::size_t before);
    void grow(std::size_t more, std::uint64_t due);
    bool take_spare(std::size_t needed, std::size_t most);
    bool refuse(CloseCode code, const char* reason);
    Status fail(CloseCode code, const char* reason);
    Partial& partial();

    std::unique_ptr<Partial> partial_;    // between messages null
    std::unique_ptr<Inflater> inflater_;  // when permessage-deflate was agreed on
    Role receiver_;
};

}  // namespace hawser::protocol
