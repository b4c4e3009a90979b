#include "transport/dialer.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

#include "transport/descriptor.hpp"
#include "transport/proxy_dialer.hpp"
#include "transport/socket_options.hpp"
#include "transport/tcp.hpp"
#include "types/time.hpp"

namespace hawser::transport {
namespace {

// RFC 8305, section 5: the recommended Connection Attempt Delay.
constexpr Seconds attempt_delay{0.25};

using Outcome = std::variant<std::unique_ptr<Transport>, Error>;

class SocketDialer final : public Dialer, private reactor::Deadline {
public:
    SocketDialer(reactor::Core& core, const DialOptions& options, OnDone on_done);
    ~SocketDialer();
    void start();

private:
    // A connect() under way.
    struct Attempt final : reactor::Io {
        Attempt(SocketDialer& owner, Address address) : dialer(owner), remote(std::move(address)) {}
        ~Attempt();
        void on_ready(Readiness) override { dialer.on_ready(*this); }
        SocketDialer& dialer;
        Address remote;
        Descriptor socket{};
    };

    void found(const Resolver::Result& result);
    void race(std::vector<Address> addresses);
    void start_next();
    bool connect(Attempt& attempt);
    void on_ready(Attempt& attempt);
    bool settle(Attempt& attempt);
    void win(Attempt& attempt, const Address& local);
    void lose(const Attempt& attempt, const std::string& reason, std::error_code cause);
    void give_up();
    bool has_tried() const noexcept { return !attempts_.empty() || !reasons_.empty(); }
    void fail_to_connect();
    void fail(const std::string& what);
    void finish(Outcome outcome);
    void arm();
    void on_deadline() override;
    std::string target() const;

