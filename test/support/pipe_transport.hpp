#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <string>

#include "transport/transport.hpp"

namespace support {

/// One direction of a pipe in memory.
struct PipeLane {
    std::string bytes{};
    std::size_t capacity = 1 << 20;  ///< what is written beyond waits for a read
    std::size_t chunk = 1 << 20;     ///< the most one read gives
    bool ended = false;
    std::size_t total = 0;                                       ///< that was written
    std::size_t reads = 0, writes = 0;                           ///< calls
    std::size_t gate = std::numeric_limits<std::size_t>::max();  ///< what comes behind so many bytes is not given yet
};

/// A transport over two lanes, driven by calls alone: nobody is told when it is ready.
class PipeTransport final : public hawser::transport::Transport {
public:
    using IoResult = hawser::transport::IoResult;
    PipeTransport(std::shared_ptr<PipeLane> in, std::shared_ptr<PipeLane> out) : in_(std::move(in)), out_(std::move(out)) {}

    IoResult read(std::span<char> into) override {
        ++in_->reads;
        if (in_->bytes.empty()) return in_->ended ? IoResult::end() : IoResult::would_block();
        const std::size_t given = in_->total - in_->bytes.size();
        const std::size_t open = in_->gate - std::min(in_->gate, given);
        const std::size_t size = std::min({into.size(), in_->bytes.size(), in_->chunk, open});
        if (size == 0) return IoResult::would_block();
        std::copy_n(in_->bytes.begin(), size, into.begin());
        in_->bytes.erase(0, size);
        return IoResult::done(size);
    }
    IoResult write(std::span<const iovec> slices) override {
        ++out_->writes;
        if (out_->ended) return IoResult::failed(std::make_error_code(std::errc::broken_pipe));
        std::size_t taken = 0;
        for (const iovec& slice : slices) {
            const std::size_t room = out_->capacity - std::min(out_->capacity, out_->bytes.size());
            const std::size_t size = std::min(room, slice.iov_len);
            out_->bytes.append(static_cast<const char*>(slice.iov_base), size);
            taken += size;
            if (size < slice.iov_len) break;
        }
        out_->total += taken;
        return taken != 0 ? IoResult::done(taken) : IoResult::would_block();
    }
    IoResult shutdown_write() override {
        out_->ended = true;
        return IoResult::done(0);
    }
    void close() noexcept override { out_->ended = true; }
    bool pending() const noexcept override { return false; }
    void watch(Observer&, hawser::Readiness) override {}
    std::string name() const override { return "pipe"; }
    std::string remote_name() const override { return "pipe"; }

private:
    std::shared_ptr<PipeLane> in_, out_;
};

}  // namespace support
