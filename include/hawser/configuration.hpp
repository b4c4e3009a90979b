#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include <hawser/context.hpp>
#include <hawser/export.hpp>
#include <hawser/logger.hpp>

namespace hawser {

/// A length of time in seconds; fractions are allowed, and any `std::chrono` duration converts.
using Seconds = std::chrono::duration<double>;

/// What happens to a message for which `max_buffered_amount` leaves no room.
enum class OverflowPolicy {
    disconnect,  ///< the connection ends with an error: a peer that does not read is of no use
    drop,        ///< the message is not sent, and send() says so
};

/// Settings of an endpoint and its connections, every bound among them. Given to a constructor, or changed at run
/// time; a connection may have its own. A plain value: copy it, change it, hand it over.
struct HAWSER_API Configuration {
    /// Null: nothing is logged.
    std::shared_ptr<Logger> logger{};
    /// Options of the layers below: sockets, TLS, the handshake's HTTP.
    Context context{};

    /// Bounds each wait: connect, a write that makes no progress, and silence, which is reported once per silent
    /// period (`connection_timeout`). At least 0; 0 means not to wait.
    Seconds timeout{60};
    /// Largest payload of a frame that is sent; longer messages are fragmented. At least 1.
    std::size_t frame_size = 4096;
    /// Client: the open connection outlives the client and is taken over by the next one to the same URI.
    bool persistent = false;
    /// Server: a handshake beyond this many connections is answered with 503. 0: no bound.
    std::size_t max_connections = 0;

    /// Bytes of a handshake's head, request or response.
    std::size_t max_head_size = 16 * 1024;
    /// Header fields of a handshake.
    std::size_t max_header_count = 100;
    /// Bytes of a received message, all fragments together. More is failed with 1009.
    std::size_t max_message_size = 16 * 1024 * 1024;
    /// Fragments of a received message, empty ones included. More is failed with 1009.
    std::size_t max_fragment_count = 131'072;
    /// Bytes that wait to be sent. What happens beyond is `overflow_policy`'s to say.
    std::size_t max_buffered_amount = 16 * 1024 * 1024;
    /// What happens to a message for which there is no room.
    OverflowPolicy overflow_policy = OverflowPolicy::disconnect;
    /// send() answers `backpressure` while more bytes than this wait …
    std::size_t high_water_mark = 1024 * 1024;
    /// … and on_drain is called when, after that, no more than this many are left.
    std::size_t low_water_mark = 256 * 1024;
    /// Pongs that wait for a socket which takes no bytes; beyond them only the newest is kept (RFC 6455, section 5.5.3).
    std::size_t max_queued_pongs = 16;

    /// From the connection's start to the end of the opening handshake. On Linux a server's start when the client has spoken,
    /// or after a second in which it did not.
    Seconds handshake_timeout{10};
    /// From the first Close frame, sent or received, to the end of the connection. It runs anew while what was sent before a
    /// Close is still leaving, unless the peer broke the protocol.
    Seconds close_timeout{5};
    /// How often tick hooks and on_tick run. At least 0.001.
    Seconds tick_interval{1};

    /// A peer's FIN ends reading only; writing goes on until close_write() or disconnect().
    bool allow_half_open = false;
    /// The request and the response of the handshake stay readable. False saves their bytes.
    bool keep_handshake = true;

    /// Throws `Error` with `Errc::invalid_option`, naming the first setting that cannot be.
    void validate() const;
};

}  // namespace hawser
