#include "transport/resolver.hpp"

#include <ares.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <new>
#include <string_view>

namespace hawser::transport {
namespace {

// c-ares counts these calls without a lock, so one for the whole process is made; it holds no resources.
int initialize_library() {
    static std::once_flag once;
    static int status = ARES_SUCCESS;
    std::call_once(once, [] { status = ares_library_init(ARES_LIB_INIT_ALL); });
    return status;
}

class CaresResolver final : public Resolver, private reactor::Deadline {
public:
    CaresResolver(reactor::Core& core, OnDone on_done) : core_(core), on_done_(std::move(on_done)) {}
    ~CaresResolver();

    void look_up(const std::string& host, std::uint16_t port, const ResolverOptions& options);
    void finish(Result result) noexcept;

private:
    struct Socket final : reactor::Io {
        explicit Socket(CaresResolver& owner) : resolver(owner) {}
        void on_ready(Readiness readiness) override { resolver.process(descriptor(), readiness); }
        CaresResolver& resolver;
    };

    int open_channel(const ResolverOptions& options);
    void process(int descriptor, Readiness readiness);
    void arm_timeout();
    void on_deadline() override;
    void watch(int descriptor, Readiness interest) noexcept;
    void found(int status, const ares_addrinfo* list) noexcept;
    void fail_for_memory() noexcept { finish({{}, "no memory left"}); }

    reactor::Core& core_;
    OnDone on_done_;
    ares_channel channel_ = nullptr;
    std::map<int, Socket> sockets_;
    bool is_done_ = false;
    Result result_{};
};

CaresResolver::~CaresResolver() {
    is_done_ = true;  // what c-ares reports of the cancelled look-up is nobody's concern
    core_.loop().arm(*this, TimePoint::max());
    if (channel_) ares_destroy(channel_);
}

int CaresResolver::open_channel(const ResolverOptions& options) {
    if (const int status = initialize_library(); status != ARES_SUCCESS) return status;
    ares_options settings{};
    int mask = ARES_OPT_FLAGS | ARES_OPT_SOCK_STATE_CB;
    // Without memory for the end of a look-up, c-ares 1.34.6 and later wait for another on a socket that they have closed and freed:
    // so they keep it. EDNS is on by itself from 1.22 on where no flags are given.
    settings.flags = ARES_FLAG_STAYOPEN | ARES_FLAG_EDNS;
    settings.sock_state_cb = [](void* self, ares_socket_t socket, int readable, int writable) {
        const unsigned interest = (readable ? unsigned(Readiness::readable) : 0U) | (writable ? unsigned(Readiness::writable) : 0U);
        static_cast<CaresResolver*>(self)->watch(socket, Readiness(interest));
    };
    settings.sock_state_cb_data = this;
    if (options.timeout > Seconds(0)) {
        settings.timeout = int(std::chrono::duration_cast<std::chrono::milliseconds>(options.timeout).count());
        mask |= ARES_OPT_TIMEOUTMS;
    }
    if (options.tries > 0) {
        settings.tries = options.tries;
        mask |= ARES_OPT_TRIES;
    }
    if (const int status = ares_init_options(&channel_, &settings, mask); status != ARES_SUCCESS) return status;
    return options.servers.empty() ? int(ARES_SUCCESS) : ares_set_servers_ports_csv(channel_, options.servers.c_str());
}

void CaresResolver::look_up(const std::string& host, std::uint16_t port, const ResolverOptions& options) {
    // A NUL would have another name looked up than the one that is shown and verified.
    int status = host.empty() || host.find('\0') != std::string::npos ? int(ARES_EBADNAME) : open_channel(options);
    if (status != ARES_SUCCESS) return finish({{}, ares_strerror(status)});
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = ARES_AI_NUMERICSERV;
    const auto on_found = [](void* self, int found_status, int, ares_addrinfo* list) {
        static_cast<CaresResolver*>(self)->found(found_status, list);
        ares_freeaddrinfo(list);
    };
    ares_getaddrinfo(channel_, host.c_str(), std::to_string(port).c_str(), &hints, on_found, this);
    arm_timeout();
}

void CaresResolver::found(int status, const ares_addrinfo* list) noexcept try {
    if (is_done_) return;
    Result result;
    for (const ares_addrinfo_node* node = list ? list->nodes : nullptr; node; node = node->ai_next) {
        result.addresses.emplace_back(node->ai_addr, node->ai_addrlen);
    }
    if (result.addresses.empty()) result.failure = ares_strerror(status == ARES_SUCCESS ? int(ARES_ENODATA) : status);
    finish(std::move(result));
} catch (const std::bad_alloc&) {
    fail_for_memory();
}

// The result is handed out by the next iteration: by then c-ares is not on the stack, and the resolver may be destroyed.
void CaresResolver::finish(Result result) noexcept {
    is_done_ = true;
    result_ = std::move(result);
    core_.loop().arm(*this, core_.now());
}

void CaresResolver::process(int descriptor, Readiness readiness) {
    const auto socket_if = [&](Readiness what) { return unsigned(readiness) & unsigned(what) ? descriptor : ARES_SOCKET_BAD; };
    ares_process_fd(channel_, socket_if(Readiness::readable), socket_if(Readiness::writable));
    arm_timeout();
}

void CaresResolver::arm_timeout() {
    if (is_done_) return;
    timeval wait{};
    // Without memory, c-ares 1.34.6 and later may lose the look-up.
    if (!ares_timeout(channel_, nullptr, &wait)) return fail_for_memory();
    core_.loop().arm(*this, core_.fresh_now() + std::chrono::seconds(wait.tv_sec) + std::chrono::microseconds(wait.tv_usec));
}

void CaresResolver::on_deadline() {
    if (!is_done_) return process(ARES_SOCKET_BAD, Readiness::none);
    const OnDone on_done = std::move(on_done_);
    on_done(std::move(result_));
}

// c-ares tells of each socket it opens, and again before it closes it. Nothing may be thrown through it.
void CaresResolver::watch(int descriptor, Readiness interest) noexcept try {
    if (interest != Readiness::none) return core_.loop().watch(sockets_.try_emplace(descriptor, *this).first->second, descriptor, interest);
    const auto socket = sockets_.find(descriptor);
    if (socket == sockets_.end()) return;
    core_.loop().watch(socket->second, descriptor, Readiness::none);
    sockets_.erase(socket);
} catch (const std::bad_alloc&) {
    fail_for_memory();
}

}  // namespace

std::vector<Address> known_addresses(const std::string& host, std::uint16_t port) {
    if (const Address address = Address::literal(host, port); !address.empty()) return {address};
    std::string name(host);
    if (!name.empty() && name.back() == '.') name.pop_back();
    std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    constexpr std::string_view below = ".localhost";
    const bool is_below = name.size() > below.size() && name.compare(name.size() - below.size(), below.size(), below) == 0;
    if (name != below.substr(1) && !is_below) return {};
    return {Address::literal("::1", port), Address::literal("127.0.0.1", port)};
}

std::unique_ptr<Resolver> Resolver::resolve(reactor::Core& core, const std::string& host, std::uint16_t port, OnDone on_done,
                                            const ResolverOptions& options) {
    auto resolver = std::make_unique<CaresResolver>(core, std::move(on_done));
    std::vector<Address> known = known_addresses(host, port);
    if (known.empty()) {
        resolver->look_up(host, port, options);
    } else {
        resolver->finish({std::move(known), {}});
    }
    return resolver;
}

std::string cares_version() { return ares_version(nullptr); }

}  // namespace hawser::transport
