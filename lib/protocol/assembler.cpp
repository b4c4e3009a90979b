#include "protocol/assembler.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace hawser::protocol {

namespace {

constexpr const char* not_utf8 = "a text message is not UTF-8";
constexpr const char* ends_inside_character = "a text message ends inside a character";

Assembler::Status show(Opcode opcode, std::string_view content, MessageView& message) noexcept {
    message.opcode = opcode;
    message.content = content;
    message.close_status = CloseCode::none;
    return Assembler::Status::message;
}

}  // namespace

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
    const auto opcode = static_cast<Opcode>(first & wire::opcode);
    const std::string_view content(payload, length);
    return opcode == Opcode::binary || is_quickly_ascii(content) ? show(opcode, content, message) : whole_text(content, message);
}

Assembler::Status Assembler::any_frames(std::span<char>& input, const Configuration& limits, MessageView& message) {
    for (;;) {
        if (!partial_ || !partial_->in_frame) {
            const Status status = begin_frame(input, limits, message);
            if (status != Status::incomplete || !partial_ || !partial_->in_frame) return status;
        }
        if (!take_payload(input, limits)) return Status::failed;
        if (partial_->remaining != 0) return Status::incomplete;
        partial_->in_frame = false;
        if (!partial_->is_last) continue;
        if (partial_->is_compressed && !finish_inflating(limits)) return Status::failed;
        return finish(message);
    }
}

Assembler::Status Assembler::begin_frame(std::span<char>& input, const Configuration& limits, MessageView& message) {
    FrameHeader header;
    Failure failure;
    switch (parse_header(input, receiver_, header, failure, inflater_ != nullptr)) {
        case HeaderStatus::incomplete: return Status::incomplete;
        case HeaderStatus::failed: return fail(failure.code, failure.reason);
        case HeaderStatus::complete: break;
    }
    if (header.opcode >= 0x8) return control_frame(input, header, message);
    if (!check_data_frame(header, limits)) return Status::failed;

    input = input.subspan(header.size);
    if (!partial_ && header.fin && !header.compressed && input.size() >= header.length) {
        const auto length = static_cast<std::size_t>(header.length);
        char* payload = input.data();
        if (receiver_ == Role::server) mask(payload, length, header.key);
        input = input.subspan(length);
        const std::string_view content(payload, length);
        return header.opcode == wire::binary ? show(Opcode::binary, content, message) : whole_text(content, message);
    }
    Partial& begun = partial();
    if (begun.fragments == 0) {
        begun.opcode = static_cast<Opcode>(header.opcode);
        begun.is_compressed = header.compressed;
    }
    ++begun.fragments;
    begun.key = header.key;
    begun.offset = 0;
    begun.remaining = header.length;
    begun.is_last = header.fin;
    begun.in_frame = true;
    return Status::incomplete;
}

bool Assembler::check_data_frame(const FrameHeader& header, const Configuration& limits) {
    const bool continuation = header.opcode == wire::continuation;
    if (continuation && !partial_) return refuse(CloseCode::protocol_error, "a continuation without a message to continue");
    if (!continuation && partial_) return refuse(CloseCode::protocol_error, "a new message begins inside a fragmented one");
    // A compressed message is measured while it is inflated, and what it takes on the wire is not kept.
    const bool compressed = continuation ? partial_->is_compressed : header.compressed;
    const std::size_t before = partial_ ? partial_->storage.size() : 0;
    if (!compressed && (header.length > limits.max_message_size || before > limits.max_message_size - header.length))
        return refuse(CloseCode::message_too_big, "a message is longer than max_message_size");
    if ((partial_ ? partial_->fragments : 0) >= limits.max_fragment_count)
        return refuse(CloseCode::message_too_big, "a message has more than max_fragment_count fragments");
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

Assembler::Status Assembler::whole_text(std::string_view content, MessageView& message) {
    Utf8Validator utf8;
    if (!utf8.feed(content)) return fail(CloseCode::invalid_payload, not_utf8);
    if (!utf8.complete()) return fail(CloseCode::invalid_payload, ends_inside_character);
    return show(Opcode::text, content, message);
}

Assembler::Status Assembler::finish(MessageView& message) {
    if (partial_->opcode == Opcode::text && !partial_->utf8.complete()) return fail(CloseCode::invalid_payload, ends_inside_character);
    partial_->is_delivered = true;
    return show(partial_->opcode, partial_->storage.view(), message);
}

/// Unmasks payload of the present frame, wherever it lies.
void Assembler::unmask(char* data, std::size_t size) noexcept {
    if (receiver_ == Role::server) mask(data, size, partial_->key, static_cast<std::size_t>(partial_->offset));
    partial_->offset += size;
    partial_->remaining -= size;
}

bool Assembler::check_text(std::string_view text) {
    if (partial_->opcode != Opcode::text || partial_->utf8.feed(text)) return true;
    return refuse(CloseCode::invalid_payload, not_utf8);
}

bool Assembler::take(char* data, std::size_t size) {
    unmask(data, size);
    return check_text({data, size});
}

bool Assembler::take_payload(std::span<char>& input, const Configuration& limits) {
    Buffer& storage = partial_->storage;
    if (partial_->pending_direct != 0) {
        const std::size_t size = std::exchange(partial_->pending_direct, 0);
        char* data = storage.end();
        storage.add(size);
        if (!take(data, size)) return false;
    }
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(partial_->remaining, input.size()));
    if (size == 0) return true;
    char* data = input.data();
    input = input.subspan(size);
    if (partial_->is_compressed) {
        unmask(data, size);
        return inflate({data, size}, limits);
    }
    if (!take(data, size)) return false;
    grow(size, size + partial_->remaining);
    storage.append({data, size});
    return true;
}

