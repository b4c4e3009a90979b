#pragma once

#include <cstddef>

#include <hawser/export.hpp>
#include <hawser/http.hpp>
#include <hawser/middleware.hpp>

namespace hawser {

/// How messages are compressed (permessage-deflate, RFC 7692). The same settings serve both ends: a client offers
/// what they say, a server answers what it is offered within their bounds.
///
/// Compression has its price in memory. With context takeover an end keeps a compressor and a decompressor for each connection,
/// as large as window and memory level ask for (README.md has the figures); without it those are the reactor's,
/// and a connection at rest holds none.
struct HAWSER_API DeflateOptions {
    /// What the server sends is compressed message by message, without reference to earlier ones. A client's server may not know how to.
    bool server_no_context_takeover = false;
    /// The same for what the client sends.
    bool client_no_context_takeover = false;
    /// Base-2 logarithm of the window of what the server sends, 9 to 15. RFC 7692 knows 8 too, but zlib does not.
    int server_max_window_bits = 12;
    /// The same for what the client sends. A peer that cannot keep to a window is asked for no context takeover instead; a
    /// server that can do neither still compresses, and its client then keeps a window of 15 bits for what it receives.
    int client_max_window_bits = 12;
    /// How much memory our compressor takes for its state, 1 to 9.
    int memory_level = 5;
    /// How hard our compressor tries, 1 (fastest) to 9 (smallest).
    int level = 6;
    /// Messages with fewer bytes are sent as they are.
    std::size_t threshold = 128;

    /// Throws `Error` with `Errc::invalid_option`, naming the first setting that cannot be.
    void validate() const;
};

/// Agrees on permessage-deflate with the peer, if it can do that too, and has messages compressed from then on.
/// Off unless it is added; without agreement messages pass as they are. A single message is exempted by
/// `MessageView::compress`: compressing a secret together with what a stranger chose tells its content by its size.
class HAWSER_API CompressionExtension final : public Middleware {
public:
    /// Throws `Errc::invalid_option`.
    explicit CompressionExtension(const DeflateOptions& options = {});
    Hook hooks() const noexcept override { return Hook::http_outgoing; }
    void http_outgoing(Connection& connection, HttpMessage message, const HttpNext& next) override;

private:
    DeflateOptions options_;
};

}  // namespace hawser
