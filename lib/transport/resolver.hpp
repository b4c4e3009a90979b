#pragma once

#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "reactor/core.hpp"
#include "transport/address.hpp"

namespace hawser::transport {

/// Addresses that need no look-up: of a literal itself, of "localhost" and names below it the loopback ones (RFC 6761,
/// section 6.3). Empty for other names.
std::vector<Address> known_addresses(const std::string& host, std::uint16_t port);
/// Why what is written as an IPv6 address (no name has a colon) is none here: its zone is no interface. Empty for names.
std::string no_address_reason(const std::string& host);

/// Whom to ask, and how long to wait; what is left out is the system's.
struct ResolverOptions {
    std::string servers{};  ///< "127.0.0.1:5353", more after commas
    Seconds timeout{0};     ///< for the first try with each server
    int tries = 0;          ///< with each server
    std::string system_file = "/etc/resolv.conf";
    /// How long the answer for one family is waited for behind the other's: long enough for a question to be lost, and asked again.
    Seconds latest_answer{6};
};

/// Looks up one name by c-ares on the reactor's loop: in the hosts file, then by DNS, for each family apart, so that a name server which
/// answers but for one family does not hold up the other (RFC 8305, section 3). Of resolv.conf's search list one name is asked at a time,
/// and the next only when the one before has no address of either family. Never blocks the loop. Destroying it cancels the look-up.
class Resolver {
public:
    struct Result {
        std::vector<Address> addresses{};  ///< IPv6 first, each family in the order of the system's preference
        std::string failure{};             ///< why there is none: "Domain name not found" …
        bool is_last = true;               ///< the other family's answer is not awaited any more
    };
    using OnDone = std::function<void(Result)>;

    virtual ~Resolver() = default;
    /// "the AAAA query had no answer": of which family, or both, it is not known whether there are addresses, and why if it is known.
    /// Empty when that is known, and when nothing was asked of DNS.
    virtual std::string unanswered() const = 0;
    /// `on_done` is called with the first addresses that there are, and once more with what came late (which may be nothing) if that was
    /// not the last; never from within resolve(). It may destroy the resolver.
    static std::unique_ptr<Resolver> resolve(reactor::Core& core, const std::string& host, std::uint16_t port, OnDone on_done,
                                             const ResolverOptions& options = {});
};

/// Of the c-ares that is loaded.
std::string cares_version();

}  // namespace hawser::transport
