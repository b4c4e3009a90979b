#include "receiver.hpp"

#include <utility>

namespace hawser::check {

namespace {

constexpr unsigned rsv1 = 4;

bool is_control(unsigned opcode) { return opcode >= op::close; }
bool is_known(unsigned opcode) { return opcode <= op::binary || (opcode >= op::close && opcode <= op::pong); }

std::string describe(const ReceivedFrame& frame) {
    return "which is a frame: fin " + std::to_string(frame.fin) + ", rsv " + std::to_string(frame.rsv) + ", opcode " +
           std::to_string(frame.opcode) + ", " + std::to_string(frame.payload.size()) + " bytes";
}

}  // namespace

bool is_forbidden(unsigned code) { return code < 1000 || code == 1005 || code == 1006 || code == 1015; }

void Receiver::receive(std::string_view bytes) {
    reader_.feed(bytes);
    while (auto frame = reader_.next()) take(std::move(*frame));
}

void Receiver::take(ReceivedFrame frame) {
    wire_.note(describe(frame));
    if (seen_.close_code) return violation("sends a frame behind its Close (section 5.5.1)");
    check_head(frame);
    if (frame.masked) seen_.masking_keys.push_back(frame.masking_key);
    if (is_control(frame.opcode))
        take_control(frame);
    else
        take_data(std::move(frame));
}

void Receiver::check_head(const ReceivedFrame& frame) {
    const bool rsv1_allowed = seen_.deflate && (frame.opcode == op::text || frame.opcode == op::binary);
    if (frame.rsv & ~(rsv1_allowed ? rsv1 : 0)) violation("sets a reserved bit (section 5.2)");
    if (!is_known(frame.opcode)) violation("sends a reserved opcode (section 5.2)");
    if (!frame.minimal) violation("does not send a length in its shortest form (section 5.2)");
    if (frame.masked != (seen_.role == Role::client))
        violation(frame.masked ? "masks, as a server (section 5.1)" : "does not mask, as a client (section 5.1)");
}

void Receiver::take_control(const ReceivedFrame& frame) {
    if (!frame.fin) violation("fragments a control frame (section 5.5)");
    if (frame.payload.size() > 125) violation("sends a control frame of more than 125 bytes (section 5.5)");
    if (frame.opcode == op::pong) seen_.pongs.push_back(frame.payload);
    if (frame.opcode == op::close) take_close(frame);
}

void Receiver::take_close(const ReceivedFrame& frame) {
    seen_.close_code = 1005;
    if (frame.payload.empty()) return;
    if (frame.payload.size() == 1) return violation("sends a Close with half a status (section 5.5.1)");
    const auto byte = [&](std::size_t index) { return static_cast<unsigned>(static_cast<unsigned char>(frame.payload[index])); };
    seen_.close_code = byte(0) << 8 | byte(1);
    if (is_forbidden(*seen_.close_code)) violation("sends a Close with status " + std::to_string(*seen_.close_code) + " (section 7.4)");
    if (!is_utf8(std::string_view(frame.payload).substr(2))) violation("sends a reason that is not UTF-8 (section 5.5.1)");
}

void Receiver::take_data(ReceivedFrame frame) {
    if (!is_known(frame.opcode)) return;
    if ((frame.opcode == op::continuation) != (message_.opcode != 0)) violation("breaks the order of fragments (section 5.4)");
    if (frame.opcode != op::continuation) {
        message_ = {frame.opcode, std::move(frame.payload)};
        compressed_ = seen_.deflate && frame.rsv & rsv1;
    } else {
        message_.content += frame.payload;
    }
    if (frame.fin) finish_message();
}

void Receiver::finish_message() {
    Message message = std::exchange(message_, {0, {}});
    if (compressed_) {
        const bool server = seen_.role == Role::server;
        const DeflateAnswer& agreed = *seen_.deflate;
        const int bits = server ? agreed.server_max_window_bits : agreed.client_max_window_bits;
        if (!inflater_)
            inflater_.emplace(bits == 0 ? 15 : bits, !(server ? agreed.server_no_context_takeover : agreed.client_no_context_takeover));
        auto content = inflater_->message(std::move(message.content));
        if (!content) return violation("sends a message that cannot be decompressed (RFC 7692, section 7.2.2)");
        message.content = std::move(*content);
        ++seen_.compressed_messages;
    }
    if (message.opcode == op::text && !is_utf8(message.content)) violation("sends a text that is not UTF-8 (section 5.6)");
    seen_.messages.push_back(std::move(message));
}

void Receiver::violation(const std::string& what) {
    wire_.note("the subject " + what);
    seen_.violations.push_back(what);
}

}  // namespace hawser::check
