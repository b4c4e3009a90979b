#include "transport/resolver.hpp"

#include <ares.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <new>
#include <string_view>
#include <utility>

#include "transport/resolv_conf.hpp"
#include "types/text.hpp"
#include "types/time.hpp"

namespace hawser::transport {
namespace {

// c-ares counts these calls without a lock, so one for the whole process is made; it holds no resources.
int initialize_library() {
    static std::once_flag once;
    static int status = ARES_SUCCESS;
    std::call_once(once, [] { status = ares_library_init(ARES_LIB_INIT_ALL); });
    return status;
}

// RFC 8305, section 3: how long IPv6 is waited for once IPv4 is there.
constexpr Seconds resolution_delay{0.05};

ResolverOptions completed(ResolverOptions options, const ResolvConf& conf) {
    if (options.timeout == Seconds(0)) options.timeout = conf.timeout;
    if (options.tries == 0) options.tries = conf.attempts;
    return options;
}

// A name server has answered that there is nothing here, or it need not be asked.
bool is_no(int status) { return status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_EBADNAME; }

class CaresResolver final : public Resolver, private reactor::Deadline {
public:
    CaresResolver(reactor::Core& core, OnDone on_done, std::uint16_t port, Seconds latest_answer)
        : core_(core),
          on_done_(std::make_shared<const OnDone>(std::move(on_done))),
          port_(std::to_string(port)),
          latest_answer_(latest_answer) {}
    ~CaresResolver();

    void look_up(const std::string& host, const ResolverOptions& options);
    void finish(Result result) noexcept;
    std::string unanswered() const override;

private:
    struct Socket final : reactor::Io {
        explicit Socket(CaresResolver& owner) : resolver(owner) {}
        void on_ready(Readiness readiness) override { resolver.process(descriptor(), readiness); }
        CaresResolver& resolver;
    };
    /// One family, or both at once in the hosts file.
    struct Question {
        CaresResolver& resolver;
        int family;
        bool is_answered = false;
        bool has_none = false;  // for certain, if no address came
        int failure = ARES_SUCCESS;
    };

    int open_channel(const ResolverOptions& options, char* lookups);
    void ask(Question& question, const std::string& host);
    void ask_next_name();
    bool is_in_hosts_file(const std::string& host, const ResolverOptions& options);
    void process(int descriptor, Readiness readiness);
    void arm();
    void on_deadline() override;
    void watch(int descriptor, Readiness interest) noexcept;
    void found(Question& question, int status, const ares_addrinfo* list) noexcept;
    void answered(Question& question, int status);
    bool is_answered() const noexcept { return v4_.is_answered && v6_.is_answered; }
    // Only of a name that is not there may the search list's next be asked: it is another host.
    bool goes_on() const noexcept { return result_.addresses.empty() && !was_told_ && v4_.has_none && v6_.has_none && !names_.empty(); }
    void fail_for_memory() noexcept { finish({{}, "no memory left"}); }

