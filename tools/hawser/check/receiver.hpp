#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "case.hpp"
#include "wire.hpp"

namespace hawser::check {

/// Reads what a subject sends behind the opening handshake into an Observation, and notes each rule that it breaks.
class Receiver {
public:
    Receiver(Observation& seen, Wire& wire) : seen_(seen), wire_(wire) {}

    void receive(std::string_view bytes);

private:
    void take(ReceivedFrame frame);
    void check_head(const ReceivedFrame& frame);
    void take_control(const ReceivedFrame& frame);
    void take_close(const ReceivedFrame& frame);
    void take_data(ReceivedFrame frame);
    void finish_message();
    void violation(const std::string& what);

    Observation& seen_;
    Wire& wire_;
    FrameReader reader_{};
    std::optional<Inflater> inflater_{};
    /// The message under way; its opcode is 0 if there is none.
    Message message_{0, {}};
    bool compressed_ = false;
};

/// Whether no Close frame may say this (RFC 6455, sections 7.4.1 and 7.4.2).
bool is_forbidden(unsigned code);

}  // namespace hawser::check
