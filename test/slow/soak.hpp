#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <hawser/hawser.hpp>

#include "slow/conversation.hpp"
#include "support/loopback.hpp"

namespace support {

/// Servers with and without TLS and clients of theirs, compressed or not, which hold one random conversation after the other.
class Soak {
    NothingLeft nothing_left_;

public:
    Soak(std::uint64_t seed, std::size_t clients);
    ~Soak();

    /// Lets the clients connect and talk for so long, and then rest.
    void run(hawser::Seconds duration);
    const Ledger& ledger() const noexcept { return ledger_; }

private:
    class Slot;
    using ConversationPtr = std::shared_ptr<Conversation>;

    std::unique_ptr<hawser::Client> make_client();
    template <typename Endpoint>
    void listen(Endpoint& endpoint, Conversation::Side side);
    ConversationPtr begin_conversation();
    /// Null for a connection whose request has not been seen.
    static ConversationPtr of(const hawser::Connection* connection);
    ConversationPtr of(const hawser::Request& request) const;
    void over(const ConversationPtr& conversation);
    bool is_quiet() const;
    void settle_rest();

    hawser::Reactor reactor_;
    NothingAwaited nothing_awaited_{reactor_};
    Ledger ledger_;
    Random random_;
    hawser::Server plain_;
    hawser::Server secure_;
    std::vector<std::unique_ptr<Slot>> slots_;
    std::unordered_map<std::uint64_t, ConversationPtr> conversations_;
    std::uint64_t early_ = 0, stray_errors_ = 0;
    bool is_resting_ = false;
};

}  // namespace support