    reactor::Core& core_;
    std::shared_ptr<const OnDone> on_done_;
    const std::string port_;
    const Seconds latest_answer_;
    std::vector<std::string> names_{};  // to be asked, the last first
    ares_channel channel_ = nullptr;
    std::map<int, Socket> sockets_;
    Question hosts_{*this, AF_UNSPEC}, v6_{*this, AF_INET6}, v4_{*this, AF_INET};
    Result result_{};  // what has not been told yet
    TimePoint tell_at_ = TimePoint::max();
    bool was_told_ = false;
    bool is_done_ = false;
};

CaresResolver::~CaresResolver() {
    is_done_ = true;  // what c-ares reports of the cancelled look-up is nobody's concern
    core_.loop().arm(*this, TimePoint::max());
    if (channel_) ares_destroy(channel_);
}

// `lookups`: "f", the hosts file, or "b", DNS.
int CaresResolver::open_channel(const ResolverOptions& options, char* lookups) {
    if (const int status = initialize_library(); status != ARES_SUCCESS) return status;
    ares_options settings{};
    // The domains, of which there are none: what is asked are full names.
    int mask = ARES_OPT_FLAGS | ARES_OPT_SOCK_STATE_CB | ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS;
    // Without memory for the end of a look-up, c-ares 1.34.6 and later wait for another on a socket that they have closed and freed:
    // so they keep it. EDNS is on by itself from 1.22 on where no flags are given.
    settings.flags = ARES_FLAG_STAYOPEN | ARES_FLAG_EDNS;
    settings.sock_state_cb = [](void* self, ares_socket_t socket, int readable, int writable) {
        const unsigned interest = (readable ? unsigned(Readiness::readable) : 0U) | (writable ? unsigned(Readiness::writable) : 0U);
        static_cast<CaresResolver*>(self)->watch(socket, Readiness(interest));
    };
    settings.sock_state_cb_data = this;
    settings.lookups = lookups;
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

void CaresResolver::look_up(const std::string& host, const ResolverOptions& options) {
    // A NUL would have another name looked up than the one that is shown and verified.
    if (host.empty() || host.find('\0') != std::string::npos) return finish({{}, ares_strerror(ARES_EBADNAME)});
    if (is_in_hosts_file(host, options)) return;
    const ResolvConf conf = read_resolv_conf(options.system_file);
    names_ = full_names(host, conf);
    std::reverse(names_.begin(), names_.end());
    char dns[] = "b";
    if (const int status = open_channel(completed(options, conf), dns); status != ARES_SUCCESS) return finish({{}, ares_strerror(status)});
    ask_next_name();
}

// Both families of one name: were the search list walked for each apart, their addresses could be of two hosts.
void CaresResolver::ask_next_name() {
    const std::string name = std::move(names_.back());
    names_.pop_back();
    ares_cancel(channel_);
    for (Question* question : {&v6_, &v4_}) {
        question->is_answered = question->has_none = false;
        question->failure = ARES_SUCCESS;
    }
    tell_at_ = TimePoint::max();
    ask(v6_, name);
    ask(v4_, name);
    arm();
}

// What the file has for one family is all there is: the other is not asked of DNS. Answered at once.
bool CaresResolver::is_in_hosts_file(const std::string& host, const ResolverOptions& options) {
    char file[] = "f";
    if (const int status = open_channel(options, file); status != ARES_SUCCESS) {
        finish({{}, ares_strerror(status)});
        return true;
    }
    ask(hosts_, host);
    ares_destroy(std::exchange(channel_, nullptr));
    return is_done_;
}

void CaresResolver::ask(Question& question, const std::string& host) {
    ares_addrinfo_hints hints{};
    hints.ai_family = question.family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = ARES_AI_NUMERICSERV;
    const auto on_found = [](void* asked, int status, int, ares_addrinfo* list) {
        auto& one = *static_cast<Question*>(asked);
        one.resolver.found(one, status, list);
        ares_freeaddrinfo(list);
    };
    ares_getaddrinfo(channel_, host.c_str(), port_.c_str(), &hints, on_found, &question);
}

void CaresResolver::found(Question& question, int status, const ares_addrinfo* list) noexcept try {
    if (is_done_ || status == ARES_ECANCELLED) return;
    std::vector<Address> addresses;
    for (const ares_addrinfo_node* node = list ? list->nodes : nullptr; node; node = node->ai_next)
        addresses.emplace_back(node->ai_addr, node->ai_addrlen);
    if (status == ARES_ENOMEM) return fail_for_memory();
    if (question.family == AF_UNSPEC) {
        if (!addresses.empty()) finish({std::move(addresses), {}});
        return;
    }
    auto& all = result_.addresses;
    all.insert(question.family == AF_INET6 ? all.begin() : all.end(), addresses.begin(), addresses.end());
    answered(question, status);
} catch (const std::bad_alloc&) {
    fail_for_memory();
}

// One answer decides when to tell: IPv6's addresses at once, IPv4's after a delay, nothing when both have answered. No such name means
// that it has no records of any kind (RFC 8020), which for IPv6 alone not every server means (RFC 4074, section 4.2).
void CaresResolver::answered(Question& question, int status) {
    question.is_answered = true;
    question.has_none = is_no(status) || status == ARES_SUCCESS;
    question.failure = status;
    if (question.family == AF_INET && status == ARES_ENOTFOUND) v6_.has_none = true;
    if (result_.failure.empty() || (status != ARES_SUCCESS && status != ARES_ENODATA))
        result_.failure = ares_strerror(status == ARES_SUCCESS ? int(ARES_ENODATA) : status);
    const bool found_any = !result_.addresses.empty();
    if (is_answered() || (question.family == AF_INET6 && found_any))
        tell_at_ = core_.now();
    else if (question.family == AF_INET && (found_any || status == ARES_ENOTFOUND))
        tell_at_ = later(core_.fresh_now(), resolution_delay);
}

// The result is handed out by the next iteration: by then c-ares is not on the stack, and the resolver may be destroyed.
void CaresResolver::finish(Result result) noexcept {
    is_done_ = true;
    result_ = std::move(result);
    tell_at_ = core_.now();
    core_.loop().arm(*this, tell_at_);
}

std::string CaresResolver::unanswered() const {
    std::string text;
    for (const Question* question : {&v6_, &v4_}) {
        if (!channel_ || question->has_none) continue;
        if (!text.empty()) text += "; ";
        text += std::string("the ") + (question == &v6_ ? "AAAA" : "A") + " query had no answer";
        if (question->failure != ARES_SUCCESS) text.append(" (").append(ares_strerror(question->failure)).append(")");
    }
    return text;
}

void CaresResolver::process(int descriptor, Readiness readiness) {
    const auto socket_if = [&](Readiness what) { return unsigned(readiness) & unsigned(what) ? descriptor : ARES_SOCKET_BAD; };
    ares_process_fd(channel_, socket_if(Readiness::readable), socket_if(Readiness::writable));
    arm();
}

void CaresResolver::arm() {
    if (is_done_) return;
    timeval wait{};
    // Without memory, c-ares 1.34.6 and later may lose the look-up.
    if (!is_answered() && !ares_timeout(channel_, nullptr, &wait)) return fail_for_memory();
    const TimePoint timeout = core_.fresh_now() + std::chrono::seconds(wait.tv_sec) + std::chrono::microseconds(wait.tv_usec);
    core_.loop().arm(*this, std::min(tell_at_, timeout));
}

void CaresResolver::on_deadline() {
    if (core_.fresh_now() < tell_at_) return process(ARES_SOCKET_BAD, Readiness::none);
    if (!is_done_ && goes_on()) return ask_next_name();
    Result result = std::exchange(result_, {});
    if (!result.addresses.empty()) result.failure.clear();
    result.is_last = is_done_ = is_done_ || was_told_ || is_answered() || result.addresses.empty();
    was_told_ = true;
    tell_at_ = later(core_.fresh_now(), latest_answer_);
    arm();
    // It may destroy the resolver.
    const std::shared_ptr<const OnDone> on_done = on_done_;
    (*on_done)(std::move(result));
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

std::string no_address_reason(const std::string& host) {
    if (host.find(':') == std::string::npos || !Address::literal(host, 0).empty()) return {};
    const std::size_t percent = host.find('%');
    return percent == std::string::npos ? "it is no IPv6 address" : "this host has no interface " + cited(host.substr(percent + 1));
}

std::unique_ptr<Resolver> Resolver::resolve(reactor::Core& core, const std::string& host, std::uint16_t port, OnDone on_done,
                                            const ResolverOptions& options) {
    auto resolver = std::make_unique<CaresResolver>(core, std::move(on_done), port, options.latest_answer);
    std::vector<Address> known = known_addresses(host, port);
    std::string reason = no_address_reason(host);
    if (known.empty() && reason.empty()) {
        resolver->look_up(host, options);
    } else {
        resolver->finish({std::move(known), std::move(reason)});
    }
    return resolver;
}

std::string cares_version() { return ares_version(nullptr); }

}  // namespace hawser::transport
