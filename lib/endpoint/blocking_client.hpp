#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "endpoint/client_base.hpp"

namespace hawser::endpoint {

/// Owns the reactor, and is built before what uses it.
struct ReactorOwner {
    Reactor own_reactor{};
};

/// A client with a reactor of its own, whose calls wait. Inside its own callbacks they do not.
class BlockingClient final : private ReactorOwner, public ClientBase {
public:
    BlockingClient(std::string_view uri, ClientOptions options) : ClientBase(own_reactor, uri, std::move(options)) {}

    void connect() override;
    void disconnect() override;
    SendStatus send(const MessageView& message) override;
    SendStatus close(CloseCode code, std::string_view reason) override;
    Message receive() override;

    void on_message(Link& link, const MessageView& message) override;
    void on_error(Link& link, const Error& error) override;

protected:
    void on_connect_failed(const Error& error) override;

private:
    /// A call that waits: it keeps the client, and what arrives meanwhile is for receive().
    class Call {
    public:
        explicit Call(BlockingClient& client) noexcept
            : self_(client.shared_from_this()), waiting_(client.waiting_) {}

    private:
        const std::shared_ptr<Base> self_;
        const FlagScope waiting_;
    };

    template <typename Action>
    void settled(Action&& action);
    bool in_callback() const noexcept { return core().is_running(); }
    template <typename Condition>
    bool wait_for(Condition&& condition, Seconds limit);
    [[noreturn]] void throw_failure(const char* what);

    std::deque<Message> inbox_;
    std::size_t inbox_bytes_ = 0;
    std::optional<Error> failure_;  // what ended the connection, or kept it from being made
    bool waiting_ = false;
};

}  // namespace hawser::endpoint
