#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/message.hpp>

#include "types/buffer.hpp"

struct z_stream_s;

namespace hawser::protocol {

struct InflateEnd {
    void operator()(z_stream_s* stream) const noexcept;
};
struct DeflateEnd {
    void operator()(z_stream_s* stream) const noexcept;
};
using InflateStream = std::unique_ptr<z_stream_s, InflateEnd>;
using DeflateStream = std::unique_ptr<z_stream_s, DeflateEnd>;

/// How a compressor is set up.
struct DeflateSettings {
    int window_bits = 15;  ///< 9 to 15
    int memory_level = 8;
    int level = 6;

    auto operator<=>(const DeflateSettings&) const = default;
    /// Different for different settings.
    unsigned key() const noexcept { return static_cast<unsigned>((window_bits << 8) | (memory_level << 4) | level); }
};

/// The compressors and decompressors that connections without context takeover share. One reactor's.
class DeflatePool {
public:
    DeflatePool() { idle_inflaters_.reserve(max_idle); }
    /// A decompressor for any window, at its start; the borrower's for the length of one message.
    InflateStream borrow_inflater();
    void give_back(InflateStream stream) noexcept;
    /// A compressor at its start, until the next call.
    z_stream_s& deflater(const DeflateSettings& settings);

    /// More decompressors than this are not kept for later.
    static constexpr std::size_t max_idle = 4;

private:
    std::vector<InflateStream> idle_inflaters_;
    std::map<DeflateSettings, DeflateStream> deflaters_;
};

/// What a message is inflated into next, of which there are `size` bytes, with `waiting` compressed ones to come: twice the more of them
/// and a little, up to `limit`.
std::size_t next_capacity(std::size_t size, std::size_t waiting, std::size_t limit) noexcept;

/// Decompresses the messages of one connection (RFC 7692, section 7.2.2), in pieces of any size. Holds memory of zlib's
/// only from the first message on with context takeover, only within a message without.
class Inflater {
public:
    enum class Status : std::uint8_t {
        ok,
        corrupt,  ///< not the work of a compressor, or cut off
        too_big,  ///< there would be more than `limit` bytes
    };

    /// `window_bits`: what the peer keeps to, 8 to 15.
    Inflater(int window_bits, bool takes_over, std::shared_ptr<DeflatePool> pool) noexcept
        : pool_(std::move(pool)), window_bits_(window_bits), takes_over_(takes_over) {}

    /// Appends what `input`, the next piece of a message, comes to; `out` never gets longer than `limit`. Once it has
    /// failed there is no further call.
    Status feed(std::string_view input, Buffer& out, std::size_t limit);
    /// The message is complete.
    Status finish(Buffer& out, std::size_t limit);

private:
    Status inflate(Buffer& out, std::size_t limit);

    std::shared_ptr<DeflatePool> pool_;
    InflateStream stream_;
    int window_bits_;
    bool takes_over_;
};

/// Compresses the messages of one connection (RFC 7692, section 7.2.1). Holds memory of zlib's only with context takeover,
/// and from the first message on.
class Deflater {
public:
    Deflater(const DeflateSettings& settings, bool takes_over, std::size_t threshold, std::shared_ptr<DeflatePool> pool) noexcept
        : pool_(std::move(pool)), threshold_(threshold), settings_(settings), takes_over_(takes_over) {}

    /// zlib cannot do with less for raw deflate.
    static constexpr int least_window_bits = 9;

    /// Whether a message is to be compressed.
    bool wants(const MessageView& message) const noexcept {
        return message.compress && message.has_content() && message.length() >= threshold_ && !is_control(message.opcode);
    }
    /// Messages refer to earlier ones: each that was compressed must be sent.
    bool takes_over() const noexcept { return takes_over_; }
    const DeflateSettings& settings() const noexcept { return settings_; }
    /// The payload of a compressed message; `content` is not empty.
    Buffer compress(std::string_view content);

private:
    std::shared_ptr<DeflatePool> pool_;
    DeflateStream stream_;
    std::size_t threshold_;
    DeflateSettings settings_;
    bool takes_over_;
};

/// Of the zlib that is loaded.
std::string loaded_zlib_version();

}  // namespace hawser::protocol
