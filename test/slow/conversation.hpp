#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/hawser.hpp>

#include "slow/corpus.hpp"

namespace support {

/// How a conversation is brought to its end.
enum class Ending : std::uint8_t {
    close,            ///< one end closes
    close_both,       ///< both do
    half_close,       ///< one end closes its write half, without a Close
    half_close_both,  ///< both do, each when it has said all
    disconnect,       ///< one end drops the connection, whatever is under way
    reset,            ///< one end drops it with bytes unread: the other gets an RST
    early,            ///< the client drops it at a random moment of the opening handshake or right behind it
};
constexpr std::size_t ending_count = 7;

/// What went through all conversations, and what was wrong with them.
struct Ledger {
    explicit Ledger(hawser::Reactor& with, std::uint64_t from) : reactor(with), seed(from) {}

    /// Counts what waits to run, so that the end of it can be waited for.
    void after(hawser::Seconds delay, std::function<void()> function);

    hawser::Reactor& reactor;
    const std::uint64_t seed;
    const Corpus corpus{};
    std::size_t waiting = 0;

    std::uint64_t conversations = 0, secure = 0, compressed = 0;
    std::uint64_t comebacks = 0;  // of clients by themselves
    std::array<std::uint64_t, ending_count> endings{};
    std::uint64_t sent_messages = 0, sent_bytes = 0;          // taken by send()
    std::uint64_t received_messages = 0, received_bytes = 0;  // right in kind, place and content
    std::uint64_t lost_messages = 0, lost_bytes = 0;          // under way when a connection was dropped, of which both ends were told
    std::uint64_t pings = 0, pongs = 0;
    std::uint64_t resets = 0;  // errors that were an RST
    std::vector<std::string> failures;
};

/// One connection, whose two ends send each other messages that the conversation's number determines, and which then is ended in
/// the way that the number determines. Each end knows what has to arrive.
class Conversation : public std::enable_shared_from_this<Conversation> {
public:
    enum Side : std::size_t { client, server };

    Conversation(Ledger& ledger, std::uint64_t number);

    std::uint64_t number() const noexcept { return number_; }
    Ending ending() const noexcept { return ending_; }
    /// The client is to come back by itself.
    bool is_ended_by_server() const noexcept;

    void opened(Side side, hawser::Connection& connection);
    void received(Side side, hawser::Connection& connection, const hawser::MessageView& message);
    void ponged(Side side, std::string_view content);
    void drained(Side side) { talk(side); }
    void failed(Side side, const hawser::Error& error);
    void ended(Side side, const hawser::Disconnect& how);

    bool was_opened(Side side) const noexcept { return ends_[side].openings != 0; }
    bool is_over(Side side) const noexcept { return ends_[side].openings == ends_[side].disconnects; }
    /// Both ends are over: enters in the ledger what has arrived and what has not.
    void settle();

private:
    struct End {
        hawser::ConnectionPtr connection{};
        std::uint64_t quota = 0, sent = 0, sent_bytes = 0, received = 0, received_bytes = 0;
        std::uint64_t pings = 0, last_pong = 0;
        int openings = 0, disconnects = 0;
        bool is_clean = false, is_scheduled = false, is_finished = false;
    };

    /// Nobody drops it: all has to arrive.
    bool is_kept() const noexcept { return ending_ < Ending::disconnect; }
    std::uint64_t key(Side side, std::uint64_t number) const noexcept { return seed_ + 2 * number + side; }
    void expect(bool condition, Side side, std::string_view what);
    void talk(Side side);
    bool say(Side side);
    bool ping(Side side);
    void finish(Side side);
    void pause(const hawser::ConnectionPtr& connection);
    void settle_way(Side from, Side to);

    Ledger& ledger_;
    const std::uint64_t number_;
    Random random_;
    const std::uint64_t seed_;
    Ending ending_;
    Side ender_;
    std::array<End, 2> ends_{};
};

}  // namespace support
