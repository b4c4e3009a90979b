#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <hawser/message.hpp>

namespace hawser::bench {

/// The contents of messages: pieces of one supply, so that making one costs nothing. Binary ones are random, texts are of
/// the kind that JSON is.
class Payload {
public:
    Payload(Opcode opcode, std::size_t size);

    /// What a connection sends as the message of this number, as good as always other than its last ones and those of
    /// other connections.
    MessageView message(std::size_t connection, std::uint64_t number) const noexcept;
    /// Whether an echo is that message. The content is looked at only if `whole`.
    bool is_echo(const MessageView& echo, std::size_t connection, std::uint64_t number, bool whole) const noexcept {
        return echo.opcode == opcode_ && echo.length() == size_ && (!whole || echo.content == message(connection, number).content);
    }
    /// In what an echo is not that message.
    std::string objection(const MessageView& echo, std::size_t connection, std::uint64_t number) const;

private:
    Opcode opcode_;
    std::size_t size_;
    std::string supply_;
};

}  // namespace hawser::bench
