#include "protocol/deflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <new>
#include <utility>

namespace hawser::protocol {

namespace {

/// What zlib is given at once, far from the limits of its uInt: a longer message takes the loop, like any other.
constexpr std::size_t max_step = 256 * 1024;
/// zlib needs more than 6 bytes of room to write a flush marker once.
constexpr std::size_t least_room = 64;
/// Most messages are inflated into this much without growing, and zlib is fast as long as there is more room than it needs.
constexpr std::size_t first_room = 2 * 1024;
/// The end of a flush, which is left out on the wire (RFC 7692, section 7.2.1).
constexpr std::string_view tail("\x00\x00\xFF\xFF", 4);

InflateStream make_inflater(int window_bits) {
    InflateStream stream(new z_stream());
    // Negative: raw deflate, without a header. Older versions of zlib compress with 9 bits where 8 are asked for.
    if (inflateInit2(stream.get(), -std::max(window_bits, Deflater::least_window_bits)) != Z_OK) throw std::bad_alloc();
    return stream;
}

DeflateStream make_deflater(const DeflateSettings& settings) {
    DeflateStream stream(new z_stream());
    if (deflateInit2(stream.get(), settings.level, Z_DEFLATED, -settings.window_bits, settings.memory_level, Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::bad_alloc();
    return stream;
}

/// zlib's pointers to input are not to const, but it does not write there.
void set_input(z_stream& stream, std::string_view input) noexcept {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream.avail_in = static_cast<uInt>(input.size());
}

void set_output(z_stream& stream, char* to, std::size_t size) noexcept {
    stream.next_out = reinterpret_cast<Bytef*>(to);
    stream.avail_out = static_cast<uInt>(size);
}

/// A smaller compressor that does the same for a message of this size: its window spans it, and its block of symbols too. It is
/// reset faster, and touches less memory.
DeflateSettings fit(DeflateSettings settings, std::size_t size) noexcept {
    constexpr std::size_t window_reserve = 262;  // that zlib keeps of its window
    constexpr int block_bits = 6;                // a block has less than 2^(memory level + 6) symbols
    const int window_bits = static_cast<int>(std::bit_width(size + window_reserve - 1));
    const int memory_level = static_cast<int>(std::bit_width(size + 1)) - block_bits;
    settings.window_bits = std::min(settings.window_bits, std::max(window_bits, Deflater::least_window_bits));
    settings.memory_level = std::min(settings.memory_level, std::max(memory_level, 1));
    return settings;
}

/// In `data_type` zlib tells that it stopped behind a block (128), that this was not the last (64), and how many bits it has left.
bool is_between_blocks(const z_stream& stream) noexcept { return stream.data_type == 128; }

}  // namespace

void InflateEnd::operator()(z_stream* stream) const noexcept {
    inflateEnd(stream);
    delete stream;
}

void DeflateEnd::operator()(z_stream* stream) const noexcept {
    deflateEnd(stream);
    delete stream;
}

InflateStream DeflatePool::borrow_inflater() {
    if (idle_inflaters_.empty()) return make_inflater(MAX_WBITS);
    InflateStream stream = std::move(idle_inflaters_.back());
    idle_inflaters_.pop_back();
    inflateReset(stream.get());
    return stream;
}

void DeflatePool::give_back(InflateStream stream) noexcept {
    if (idle_inflaters_.size() < max_idle) idle_inflaters_.push_back(std::move(stream));
}

z_stream& DeflatePool::deflater(const DeflateSettings& settings) {
    DeflateStream& stream = deflaters_[settings];
    if (stream)
        deflateReset(stream.get());
    else
        stream = make_deflater(settings);
    return *stream;
}

std::size_t next_capacity(std::size_t size, std::size_t waiting, std::size_t limit) noexcept {
    const std::size_t known = std::max(size, waiting);
    const bool would_wrap = known > (std::numeric_limits<std::size_t>::max() - first_room) / 2;
    return would_wrap ? limit : std::min(limit, 2 * known + first_room);
}

Inflater::Status Inflater::feed(std::string_view input, Buffer& out, std::size_t limit) {
    if (!stream_) stream_ = takes_over_ ? make_inflater(window_bits_) : pool_->borrow_inflater();
    Status status = Status::ok;
    while (!input.empty() && status == Status::ok) {
        const std::string_view step = input.substr(0, max_step);
        input.remove_prefix(step.size());
        set_input(*stream_, step);
        status = inflate(out, limit);
    }
    return status;
}

/// Takes all of the stream's input.
Inflater::Status Inflater::inflate(Buffer& out, std::size_t limit) {
    z_stream& stream = *stream_;
    for (;;) {
        // At the limit there is room for one byte more, by which zlib shows whether the message goes on.
        char excess = 0;
        const bool full = out.size() >= limit;
        if (!full && out.size() == out.capacity()) out.reserve(next_capacity(out.size(), stream.avail_in, limit));
        const std::size_t room = full ? 1 : std::min({out.capacity() - out.size(), limit - out.size(), max_step});
        set_output(stream, full ? &excess : out.end(), room);
        const int result = ::inflate(&stream, Z_SYNC_FLUSH);
        const std::size_t written = room - stream.avail_out;
        if (full && written != 0) return Status::too_big;
        out.add(written);
        if (result == Z_MEM_ERROR) throw std::bad_alloc();
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return Status::corrupt;
        // Any block may call itself the last one (RFC 7692, section 7.2.3.4), and the window outlives it. The documented way, saving
        // the dictionary and setting it again, would copy the whole window for each such block.
        if (result == Z_STREAM_END) inflateResetKeep(&stream);
        if (stream.avail_in == 0 && stream.avail_out != 0) return Status::ok;
    }
}

Inflater::Status Inflater::finish(Buffer& out, std::size_t limit) {
    const Status status = feed(tail, out, limit);
    if (status != Status::ok) return status;
    if (!is_between_blocks(*stream_)) return Status::corrupt;
    if (!takes_over_) pool_->give_back(std::move(stream_));
    return Status::ok;
}

Buffer Deflater::compress(std::string_view content) {
    if (takes_over_ && !stream_) stream_ = make_deflater(settings_);
    z_stream& stream = takes_over_ ? *stream_ : pool_->deflater(fit(settings_, content.size()));
    Buffer out;
    out.reserve(std::min(content.size() / 2, max_step) + least_room);
    while (!content.empty()) {
        const std::string_view step = content.substr(0, max_step);
        content.remove_prefix(step.size());
        set_input(stream, step);
        do {
            out.make_room(least_room);
            const std::size_t room = std::min(out.capacity() - out.size(), max_step);
            set_output(stream, out.end(), room);
            deflate(&stream, content.empty() ? Z_SYNC_FLUSH : Z_NO_FLUSH);
            out.add(room - stream.avail_out);
        } while (stream.avail_out == 0);
    }
    out.remove_suffix(tail.size());
    return out;
}

std::string loaded_zlib_version() { return zlibVersion(); }

}  // namespace hawser::protocol
