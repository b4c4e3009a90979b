#include <utility>

#include "protocol/session.hpp"
#include "protocol/session_opening.hpp"

namespace hawser::protocol {

// permessage-deflate (RFC 7692).

void Session::use_deflate(const DeflateOptions& options, std::shared_ptr<DeflatePool> pool) {
    if (!is_opening()) return;
    opening_->deflate = options;
    opening_->deflate_pool = std::move(pool);
}

void Session::offer_extensions(Request& request) const {
    if (opening_ && opening_->deflate) offer_deflate(request.headers, *opening_->deflate);
}

void Session::answer_extensions(const Request& request, Response& response) {
    if (response.status == 101 && opening_ && opening_->deflate)
        opening_->agreed = answer_deflate(request.headers, response.headers, *opening_->deflate);
}

/// What is wrong with a server's extensions, or nothing.
std::optional<std::string> Session::check_extensions(const Response& response) {
    return protocol::check_extensions(response.headers, opening_->deflate ? &*opening_->deflate : nullptr, opening_->agreed);
}

void Session::start_deflate() {
    const DeflateAgreement& agreed = *opening_->agreed;
    const DeflateOptions& options = *opening_->deflate;
    struct Direction {
        int window_bits;
        bool takes_over;
    };
    Direction out{agreed.server_max_window_bits, !agreed.server_no_context_takeover};
    Direction in{agreed.client_max_window_bits, !agreed.client_no_context_takeover};
    if (role_ == Role::client) std::swap(out, in);
    assembler_.set_inflater(std::make_unique<Inflater>(in.window_bits, in.takes_over, opening_->deflate_pool));
    // A server may limit us to 8 bits, which zlib cannot do; messages that are not compressed are always allowed.
    if (out.window_bits < Deflater::least_window_bits) return;
    const DeflateSettings settings{out.window_bits, options.memory_level, options.level};
    deflater_ = std::make_unique<Deflater>(settings, out.takes_over, options.threshold, opening_->deflate_pool);
}

void Session::give_up_memory() noexcept {
    deflater_.reset();
    assembler_.set_inflater(nullptr);
    assembler_.abandon();
}

void Session::send_compressed(const MessageView& message, const PreparedMessage* prepared) {
    if (deflater_->takes_over()) return write(message.opcode, deflater_->compress(message.content).view(), wire::rsv1);
    if (can_share(prepared)) {
        const auto encode = [&] {
            const Buffer payload = deflater_->compress(message.content);
            if (payload.size() >= message.length()) return prepared->frames();
            return std::make_shared<const std::string>(
                encode_unmasked({message.opcode, payload.view()}, prepared->frame_size(), wire::rsv1));
        };
        return output_.write_shared(prepared->variant(deflater_->settings().key(), encode));
    }
    const Buffer payload = deflater_->compress(message.content);
    if (payload.size() < message.length()) return write(message.opcode, payload.view(), wire::rsv1);
    // Compression does not always pay, and here nothing later refers to it.
    write(message.opcode, message.content);
}

}  // namespace hawser::protocol
