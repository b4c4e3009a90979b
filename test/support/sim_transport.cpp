#include "support/sim_transport.hpp"

#include <algorithm>
#include <cerrno>

namespace support {
namespace {

IoResult failed(int error) { return IoResult::failed({error, std::generic_category()}); }

class SimTransport final : public hawser::transport::Transport, private reactor::Io {
public:
    SimTransport(SimLoop& loop, SimSocketPtr socket, const WireOptions& options, std::shared_ptr<SimCounts> counts)
        : loop_(loop),
          socket_(std::move(socket)),
          counts_(std::move(counts)),
          record_(options.record),
          random_(options.seed),
          is_rough_(options.seed != 0),
          name_("sim:" + std::to_string(socket_->descriptor())) {
        ++counts_->open;
        ++counts_->transports;
    }
    ~SimTransport() {
        SimTransport::close();
        --counts_->transports;
    }

    IoResult read(std::span<char> into) override {
        if (is_closed_) return failed(EBADF);
        if (record_ == 0) return socket_->read(into);
        if (inside_.empty()) {
            std::string record(record_, '\0');
            const IoResult result = socket_->read(record);
            if (result.status != IoResult::Status::done) return result;
            inside_ = record.substr(0, result.bytes);
        }
        // Half of it at most, so that there is often something left inside.
        const std::size_t size = inside_.copy(into.data(), std::min(into.size(), (record_ + 1) / 2));
        inside_.erase(0, size);
        return IoResult::done(size);
    }

    IoResult write(std::span<const iovec> slices) override { return is_closed_ ? failed(EBADF) : socket_->write(slices); }

    // On TLS it has to wait at times.
    IoResult shutdown_write() override {
        if (is_closed_) return failed(EBADF);
        if (is_rough_ && random_() % 4 == 0) return IoResult::would_block();
        socket_->shutdown_write();
        return IoResult::done(0);
    }

    void close() noexcept override {
        if (std::exchange(is_closed_, true)) return;
        loop_.watch(*this, socket_->descriptor(), Readiness::none);
        socket_->close();
        --counts_->open;
    }

    bool pending() const noexcept override { return !is_closed_ && !inside_.empty(); }

    void watch(Observer& observer, Readiness interest) override {
        if (is_closed_) return;
        observer_ = &observer;
        loop_.watch(*this, socket_->descriptor(), interest);
    }

    std::string name() const override { return name_; }
    std::string remote_name() const override { return name_ + " (peer)"; }

private:
    void on_ready(Readiness readiness) override { observer_->on_transport_ready(readiness); }

    SimLoop& loop_;
    SimSocketPtr socket_;
    std::shared_ptr<SimCounts> counts_;
    Observer* observer_ = nullptr;
    std::string inside_;  // read from the socket, and not asked for yet
    std::size_t record_;
    std::mt19937_64 random_;
    bool is_rough_;
    bool is_closed_ = false;
    std::string name_;
};

}  // namespace

SimSocket::SimSocket(SimLoop& loop, const WireOptions& options, std::size_t end)
    : loop_(loop),
      options_(options),
      random_(options.seed * 2 + end),
      descriptor_(loop.make_descriptor()),
      reset_in_(options.reset_after[end]),
      end_in_(options.end_after[end]) {}

std::pair<SimSocketPtr, SimSocketPtr> make_wire(SimLoop& loop, const WireOptions& options) {
    struct Wire {
        SimSocket first, second;
    };
    const auto wire = std::make_shared<Wire>(Wire{{loop, options, 0}, {loop, options, 1}});
    wire->first.peer_ = &wire->second;
    wire->second.peer_ = &wire->first;
    wire->first.update();
    wire->second.update();
    return {SimSocketPtr(wire, &wire->first), SimSocketPtr(wire, &wire->second)};
}

std::unique_ptr<hawser::transport::Transport> make_sim_transport(SimLoop& loop, SimSocketPtr socket, const WireOptions& options,
                                                                 std::shared_ptr<SimCounts> counts) {
    return std::make_unique<SimTransport>(loop, std::move(socket), options, std::move(counts));
}

std::size_t SimSocket::choose(std::size_t most) {
    if (options_.seed == 0 || most == 0) return most;
    // Often very little, at times all.
    const std::size_t bound = random_() % 3 == 0 ? most : std::min<std::size_t>(most, random_() % 2 == 0 ? 4 : 300);
    return 1 + static_cast<std::size_t>(random_() % bound);
}

IoResult SimSocket::read(std::span<char> into) {
    if (!is_held_ && !arrived_.empty()) {
        if (has_whim()) return IoResult::would_block();
        const std::size_t size = choose(std::min(into.size(), arrived_.size()));
        std::copy_n(arrived_.begin(), size, into.begin());
        arrived_.erase(0, size);
        update();
        peer_->update();
        return IoResult::done(size);
    }
    if (is_reset_) return failed(ECONNRESET);
    return end_arrived_ && !is_held_ ? IoResult::end() : IoResult::would_block();
}

IoResult SimSocket::write(std::span<const iovec> slices) {
    if (is_reset_ || is_shut_) return failed(EPIPE);
    const std::size_t room = options_.capacity - std::min(options_.capacity, peer_->unread());
    std::size_t left = has_whim() ? 0 : choose(room);
    std::size_t taken = 0;
    for (const iovec& slice : slices) {
        const std::size_t size = std::min(left, slice.iov_len);
        taken += transmit({static_cast<const char*>(slice.iov_base), size});
        left -= size;
        if (is_reset_) break;
    }
    if (taken != 0) return IoResult::done(taken);
    return is_reset_ ? failed(ECONNRESET) : IoResult::would_block();
}

std::size_t SimSocket::transmit(std::string_view bytes) {
    const std::size_t size = std::min(bytes.size(), reset_in_);
    reset_in_ -= size;
    const std::size_t seen = std::min(size, end_in_);
    end_in_ -= seen;
    if (!peer_->is_closed_) peer_->arrived_ += bytes.substr(0, seen);
    if (end_in_ == 0) peer_->end_arrived_ = true;
    if (size != 0 && peer_->is_closed_) reset();
    if (reset_in_ == 0) reset();
    update();
    peer_->update();
    return size;
}

void SimSocket::send(std::string_view bytes) {
    if (!is_reset_ && !is_shut_) transmit(bytes);
}

std::string SimSocket::take() {
    std::string taken = std::exchange(arrived_, {});
    peer_->update();
    return taken;
}

void SimSocket::shutdown_write() {
    is_shut_ = true;
    peer_->end_arrived_ = true;
    peer_->update();
}

void SimSocket::close() noexcept {
    if (std::exchange(is_closed_, true)) return;
    if (!arrived_.empty()) reset();
    arrived_.clear();
    shutdown_write();
    update();
}

void SimSocket::hold(bool held) {
    is_held_ = held;
    update();
}

void SimSocket::reset() {
    is_reset_ = peer_->is_reset_ = true;
    update();
    peer_->update();
}

void SimSocket::update() {
    const bool readable = is_reset_ || (!is_held_ && (end_arrived_ || !arrived_.empty()));
    const bool writable = is_reset_ || is_shut_ || peer_->unread() < options_.capacity;
    const unsigned ready = (readable ? 1u : 0u) | (writable ? 2u : 0u);
    loop_.set_ready(descriptor_, is_closed_ ? Readiness::none : static_cast<Readiness>(ready));
}

}  // namespace support
