#include "protocol/assembler.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace hawser::protocol {

Assembler::Status Assembler::next(std::span<char>& input, const Configuration& limits, MessageView& message) {
    forget();
    if (!in_message()) {
        const Status status = short_frame(input, limits, message);
        if (status != Status::incomplete) return status;
    }
    for (;;) {
        if (!in_frame_) {
            const Status status = begin_frame(input, limits, message);
            if (status != Status::incomplete || !in_frame_) return status;
        }
        if (!take_payload(input, limits)) return Status::failed;
        if (remaining_ != 0) return Status::incomplete;
        in_frame_ = false;
        if (!fin_) continue;
        if (compressed_ && !finish_inflating(limits)) return Status::failed;
        delivered_ = true;
        return finish(storage_.view(), message);
    }
}

/// Takes what most messages are: one uncompressed frame with a header of the shortest form, all there. `incomplete` leaves whatever
/// else there is as it is, to begin_frame().
Assembler::Status Assembler::short_frame(std::span<char>& input, const Configuration& limits, MessageView& message) {
    const bool masked = receiver_ == Role::server;
    const std::size_t header = header_size(0, masked);
    if (input.size() < header) return Status::incomplete;
    const auto first = static_cast<unsigned char>(input[0]);
    if (first != (wire::fin | wire::text) && first != (wire::fin | wire::binary)) return Status::incomplete;
    // A mask bit that is wrong makes it too long.
    const std::size_t length = static_cast<unsigned char>(input[1]) ^ (masked ? wire::masked : 0u);
    if (length > max_short_payload || input.size() - header < length || length > limits.max_message_size) return Status::incomplete;

    char* payload = input.data() + header;
    if (masked) {
        MaskingKey key;
        std::memcpy(key.data(), payload - key.size(), key.size());
        mask(payload, length, key);
    }
    input = input.subspan(header + length);
    opcode_ = static_cast<Opcode>(first & wire::opcode);
    utf8_.reset();
    return check_text({payload, length}) ? finish({payload, length}, message) : Status::failed;
}

Assembler::Status Assembler::begin_frame(std::span<char>& input, const Configuration& limits, MessageView& message) {
    FrameHeader header;
    switch (parse_header(input, receiver_, header, failure_, inflater_ != nullptr)) {
        case HeaderStatus::incomplete: return Status::incomplete;
        case HeaderStatus::failed: return Status::failed;
        case HeaderStatus::complete: break;
    }
    if (header.opcode >= 0x8) return control_frame(input, header, message);
    if (!check_data_frame(header, limits)) return Status::failed;

    const auto length = static_cast<std::size_t>(header.length);
    key_ = header.key;
    offset_ = 0;
    remaining_ = length;
    fin_ = header.fin;
    input = input.subspan(header.size);
    if (fin_ && fragments_ == 1 && !compressed_ && input.size() >= length) {
        char* payload = input.data();
        if (!take(payload, length)) return Status::failed;
        input = input.subspan(length);
        return finish({payload, length}, message);
    }
    in_frame_ = true;
    return Status::incomplete;
}

bool Assembler::check_data_frame(const FrameHeader& header, const Configuration& limits) {
    const bool continuation = header.opcode == wire::continuation;
    if (continuation && fragments_ == 0) return refuse(CloseCode::protocol_error, "a continuation without a message to continue");
    if (!continuation && fragments_ != 0) return refuse(CloseCode::protocol_error, "a new message begins inside a fragmented one");
    if (!continuation) compressed_ = header.compressed;
    // A compressed message is measured while it is inflated, and what it takes on the wire is not kept.
    if (!compressed_ && (header.length > limits.max_message_size || storage_.size() > limits.max_message_size - header.length))
        return refuse(CloseCode::message_too_big, "a message is longer than max_message_size");
    if (fragments_ >= limits.max_fragment_count)
        return refuse(CloseCode::message_too_big, "a message has more than max_fragment_count fragments");
    if (!continuation) {
        opcode_ = static_cast<Opcode>(header.opcode);
        utf8_.reset();
    }
    ++fragments_;
    return true;
}

Assembler::Status Assembler::control_frame(std::span<char>& input, const FrameHeader& header, MessageView& message) {
    // At most 125 bytes: left in the input until they are all there.
    const auto length = static_cast<std::size_t>(header.length);
    if (input.size() < header.size + length) return Status::incomplete;
    char* payload = input.data() + header.size;
    if (receiver_ == Role::server) mask(payload, length, header.key);
    input = input.subspan(header.size + length);
    message.opcode = static_cast<Opcode>(header.opcode);
    message.content = {payload, length};
    message.close_status = CloseCode::none;
    return message.opcode == Opcode::close ? close_frame(message.content, message) : Status::message;
}

