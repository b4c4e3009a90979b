#pragma once

#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "transport/tls_buffers.hpp"
#include "transport/transport.hpp"

namespace hawser::transport {

/// What mbedTLS sends. It never hears that the socket is full: what that does not take is kept here. So no call of mbedTLS has ever to be
/// repeated with the same bytes, and nothing is lost when it is not.
class TlsOutput {
public:
    /// The transport outlives it.
    explicit TlsOutput(Transport& inner) noexcept : inner_(inner) {}

    /// Takes all of it; false once something has failed.
    bool take(std::string_view bytes);
    /// Where what is to leave at once is put together, while it is lent.
    RecordBatch*& batch() noexcept { return batch_; }
    void flush_batch();
    /// Returns whether nothing is held any more.
    bool flush();
    void clear() noexcept { held_ = std::string(); }
    bool is_empty() const noexcept { return held_.empty(); }
    /// Whether the socket takes more, as far as is known.
    bool has_room() const noexcept { return !error_ && held_.empty(); }
    /// Of the socket; what has arrived may be read all the same.
    const std::error_code& error() const noexcept { return error_; }
    void fail(std::error_code error) noexcept { error_ = error; }

private:
    std::size_t send_now(std::string_view bytes);
    void hold(std::string_view bytes);

    Transport& inner_;
    std::string held_;
    RecordBatch* batch_ = nullptr;
    std::error_code error_{};
};

}  // namespace hawser::transport
