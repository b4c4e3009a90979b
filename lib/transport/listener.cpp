#include "transport/listener.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <vector>

#include "transport/bind.hpp"
#include "transport/socket_options.hpp"
#include "transport/tcp.hpp"
#include "types/time.hpp"

namespace hawser::transport {
namespace {

// So many connections are taken in one event before the other descriptors get their turn.
constexpr int accept_budget = 64;
// So long the kernel or the process gets to recover.
constexpr Seconds pause_after_failure{0.1};

#ifdef __linux__
// What accept() returns has the listening socket's options: no system call is spent on each connection.
constexpr bool tcp_options_are_inherited = true;
#else
constexpr bool tcp_options_are_inherited = false;
#endif

// Outlives the listener while one of the functions runs, which may destroy it.
struct Callbacks {
    Listener::OnAccept on_accept;
    Listener::OnError on_error;
    bool is_over = false;
};

class SocketListener final : public Listener, private reactor::Deadline {
public:
    SocketListener(reactor::Core& core, std::vector<BoundSocket> bound, const Context& context, Callbacks callbacks);
    ~SocketListener();

    void set_accepting(bool accepting) override;
    Address address() const override { return sockets_.front()->bound.address; }

private:
    struct Socket final : reactor::Io {
        Socket(SocketListener& owner, BoundSocket from) : listener(owner), bound(std::move(from)) {}
        void on_ready(Readiness) override;
        SocketListener& listener;
        BoundSocket bound;
    };

    void accept_all(Socket& socket);
    void accepted(Socket& socket, Descriptor descriptor, const Address& remote);
    void failed(Socket& socket, std::error_code error);
    void drop_one(Socket& socket);
    void open_spare() noexcept { spare_.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }
    void watch(Readiness interest);
    void on_deadline() override { watch(Readiness::readable); }

    reactor::Core& core_;
    std::shared_ptr<Callbacks> callbacks_;
    std::vector<std::unique_ptr<Socket>> sockets_;
    std::optional<SocketOptions> options_;  // for each accepted socket, where they are not inherited
    Descriptor spare_;                      // given up to accept, and so to close, a connection when there are no others
    bool has_failed_ = false;               // and has not accepted since
};

SocketListener::SocketListener(reactor::Core& core, std::vector<BoundSocket> bound, const Context& context, Callbacks callbacks)
    : core_(core), callbacks_(std::make_shared<Callbacks>(std::move(callbacks))) {
    const int family = bound.front().address.family();
    if (family == AF_UNIX || !tcp_options_are_inherited) options_.emplace(context, family);
    for (BoundSocket& one : bound) sockets_.push_back(std::make_unique<Socket>(*this, std::move(one)));
    open_spare();
}

SocketListener::~SocketListener() {
    callbacks_->is_over = true;
    SocketListener::set_accepting(false);
}

void SocketListener::set_accepting(bool accepting) {
    core_.loop().arm(*this, TimePoint::max());
    watch(accepting ? Readiness::readable : Readiness::none);
}

void SocketListener::watch(Readiness interest) {
    for (const auto& socket : sockets_) core_.loop().watch(*socket, socket->bound.descriptor.get(), interest);
}

// Errors of the one connection that was about to be accepted; accept(2) asks to try again after them.
bool concerns_one_connection(int error) noexcept {
    switch (error) {
        case EINTR:
        case ECONNABORTED:
        case EPROTO:
        case EPERM:
        case ETIMEDOUT:
        case ENETDOWN:
        case ENETUNREACH:
        case EHOSTUNREACH:
        case ENOPROTOOPT:
        case EOPNOTSUPP:
#ifdef __linux__
        case EHOSTDOWN:
        case ENONET:
#endif
            return true;
        default: return false;
    }
}

void SocketListener::Socket::on_ready(Readiness) {
    if (interest() == Readiness::none) return listener.failed(*this, reactor::no_longer_watched());
    listener.accept_all(*this);
}

void SocketListener::accept_all(Socket& socket) {
    const std::shared_ptr<const Callbacks> callbacks = callbacks_;
    for (int left = accept_budget; left > 0; --left) {
        // The callback may have destroyed this, stopped accepting, or thrown.
        if (callbacks->is_over || socket.interest() == Readiness::none || core_.is_interrupted()) return;
        sockaddr_storage storage{};
        socklen_t length = sizeof storage;
        Descriptor descriptor(
            accept4(socket.bound.descriptor.get(), reinterpret_cast<sockaddr*>(&storage), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (descriptor) {
            accepted(socket, std::move(descriptor), Address(reinterpret_cast<const sockaddr*>(&storage), length));
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (!concerns_one_connection(errno)) {
            return failed(socket, {errno, std::generic_category()});
        }
    }
}

void SocketListener::accepted(Socket& socket, Descriptor descriptor, const Address& remote) {
    has_failed_ = false;
    if (options_) {
        try {
            options_->apply(descriptor.get());
        } catch (const std::system_error& error) {
            // The peer was faster and is gone; nothing else makes an option fail that has been taken before.
            return;
        }
    }
    const Address& bound = socket.bound.address;
    const Address local = bound.is_wildcard() ? Address::local_of(descriptor.get()) : bound;
    callbacks_->on_accept(make_tcp(core_, std::move(descriptor), local, remote));
}

void SocketListener::failed(Socket& socket, std::error_code error) {
    const bool is_short_of_descriptors = error == std::errc::too_many_files_open || error == std::errc::too_many_files_open_in_system;
    if (is_short_of_descriptors) drop_one(socket);
    watch(Readiness::none);
    core_.loop().arm(*this, later(core_.fresh_now(), pause_after_failure));
    if (std::exchange(has_failed_, true)) return;
    const std::string advice = is_short_of_descriptors ? " (raise the limit of open files)" : "";
    callbacks_->on_error({Errc::connection_failure, "cannot accept connections on " + socket.bound.address.str() + advice, error});
}

// The one that waits hears at once that nobody takes it, instead of waiting in the backlog.
void SocketListener::drop_one(Socket& socket) {
    spare_.reset();
    Descriptor(accept4(socket.bound.descriptor.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)).reset();
    open_spare();
}

}  // namespace

std::unique_ptr<Listener> Listener::open(reactor::Core& core, const ListenOptions& options, OnAccept on_accept, OnError on_error) {
    return std::make_unique<SocketListener>(core, bind_sockets(options), options.context,
                                            Callbacks{std::move(on_accept), std::move(on_error)});
}

}  // namespace hawser::transport
