#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <memory>
#include <vector>

#include <hawser/middleware.hpp>

namespace hawser::connection {

class Link;

using Middlewares = std::vector<std::shared_ptr<Middleware>>;

/// Those of a chain's middlewares that want one hook, in the order in which they were added.
struct HookList {
    Middlewares list{};
};
using HookListPtr = std::shared_ptr<const HookList>;

/// Middlewares by hook. Immutable, so that a dispatch under way keeps the list it began with; the connections of
/// an endpoint share one, unless they have middlewares of their own.
class Chain {
public:
    explicit Chain(Middlewares middlewares);

    const Middlewares& middlewares() const noexcept { return middlewares_; }
    /// Null when nobody wants the hook: then there is nothing to run.
    const HookListPtr& of(Hook hook) const noexcept {
        return hooks_[static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(hook)))];
    }
    static constexpr Hook incoming_hook(Opcode opcode) noexcept {
        return is_control(opcode) ? Hook::incoming_control : Hook::incoming_data;
    }
    static constexpr Hook outgoing_hook(Opcode opcode) noexcept {
        return is_control(opcode) ? Hook::outgoing_control : Hook::outgoing_data;
    }

    // Each runs the rest of a list; `position` counts the middlewares that have not been passed (incoming) or that
    // have been (outgoing, tick). Behind the last, the link goes on.
    static SendStatus incoming(Link& link, const HookListPtr& list, std::size_t position, const MessageView& message);
    static SendStatus outgoing(Link& link, const HookListPtr& list, std::size_t position, const MessageView& message);
    static void tick(Link& link, const HookListPtr& list, std::size_t position);
    static void http(Link& link, Hook direction, const HookListPtr& list, std::size_t position, HttpMessage message);

private:
    static constexpr std::size_t hook_count = 7;
    Middlewares middlewares_;
    std::array<HookListPtr, hook_count> hooks_{};
};

using ChainPtr = std::shared_ptr<const Chain>;

}  // namespace hawser::connection
