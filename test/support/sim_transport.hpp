#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "support/sim_loop.hpp"
#include "transport/transport.hpp"

namespace support {

using hawser::transport::IoResult;

/// How the wire between two simulated sockets behaves.
struct WireOptions {
    static constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

    /// Bytes that each direction holds before its writer is told to wait.
    std::size_t capacity = 256 * 1024;
    /// Chooses where reads are split and writes are short, and when there is EAGAIN without need. 0: nothing of that.
    std::uint64_t seed = 0;
    /// Reading moves up to so many bytes from the socket into the transport, as TLS does with a record. 0: it does not.
    std::size_t record = 0;
    /// The wire breaks when so many bytes have passed: sent by the first end, by the second.
    std::array<std::size_t, 2> reset_after{never, never};
    /// The other end sees the end when so many bytes have passed; those behind are taken and lost.
    std::array<std::size_t, 2> end_after{never, never};
};

/// How many simulated descriptors are open and transports alive: both 0 when nothing leaked.
struct SimCounts {
    std::size_t open = 0;
    std::size_t transports = 0;
};

/// One end of a simulated TCP connection, as the kernel keeps it. A transport has it, or the test plays a peer with it.
///
/// As on Linux: bytes that arrived before a reset can still be read, closing with unread bytes resets the connection,
/// and so does sending to an end that is closed, after the first bytes sent there were taken and lost.
class SimSocket {
public:
    SimSocket(SimLoop& loop, const WireOptions& options, std::size_t end);

    // What a transport does.
    IoResult read(std::span<char> into);
    IoResult write(std::span<const iovec> slices);
    void shutdown_write();
    void close() noexcept;
    int descriptor() const noexcept { return descriptor_; }
    /// The other end.
    SimSocket& peer() const noexcept { return *peer_; }

    // What a test does as the peer.
    /// Sends without regard to the capacity.
    void send(std::string_view bytes);
    /// All that has arrived and was not taken yet.
    std::string take();
    /// While held, what is sent here stays on its way, where it fills the capacity.
    void hold(bool held);
    /// Breaks the connection.
    void reset();
    /// The peer closed its write half, and all before that has been taken.
    bool sees_end() const noexcept { return arrived_.empty() && end_arrived_; }
    bool is_reset() const noexcept { return is_reset_; }
    std::size_t unread() const noexcept { return arrived_.size(); }

private:
    friend std::pair<std::shared_ptr<SimSocket>, std::shared_ptr<SimSocket>> make_wire(SimLoop&, const WireOptions&);

    std::size_t transmit(std::string_view bytes);
    void update();
    std::size_t choose(std::size_t most);
    bool has_whim() { return options_.seed != 0 && random_() % 8 == 0; }

    SimLoop& loop_;
    SimSocket* peer_ = nullptr;
    const WireOptions options_;
    std::mt19937_64 random_;
    int descriptor_;
    std::string arrived_;
    std::size_t reset_in_;  // bytes that still may be sent
    std::size_t end_in_;    // bytes that the other end still may see
    bool end_arrived_ = false;
    bool is_held_ = false;
    bool is_shut_ = false;  // the own write half
    bool is_reset_ = false;
    bool is_closed_ = false;
};

using SimSocketPtr = std::shared_ptr<SimSocket>;

/// Two connected ends.
std::pair<SimSocketPtr, SimSocketPtr> make_wire(SimLoop& loop, const WireOptions& options = {});

/// A transport over one end. `counts` is told of it.
std::unique_ptr<hawser::transport::Transport> make_sim_transport(SimLoop& loop, SimSocketPtr socket, const WireOptions& options,
                                                                 std::shared_ptr<SimCounts> counts);

}  // namespace support
