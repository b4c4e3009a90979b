#include "transport/tcp.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <climits>

namespace hawser::transport {
namespace {

IoResult failed_with_errno() noexcept { return IoResult::failed({errno, std::generic_category()}); }

// Calls until it is not interrupted by a signal.
template <typename Call>
auto retried(Call call) noexcept {
    auto result = call();
    while (result < 0 && errno == EINTR) result = call();
    return result;
}

class Tcp final : public Transport, private reactor::Io {
public:
    Tcp(reactor::Core& core, Descriptor descriptor, const Address& local, const Address& remote)
        : Io(&core.loop()), descriptor_(std::move(descriptor)), local_(local), remote_(remote) {}
    ~Tcp() { Tcp::close(); }

    IoResult read(std::span<char> into) override {
        const auto n = retried([&] { return recv(descriptor_.get(), into.data(), into.size(), 0); });
        if (n == 0) return IoResult::end();
        return moved(n, into.size());
    }

    IoResult write(std::span<const iovec> slices) override {
        while (!slices.empty() && slices.front().iov_len == 0) slices = slices.subspan(1);
        if (slices.empty()) return IoResult::would_block();
        const auto n = retried([&] { return send_slices(slices); });
        [[maybe_unused]] std::size_t given = 0;
        for (const iovec& slice : slices) given += slice.iov_len;
        return moved(n, given);
    }

    IoResult shutdown_write() override {
        if (shutdown(descriptor_.get(), SHUT_WR) != 0) return failed_with_errno();
        return IoResult::done(0);
    }

    void close() noexcept override {
        if (!descriptor_) return;
        // libev must hear of it first: the number may be another socket's in a moment.
        loop().watch(*this, descriptor_.get(), Readiness::none);
        descriptor_.reset();
    }

    bool pending() const noexcept override { return false; }

    void watch(Observer& observer, Readiness interest) override {
        if (!descriptor_) return;
        observer_ = &observer;
        is_lost_ = false;
        loop().watch(*this, descriptor_.get(), interest);
    }

    std::string name() const override { return local_.str(); }
    std::string remote_name() const override { return remote_.str(); }

private:
    ssize_t send_slices(std::span<const iovec> slices) const noexcept {
        // One slice, as most writes are, costs the kernel less this way.
        if (slices.size() == 1) return send(descriptor_.get(), slices[0].iov_base, slices[0].iov_len, MSG_NOSIGNAL);
        msghdr message{};
        message.msg_iov = const_cast<iovec*>(slices.data());  // sendmsg does not write to it
        message.msg_iovlen = std::min(slices.size(), std::size_t(IOV_MAX));
        return sendmsg(descriptor_.get(), &message, MSG_NOSIGNAL);
    }

    void on_ready(Readiness readiness) override {
        is_lost_ = interest() == Readiness::none;
        observer_->on_transport_ready(readiness);
    }

    IoResult moved(ssize_t n, [[maybe_unused]] std::size_t given) const noexcept {
        if (n < 0) {
            if (errno != EAGAIN && errno != EWOULDBLOCK) return failed_with_errno();
            // Nobody would ever tell that it is ready.
            return is_lost_ ? IoResult::failed(reactor::no_longer_watched()) : IoResult::would_block();
        }
        // A count beyond what was given would have the caller skip bytes it never had (CVE-2026-107928).
        assert(std::size_t(n) <= given);
        return IoResult::done(std::size_t(n));
    }

    Observer* observer_ = nullptr;
    Descriptor descriptor_;
    Address local_, remote_;
    bool is_lost_ = false;  // the loop cannot watch it
};

}  // namespace

std::unique_ptr<Transport> make_tcp(reactor::Core& core, Descriptor descriptor, const Address& local, const Address& remote) {
    return std::make_unique<Tcp>(core, std::move(descriptor), local, remote);
}

}  // namespace hawser::transport
