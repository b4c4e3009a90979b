#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "support/sim_world.hpp"

namespace support {

/// A world whose every choice comes from a seed: a server and some clients that send, pause, close, break off and misbehave
/// in their callbacks, over wires that split, stall and break. It knows what has to come of it.
class RandomWorld {
public:
    explicit RandomWorld(std::uint64_t seed);
    RandomWorld(const RandomWorld&) = delete;
    RandomWorld& operator=(const RandomWorld&) = delete;

    /// Runs it to its end, and checks that messages arrived whole, once and in order, or that on_disconnect told;
    /// that there was one on_disconnect for each on_handshake, and nothing behind it; that no bound was passed; and that nothing is left.
    void run();

private:
    using Data = std::pair<hawser::Opcode, std::string>;

    /// One end of one connection.
    struct Side {
        std::vector<Data> accepted{};          // messages that send() took
        std::vector<std::size_t> fragments{};  // of each accepted one, at least
        std::vector<Data> received{};
        hawser::ConnectionPtr connection{};
        std::shared_ptr<hawser::Middleware> middleware{};
        std::size_t handshakes = 0, disconnects = 0, late = 0;
        std::size_t most_overhead = 0;       // of the accepted ones on the wire
        std::size_t max_fragment_count = 0;  // its limit, once it has received something
        bool is_plain = false;               // nothing is compressed
        bool is_clean = false;
        bool may_drop = false;      // closed while paused: what came behind that is dropped
        bool is_destroyed = false;  // its endpoint was, while it lived
    };
    struct Pair {
        Side at_server{}, at_client{};
        std::unique_ptr<SimClient> client{};
        SimSocketPtr ends[2]{};
    };

    bool chance(unsigned one_in) { return random_() % one_in == 0; }
    std::size_t up_to(std::size_t most) { return static_cast<std::size_t>(random_() % (most + 1)); }
    hawser::Configuration configuration();
    WireOptions wire();
    /// At times; returns whether.
    template <typename Endpoint>
    bool compress(Endpoint& endpoint);

    void connect();
    template <typename Endpoint, typename Find>
    void listen(Endpoint& endpoint, Find find);
    void on_event(Side& side, hawser::Connection& connection);
    void act(Side& side, hawser::Connection& connection);
    void act_rarely(Side& side, hawser::Connection& connection);
    void send(Side& side, hawser::Connection& connection);
    static void accept(Side& side, const hawser::Connection& connection, const hawser::MessageView& message);
    static void receive(Side& side, const hawser::Configuration& limits, const hawser::MessageView& message);
    std::size_t open_at_server() const;
    void change_middlewares(Side& side, hawser::Connection& connection);
    void pause(const hawser::ConnectionPtr& connection);
    void destroy(Side& side);
    void disturb();
    void finish();
    static void check_ends(const Pair& pair);
    void check(const Pair& pair) const;
    static void check_told(const Side& side);
    static void check_arrived(const Side& from, const Side& to);

    SimWorld world_;
    std::mt19937_64 random_;
    std::vector<std::unique_ptr<Pair>> pairs_;
    bool is_calm_ = false;  // nothing more is begun
};

}  // namespace support
