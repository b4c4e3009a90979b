#include "frame.hpp"

#include <utility>

namespace hawser::check {

namespace {

void append_number(std::string& out, std::uint64_t number, unsigned bytes) {
    while (bytes-- > 0) out += static_cast<char>(number >> (8 * bytes));
}

LengthForm minimal_form(std::uint64_t length) {
    return length < 126 ? LengthForm::minimal : length < 65536 ? LengthForm::bits16 : LengthForm::bits64;
}

void append_length(std::string& out, std::uint64_t length, LengthForm form, unsigned mask_bit) {
    if (form == LengthForm::minimal) form = minimal_form(length);
    const std::uint64_t code = form == LengthForm::bits16 ? 126 : form == LengthForm::bits64 ? 127 : length;
    out += static_cast<char>(mask_bit | code);
    if (form != LengthForm::minimal) append_number(out, length, form == LengthForm::bits16 ? 2 : 8);
}

void apply_mask(std::string& payload, const std::array<char, 4>& key) {
    for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(payload[i] ^ key[i % 4]);
}

/// How many bytes the character beginning with `lead` has, and what its second byte may be; 0 if none begins so.
/// The table of well-formed sequences in RFC 3629, section 4.
unsigned sequence_length(unsigned char lead, unsigned char& lowest, unsigned char& highest) {
    lowest = 0x80;
    highest = 0xBF;
    if (lead < 0x80) return 1;
    if (lead < 0xC2 || lead > 0xF4) return 0;
    if (lead == 0xE0) lowest = 0xA0;
    if (lead == 0xED) highest = 0x9F;
    if (lead == 0xF0) lowest = 0x90;
    if (lead == 0xF4) highest = 0x8F;
    return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

}  // namespace

Frame data(unsigned opcode, std::string payload) {
    Frame frame;
    frame.opcode = opcode;
    frame.payload = std::move(payload);
    return frame;
}

Frame part(unsigned opcode, std::string payload) {
    Frame frame = data(opcode, std::move(payload));
    frame.fin = false;
    return frame;
}

Frames fragments(unsigned opcode, const std::string& content, std::size_t size) {
    Frames frames;
    for (std::size_t begin = 0; begin < content.size(); begin += size)
        frames.push_back(part(begin == 0 ? opcode : op::continuation, content.substr(begin, size)));
    frames.back().fin = true;
    return frames;
}

Frame close_frame(unsigned code, std::string_view reason) {
    std::string payload;
    append_number(payload, code, 2);
    return data(op::close, payload.append(reason));
}

std::string encode(const Frame& frame, bool masked, std::mt19937& random) {
    std::string out(1, static_cast<char>((frame.fin ? 0x80U : 0U) | (frame.rsv << 4) | frame.opcode));
    masked = masked != frame.wrong_masking;
    append_length(out, frame.length.value_or(frame.payload.size()), frame.form, masked ? 0x80 : 0);
    if (!masked) return out + frame.payload;
    std::array<char, 4> key{};
    for (char& byte : key) byte = static_cast<char>(random());
    if (frame.masking_key) key = *frame.masking_key;
    std::string payload = frame.payload;
    apply_mask(payload, key);
    return out.append(key.data(), key.size()) + payload;
}

void FrameReader::feed(std::string_view bytes) {
    if (begin_ > 0) buffer_.erase(0, std::exchange(begin_, 0));
    buffer_.append(bytes);
}

std::optional<ReceivedFrame> FrameReader::next() {
    if (rest() < 2) return std::nullopt;
    const unsigned code = byte(1) & 0x7F;
    const std::size_t length_bytes = code == 126 ? 2 : code == 127 ? 8 : 0;
    ReceivedFrame frame;
    frame.masked = (byte(1) & 0x80) != 0;
    const std::size_t head = 2 + length_bytes + (frame.masked ? 4 : 0);
    if (rest() < head) return std::nullopt;
    std::uint64_t length = length_bytes == 0 ? code : 0;
    for (std::size_t i = 0; i < length_bytes; ++i) length = length << 8 | byte(2 + i);
    if (rest() - head < length) return std::nullopt;
    frame.fin = (byte(0) & 0x80) != 0;
    frame.rsv = byte(0) >> 4 & 7;
    frame.opcode = byte(0) & 15;
    const std::size_t minimal_bytes = length < 126 ? 0 : length < 65536 ? 2 : 8;
    frame.minimal = length_bytes == minimal_bytes;
    frame.payload = buffer_.substr(begin_ + head, static_cast<std::size_t>(length));
    if (frame.masked) {
        buffer_.copy(frame.masking_key.data(), 4, begin_ + head - 4);
        apply_mask(frame.payload, frame.masking_key);
    }
    begin_ += head + static_cast<std::size_t>(length);
    return frame;
}

bool is_utf8(std::string_view bytes) {
    while (!bytes.empty()) {
        unsigned char lowest = 0;
        unsigned char highest = 0;
        const unsigned length = sequence_length(static_cast<unsigned char>(bytes[0]), lowest, highest);
        if (length == 0 || length > bytes.size()) return false;
        for (unsigned i = 1; i < length; ++i) {
            const auto byte = static_cast<unsigned char>(bytes[i]);
            if (byte < lowest || byte > highest) return false;
            lowest = 0x80;
            highest = 0xBF;
        }
        bytes.remove_prefix(length);
    }
    return true;
}

}  // namespace hawser::check
