#include "protocol/writer.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace hawser::protocol {

namespace {

std::optional<Objection> object_to_close(const MessageView& message) {
    const bool empty = message.close_status == CloseCode::none || message.close_status == CloseCode::no_status;
    if (empty && message.has_content())
        return Objection{Errc::message_encoding, "a Close message has a reason, but no status to go before it"};
    if (!empty && !is_sendable(message.close_status))
        return Objection{Errc::message_encoding, "a Close message may not carry the status " +
                                                     std::to_string(static_cast<unsigned>(message.close_status)) +
                                                     " (RFC 6455, section 7.4)"};
    if (message.length() > max_close_reason)
        return Objection{Errc::message_too_big,
                         "the reason of a Close message has " + std::to_string(message.length()) + " bytes, more than 123"};
    if (!is_utf8(message.content)) return Objection{Errc::message_encoding, "the reason of a Close message is not UTF-8"};
    return std::nullopt;
}

bool is_known(Opcode opcode) {
    switch (opcode) {
        case Opcode::text:
        case Opcode::binary:
        case Opcode::close:
        case Opcode::ping:
        case Opcode::pong: return true;
    }
    return false;
}

/// Headers and payloads of some frames, to be written together.
class Gather {
public:
    explicit Gather(Output& output) : output_(output) {}

    void add(unsigned opcode, bool fin, std::string_view payload) {
        char* header = headers_.data() + frames_ * unmasked_header;
        const char* end = write_header(header, fin, opcode, payload.size());
        slices_[2 * frames_] = {header, static_cast<std::size_t>(end - header)};
        // iovec serves reading too, hence its pointer is not to const.
        slices_[2 * frames_ + 1] = {const_cast<char*>(payload.data()), payload.size()};
        if (++frames_ == max_frames) flush();
    }
    void flush() {
        if (frames_ != 0) output_.write({slices_.data(), 2 * frames_});
        frames_ = 0;
    }

private:
    static constexpr std::size_t max_frames = 256;  // 1 MiB of frames of the default size
    static constexpr std::size_t unmasked_header = 10;
    Output& output_;
    std::size_t frames_ = 0;
    std::array<char, max_frames * unmasked_header> headers_;
    std::array<iovec, 2 * max_frames> slices_;
};

}  // namespace

std::optional<Objection> object_to(const MessageView& message) {
    if (!is_known(message.opcode))
        return Objection{Errc::bad_opcode, "there is no message with the opcode " + std::to_string(static_cast<unsigned>(message.opcode))};
    if (message.opcode == Opcode::close) return object_to_close(message);
    if (is_control(message.opcode) && message.length() > max_control_payload)
        return Objection{Errc::message_too_big, "a " + std::string(message.opcode_name()) + " message has " +
                                                    std::to_string(message.length()) + " bytes, more than 125"};
    if (message.opcode == Opcode::text && !is_utf8(message.content))
        return Objection{Errc::message_encoding, "a text message is not UTF-8"};
    return std::nullopt;
}

void write_short(Output& output, unsigned opcode, std::string_view payload) {
    char* to = output.reserve(2 + payload.size());
    to[0] = static_cast<char>(wire::fin | opcode);
    to[1] = static_cast<char>(payload.size());
    if (!payload.empty()) std::memcpy(to + 2, payload.data(), payload.size());
}

void write_long(Output& output, Opcode opcode, std::string_view payload, std::size_t frame_size, unsigned rsv) {
    Fragments fragments(opcode, payload, frame_size, rsv);
    std::string_view piece;
    unsigned wire_opcode = 0;
    bool fin = false;
    const std::size_t limit = is_control(opcode) ? max_control_payload : frame_size;
    const std::uint64_t total = framed_size(payload.size(), limit, false);
    if (total <= copy_limit) {
        char* to = output.reserve(static_cast<std::size_t>(total));
        while (fragments.next(piece, wire_opcode, fin)) {
            to = write_header(to, fin, wire_opcode, piece.size());
            to += piece.copy(to, piece.size());
        }
        return;
    }
    Gather gather(output);
    while (fragments.next(piece, wire_opcode, fin)) gather.add(wire_opcode, fin, piece);
    gather.flush();
}

void write_short_masked(Output& output, Entropy& entropy, unsigned opcode, std::string_view payload) {
    MaskingKey key;
    entropy.fill(key);
    char* to = output.reserve(header_size(0, true) + payload.size());
    to[0] = static_cast<char>(wire::fin | opcode);
    to[1] = static_cast<char>(wire::masked | payload.size());
    std::memcpy(to + 2, key.data(), key.size());
    mask_copy(to + 2 + key.size(), payload.data(), payload.size(), key);
}

void write_long_masked(Output& output, Entropy& entropy, Opcode opcode, std::string_view payload, std::size_t frame_size, unsigned rsv) {
    Fragments fragments(opcode, payload, frame_size, rsv);
    std::string_view piece;
    unsigned wire_opcode = 0;
    bool fin = false;
    while (fragments.next(piece, wire_opcode, fin)) {
        MaskingKey key;
        entropy.fill(key);
        std::size_t offset = std::min(piece.size(), Output::max_reserve - max_header_size);
        char* to = output.reserve(header_size(piece.size(), true) + offset);
        to = write_header(to, fin, wire_opcode, piece.size(), key);
        mask_copy(to, piece.data(), offset, key);
        for (std::size_t size = 0; offset < piece.size(); offset += size) {
            size = std::min(piece.size() - offset, Output::max_reserve);
            mask_copy(output.reserve(size), piece.data() + offset, size, key, offset);
        }
    }
}

}  // namespace hawser::protocol
