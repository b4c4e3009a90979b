#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/assembler.hpp"
#include "support/session_peer.hpp"

namespace support {

/// An assembler with what it needs around it: keeps what it leaves, and shows it again with more behind it.
class AssemblerFeed {
public:
    using Assembler = hawser::protocol::Assembler;
    using Role = hawser::protocol::Role;

    explicit AssemblerFeed(Role receiver, const hawser::Configuration& settings = {})
        : limits(settings), assembler(receiver), receiver_(receiver) {}

    hawser::Configuration limits;
    Assembler assembler;
    /// What long messages leave to each other: a feed's own, unless it shares another's.
    std::weak_ptr<hawser::Buffer>* spare = nullptr;
    /// The messages so far, described; "failed 1002" is the last one, if it is there.
    std::vector<std::string> messages;

    void feed(std::string_view bytes) {
        tail_ += bytes;
        const ExactBytes copy(std::exchange(tail_, {}));
        const std::span<char> rest = take(copy.span());
        tail_.assign(rest.begin(), rest.end());
    }
    std::span<char> direct_target() { return assembler.direct_target(spare ? *spare : own_spare_); }
    /// Puts the front of `stream` where the assembler wants it, if it does; returns how much.
    std::size_t feed_direct(std::string_view stream, std::size_t most) {
        if (!tail_.empty() || has_failed()) return 0;
        const std::span<char> target = direct_target();
        if (target.empty()) return 0;
        const std::size_t size = stream.copy(target.data(), std::min(most, target.size()));
        assembler.received(size);
        take({});
        return size;
    }
    /// Feeds byte by byte; returns how many it took to fail, or npos.
    std::size_t fails_at(std::string_view stream) {
        for (std::size_t i = 0; i < stream.size(); ++i) {
            feed(stream.substr(i, 1));
            if (has_failed()) return i + 1;
        }
        return std::string_view::npos;
    }
    bool has_failed() const { return !messages.empty() && messages.back().starts_with("failed"); }
    bool has_tail() const noexcept { return !tail_.empty(); }
    /// A frame as the receiver has to get it.
    std::string frame(unsigned first, std::string_view payload = {}) const { return raw_frame(first, payload, receiver_ == Role::server); }
    std::string header(unsigned first, std::uint64_t length) const {
        return raw_header(first, length, shortest_form(length), receiver_ == Role::server);
    }

private:
    std::span<char> take(std::span<char> rest) {
        while (!has_failed()) {
            hawser::MessageView message;
            switch (assembler.next(rest, limits, message)) {
                case Assembler::Status::incomplete: return rest;
                case Assembler::Status::message: messages.push_back(described(message)); break;
                case Assembler::Status::failed:
                    messages.push_back("failed " + std::to_string(static_cast<unsigned>(assembler.failure().code)));
                    break;
            }
        }
        return {};
    }

    Role receiver_;
    std::string tail_;
    std::weak_ptr<hawser::Buffer> own_spare_;
};

}  // namespace support