bool Assembler::inflate(std::string_view input, const Configuration& limits) {
    const std::size_t before = partial_->storage.size();
    return check_inflated(inflater_->feed(input, partial_->storage, limits.max_message_size), before);
}

bool Assembler::finish_inflating(const Configuration& limits) {
    const std::size_t before = partial_->storage.size();
    return check_inflated(inflater_->finish(partial_->storage, limits.max_message_size), before);
}

bool Assembler::check_inflated(Inflater::Status status, std::size_t before) {
    // First what came before a fault of the compression: the first fault is told, however the bytes were cut.
    if (!check_text(partial_->storage.view().substr(before))) return false;
    switch (status) {
        case Inflater::Status::corrupt: return refuse(CloseCode::invalid_payload, "a compressed message cannot be inflated");
        case Inflater::Status::too_big: return refuse(CloseCode::message_too_big, "a message inflates to more than max_message_size");
        case Inflater::Status::ok: break;
    }
    return true;
}

/// Makes room for `more` bytes: up to twice what is there; of a last frame, which brings `due`, up to four times, as its storage need not
/// go beyond the message's end.
void Assembler::grow(std::size_t more, std::uint64_t due) {
    Buffer& storage = partial_->storage;
    const std::size_t needed = storage.size() + more;
    if (needed <= storage.capacity()) return;
    if (take_spare(needed, (partial_->is_last ? 4 : 2) * needed)) return;
    const std::size_t whole = storage.size() + static_cast<std::size_t>(due);
    storage.reserve(partial_->is_last ? std::min(std::max(needed, 4 * storage.size()), whole) : std::max(needed, 2 * storage.size()));
}

/// Goes on in the spare block, if that has room, and not more than `most`: a header alone does not hold a large one.
bool Assembler::take_spare(std::size_t needed, std::size_t most) {
    Buffer* spare = partial_->spare.get();
    partial_->is_spare_too_large = spare && spare->capacity() > most;
    if (!spare || spare->capacity() < needed || partial_->is_spare_too_large) return false;
    spare->append(partial_->storage.view());
    spare->swap(partial_->storage);
    spare->clear();
    return true;
}

Assembler::Partial::~Partial() {
    if (!spare || !is_delivered || (storage.capacity() <= spare->capacity() && !is_spare_too_large)) return;
    spare->swap(storage);
    spare->clear();
}

std::span<char> Assembler::direct_target(std::weak_ptr<Buffer>& spare) {
    if (!partial_ || !partial_->in_frame || partial_->is_compressed || partial_->remaining < direct_minimum) return {};
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(partial_->remaining, direct_maximum));
    if (!partial_->spare) partial_->spare = spare.lock();
    if (!partial_->spare) spare = partial_->spare = std::make_shared<Buffer>();
    grow(size, partial_->remaining);
    return {partial_->storage.end(), size};
}

Assembler::Partial& Assembler::partial() {
    if (!partial_) partial_ = std::make_unique<Partial>();
    return *partial_;
}

bool Assembler::refuse(CloseCode code, const char* reason) {
    partial().failure = {code, reason};
    return false;
}

Assembler::Status Assembler::fail(CloseCode code, const char* reason) {
    refuse(code, reason);
    return Status::failed;
}

}  // namespace hawser::protocol