Assembler::Status Assembler::close_frame(std::string_view payload, MessageView& message) {
    message.close_status = CloseCode::no_status;
    if (payload.empty()) return Status::message;
    if (payload.size() == 1) return fail(CloseCode::protocol_error, "a Close frame has a status of one byte");
    const auto high = static_cast<unsigned char>(payload[0]);
    const auto low = static_cast<unsigned char>(payload[1]);
    message.close_status = static_cast<CloseCode>(high << 8 | low);
    message.content = payload.substr(2);
    if (!is_sendable(message.close_status)) return fail(CloseCode::protocol_error, "a Close frame has a status that may not be sent");
    if (!is_utf8(message.content)) return fail(CloseCode::invalid_payload, "a Close frame's reason is not UTF-8");
    return Status::message;
}

/// Unmasks payload of the present frame, wherever it lies.
void Assembler::unmask(char* data, std::size_t size) noexcept {
    if (receiver_ == Role::server) mask(data, size, key_, static_cast<std::size_t>(offset_));
    offset_ += size;
    remaining_ -= size;
}

bool Assembler::check_text(std::string_view text) noexcept {
    if (opcode_ != Opcode::text || utf8_.feed(text)) return true;
    return refuse(CloseCode::invalid_payload, "a text message is not UTF-8");
}

bool Assembler::take(char* data, std::size_t size) {
    unmask(data, size);
    return check_text({data, size});
}

bool Assembler::take_payload(std::span<char>& input, const Configuration& limits) {
    if (pending_direct_ != 0) {
        const std::size_t size = std::exchange(pending_direct_, 0);
        char* data = storage_.end();
        storage_.add(size);
        if (!take(data, size)) return false;
    }
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size()));
    if (size == 0) return true;
    char* data = input.data();
    input = input.subspan(size);
    if (compressed_) {
        unmask(data, size);
        return inflate({data, size}, limits);
    }
    if (!take(data, size)) return false;
    grow(size, size + remaining_);
    storage_.append({data, size});
    return true;
}

bool Assembler::inflate(std::string_view input, const Configuration& limits) {
    const std::size_t before = storage_.size();
    return check_inflated(inflater_->feed(input, storage_, limits.max_message_size), before);
}

bool Assembler::finish_inflating(const Configuration& limits) {
    const std::size_t before = storage_.size();
    return check_inflated(inflater_->finish(storage_, limits.max_message_size), before);
}

bool Assembler::check_inflated(Inflater::Status status, std::size_t before) {
    // First what came before a fault of the compression: the first fault is told, however the bytes were cut.
    if (!check_text(storage_.view().substr(before))) return false;
    switch (status) {
        case Inflater::Status::corrupt: return refuse(CloseCode::invalid_payload, "a compressed message cannot be inflated");
        case Inflater::Status::too_big: return refuse(CloseCode::message_too_big, "a message inflates to more than max_message_size");
        case Inflater::Status::ok: break;
    }
    return true;
}

Assembler::Status Assembler::finish(std::string_view content, MessageView& message) {
    fragments_ = 0;
    if (opcode_ == Opcode::text && !utf8_.complete()) return fail(CloseCode::invalid_payload, "a text message ends inside a character");
    message.opcode = opcode_;
    message.content = content;
    message.close_status = CloseCode::none;
    return Status::message;
}

/// Makes room for `more` bytes: twice what is there, but no more than the `due` ones that a last frame still brings.
void Assembler::grow(std::size_t more, std::uint64_t due) {
    const std::size_t needed = storage_.size() + more;
    if (needed <= storage_.capacity()) return;
    const std::size_t doubled = std::max(needed, 2 * storage_.size());
    storage_.reserve(fin_ ? static_cast<std::size_t>(std::min<std::uint64_t>(doubled, storage_.size() + due)) : doubled);
}

std::span<char> Assembler::direct_target() {
    if (!in_frame_ || compressed_ || remaining_ < direct_minimum) return {};
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, direct_maximum));
    grow(size, remaining_);
    return {storage_.end(), size};
}

bool Assembler::refuse(CloseCode code, const char* reason) noexcept {
    failure_ = {code, reason};
    return false;
}

Assembler::Status Assembler::fail(CloseCode code, const char* reason) noexcept {
    refuse(code, reason);
    return Status::failed;
}

}  // namespace hawser::protocol
