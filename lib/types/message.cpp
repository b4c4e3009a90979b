#include <hawser/message.hpp>

#include <utility>

#include <hawser/error.hpp>

namespace hawser {

std::string_view opcode_name(Opcode opcode) noexcept {
    switch (opcode) {
        case Opcode::text: return "text";
        case Opcode::binary: return "binary";
        case Opcode::close: return "close";
        case Opcode::ping: return "ping";
        case Opcode::pong: return "pong";
    }
    return "unknown";
}

Message::Message(const MessageView& view)
    : opcode_(view.opcode),
      compress_(view.compress),
      timestamp_(view.timestamp == Timestamp{} ? std::chrono::system_clock::now() : view.timestamp),
      content_(view.content) {
    set_close_status(view.close_status);
}

Message::Message(Opcode opcode, std::string content)
    : opcode_(opcode), timestamp_(std::chrono::system_clock::now()), content_(std::move(content)) {
    // A reason cannot be sent without a status (RFC 6455, section 5.5.1).
    set_close_status(CloseCode::normal);
}

void Message::set_close_status(CloseCode code) noexcept {
    if (opcode_ == Opcode::close) close_status_ = code;
}

Close::Close(CloseCode code, std::string reason) : Message(Opcode::close, std::move(reason)) { set_close_status(code); }

void Close::refuse_status(const std::string& number) {
    throw Error(Errc::invalid_option, number + " is no status of a Close, which is a number of 16 bits (RFC 6455, section 5.5.1)");
}

}  // namespace hawser
