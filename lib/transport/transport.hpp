#pragma once

#include <sys/uio.h>

#include <cassert>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <system_error>

#include <hawser/connection.hpp>
#include <hawser/reactor.hpp>

namespace hawser::transport {

/// What a read or write came to.
struct IoResult {
    enum class Status : unsigned char {
        done,         ///< `bytes` were read or written: at least one
        would_block,  ///< nothing was; the observer hears when it is worth another try. Read: `bytes` came that are not to be shown yet
        end,          ///< read: the peer closed its write half cleanly
        failed,       ///< error() tells why; the transport is of no more use
    };
    Status status = Status::would_block;
    int error_value = 0;
    std::size_t bytes = 0;
    const std::error_category* category = nullptr;  // of the value; set when it failed

    std::error_code error() const noexcept {
        assert(category);
        return {error_value, *category};
    }

    static IoResult done(std::size_t n) noexcept { return {.status = Status::done, .bytes = n}; }
    static IoResult would_block() noexcept { return {}; }
    static IoResult end() noexcept { return {.status = Status::end}; }
    static IoResult failed(std::error_code why) noexcept {
        return {.status = Status::failed, .error_value = why.value(), .category = &why.category()};
    }
};

/// A stream with two halves: TCP, a Unix socket, TLS over either, or a simulated one. Never blocks.
class Transport {
public:
    /// Who is told that a transport is ready.
    class Observer {
    public:
        /// Reading or writing is worth a try. May destroy the transport.
        virtual void on_transport_ready(Readiness readiness) = 0;

    protected:
        ~Observer() = default;
    };

    virtual ~Transport() = default;

    /// Reads up to the span's size, which is not 0.
    virtual IoResult read(std::span<char> into) = 0;
    /// Writes the slices in order, as far as they are taken: `bytes` may be less than their sum.
    virtual IoResult write(std::span<const iovec> slices) = 0;
    /// Closes the write half: FIN, on TLS close_notify. `would_block`: call again when writable.
    virtual IoResult shutdown_write() = 0;
    /// Releases the descriptor at once. Every other call is without effect afterwards.
    virtual void close() noexcept = 0;
    /// Bytes are held inside, so that a read would give some although the socket is silent.
    virtual bool pending() const noexcept = 0;

    /// Sets whom to tell, and of what, from now on.
    virtual void watch(Observer& observer, Readiness interest) = 0;

    /// Bytes that write() took are still on their way to the socket; writing goes on when that is writable.
    virtual bool holds_output() const noexcept { return false; }
    /// What TLS came to; null without TLS, and before its handshake is complete. Also after close().
    virtual const TlsInfo* tls() const noexcept { return nullptr; }
    /// TLS's handshake is under way.
    virtual bool is_handshaking() const noexcept { return false; }
    /// Why TLS failed, as a sentence; empty when it was not TLS that did.
    virtual std::string tls_failure() const { return {}; }

    /// "127.0.0.1:9001", "[::1]:9001" or "unix:/path"; also after close().
    virtual std::string name() const = 0;
    virtual std::string remote_name() const = 0;
};

}  // namespace hawser::transport