    reactor::Core& core_;
    const DialOptions options_;
    OnDone on_done_;
    const TimePoint give_up_at_;
    std::unique_ptr<Resolver> resolver_;
    std::vector<Address> addresses_;  // still to be tried, the next one last
    TimePoint next_at_{};
    std::vector<std::unique_ptr<Attempt>> attempts_;
    std::string reasons_;      // of the attempts that failed
    std::string unanswered_;   // of the look-up
    std::error_code cause_{};  // of the last one
    std::optional<Outcome> outcome_;
};

SocketDialer::Attempt::~Attempt() {
    if (socket) dialer.core_.loop().watch(*this, socket.get(), Readiness::none);
}

SocketDialer::SocketDialer(reactor::Core& core, const DialOptions& options, OnDone on_done)
    : core_(core), options_(options), on_done_(std::move(on_done)), give_up_at_(later(core.fresh_now(), options.timeout)) {}

SocketDialer::~SocketDialer() { core_.loop().arm(*this, TimePoint::max()); }

void SocketDialer::start() {
    if (!options_.unix_path.empty()) return race({Address::unix_socket(options_.unix_path)});
    if (const std::vector<Address> known = known_addresses(options_.host, options_.port); !known.empty()) return race(known);
    const auto on_found = [this](const Resolver::Result& result) { found(result); };
    resolver_ = Resolver::resolve(core_, options_.host, options_.port, on_found, options_.resolver);
    arm();
}

void SocketDialer::found(const Resolver::Result& result) {
    if (result.is_last) {
        unanswered_ = resolver_->unanswered();
        resolver_.reset();
    }
    if (result.addresses.empty() && !has_tried()) return fail("cannot resolve \"" + options_.host + "\": " + result.failure);
    race(result.addresses);
}

// Tries these addresses too, which are of another family than those that wait already.
void SocketDialer::race(std::vector<Address> addresses) {
    addresses.insert(addresses.end(), addresses_.rbegin(), addresses_.rend());
    addresses_ = interleave(addresses);
    std::reverse(addresses_.begin(), addresses_.end());
    // One that is under way has its time.
    if (attempts_.empty()) return start_next();
    arm();
}

// Starts attempts until one has to wait: the next waits for its failure, or for its own time.
void SocketDialer::start_next() {
    while (!outcome_ && !addresses_.empty()) {
        Attempt& attempt = *attempts_.emplace_back(std::make_unique<Attempt>(*this, std::move(addresses_.back())));
        addresses_.pop_back();
        next_at_ = later(core_.fresh_now(), attempt_delay);
        if (connect(attempt)) break;
    }
    if (!outcome_ && attempts_.empty() && !resolver_) return fail_to_connect();
    arm();
}

// True when the attempt has to wait. Otherwise it has won, or it is gone.
bool SocketDialer::connect(Attempt& attempt) {
    try {
        sockaddr_storage storage;
        const socklen_t length = attempt.remote.to_sockaddr(storage);
        if (length == 0) throw std::system_error(ENAMETOOLONG, std::generic_category(), unix_path_bound());
        attempt.socket = open_stream_socket(attempt.remote.family());
        SocketOptions(options_.context, attempt.remote.family()).apply(attempt.socket.get());
        bind_local(attempt.socket.get(), attempt.remote.family(), options_.context);
        const int status = ::connect(attempt.socket.get(), reinterpret_cast<const sockaddr*>(&storage), length);
        // After EINTR the kernel goes on connecting (POSIX).
        if (status != 0 && errno != EINPROGRESS && errno != EINTR) throw std::system_error(errno, std::generic_category());
    } catch (const std::system_error& error) {
        lose(attempt, error.what(), error.code());
        return false;
    }
    if (settle(attempt)) return false;
    core_.loop().watch(attempt, attempt.socket.get(), Readiness::writable);
    return true;
}

void SocketDialer::on_ready(Attempt& attempt) {
    const bool is_watched = attempt.interest() != Readiness::none;
    const std::error_code cause = reactor::no_longer_watched();
    if (!settle(attempt)) {
        if (is_watched) return;
        lose(attempt, cause.message(), cause);
    }
    start_next();
}

// False while connect() is under way. Otherwise the attempt has won, or it is gone.
bool SocketDialer::settle(Attempt& attempt) {
    const int socket = attempt.socket.get();
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
    sockaddr_storage peer;
    length = sizeof peer;
    if (error == 0 && getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &length) != 0) {
        if (errno == ENOTCONN) return false;
        error = errno;
    }
    const Address local = Address::local_of(socket);
    // Where nobody listens on a port of the ephemeral range, a socket may be given that port and meet itself
    // (simultaneous open: RFC 9293, section 3.5).
    if (error == 0 && local == attempt.remote && local.family() != AF_UNIX) error = ECONNREFUSED;
    if (error == 0) {
        win(attempt, local);
    } else {
        const std::error_code cause(error, std::generic_category());
        lose(attempt, cause.message(), cause);
    }
    return true;
}

void SocketDialer::win(Attempt& attempt, const Address& local) {
    core_.loop().watch(attempt, attempt.socket.get(), Readiness::none);
    finish(make_tcp(core_, std::move(attempt.socket), local, attempt.remote));
}

void SocketDialer::lose(const Attempt& attempt, const std::string& reason, std::error_code cause) {
    const std::string where = attempt.remote.str();
    if (!reasons_.empty()) reasons_ += "; ";
    reasons_ += where == target() ? reason : where + ": " + reason;
    cause_ = cause;
    attempts_.erase(std::find_if(attempts_.begin(), attempts_.end(), [&](const auto& one) { return one.get() == &attempt; }));
}

void SocketDialer::give_up() {
    const std::string within = " within " + seconds_text(options_.timeout);
    cause_ = std::make_error_code(std::errc::timed_out);
    if (resolver_ && !has_tried()) return fail("cannot resolve \"" + options_.host + "\": no answer from DNS" + within);
    while (!outcome_ && !attempts_.empty()) {
        Attempt& attempt = *attempts_.front();
        // Its success may have come in the very iteration of the loop that ends the wait.
        if (!settle(attempt)) lose(attempt, "no answer to TCP" + within, cause_);
    }
    if (resolver_) unanswered_ = resolver_->unanswered();
    if (!outcome_) fail_to_connect();
}

// An address that was not told might have taken the connection.
void SocketDialer::fail_to_connect() {
    fail("cannot connect to " + target() + ": " + reasons_ + (unanswered_.empty() ? "" : "; " + unanswered_));
}

void SocketDialer::fail(const std::string& what) { finish(Error(Errc::client_failed, what).with_cause(cause_)); }

// The outcome is handed out by the loop's next iteration: never from within dial(), and with nothing of this on the stack.
void SocketDialer::finish(Outcome outcome) {
    outcome_ = std::move(outcome);
    attempts_.clear();
    addresses_.clear();
    resolver_.reset();
    arm();
}

void SocketDialer::arm() {
    if (outcome_) return core_.loop().arm(*this, core_.now());
    core_.loop().arm(*this, addresses_.empty() ? give_up_at_ : std::min(give_up_at_, next_at_));
}

void SocketDialer::on_deadline() {
    if (outcome_) {
        const OnDone on_done = std::move(on_done_);
        return on_done(std::move(*outcome_));
    }
    if (core_.fresh_now() >= give_up_at_) return give_up();
    start_next();
}

std::string SocketDialer::target() const {
    if (!options_.unix_path.empty()) return Address::unix_socket(options_.unix_path).str();
    const Address literal = Address::literal(options_.host, options_.port);
    return literal.empty() ? options_.host + ":" + std::to_string(options_.port) : literal.str();
}

}  // namespace

std::vector<Address> interleave(const std::vector<Address>& addresses) {
    std::vector<Address> first, second, out;
    for (const Address& address : addresses) (address.family() == addresses.front().family() ? first : second).push_back(address);
    for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
        if (i < first.size()) out.push_back(first[i]);
        if (i < second.size()) out.push_back(second[i]);
    }
    return out;
}

std::unique_ptr<Dialer> Dialer::dial(reactor::Core& core, const DialOptions& options, OnDone on_done) {
    if (options.proxy) return dial_through_proxy(core, options, std::move(on_done));
    auto dialer = std::make_unique<SocketDialer>(core, options, std::move(on_done));
    dialer->start();
    return dialer;
}

}  // namespace hawser::transport
