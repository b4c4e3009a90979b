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

/// Whom to ask, and how long to wait; what is left out is the system's (resolv.conf).
struct ResolverOptions {
    std::string servers{};  ///< "127.0.0.1:5353", more after commas
    Seconds timeout{0};     ///< for the first try with each server
    int tries = 0;          ///< with each server
};

/// Looks up one name by c-ares on the reactor's loop: hosts file and DNS, both families. Never blocks the loop.
/// Destroying it cancels the look-up.
class Resolver {
public:
    struct Result {
        std::vector<Address> addresses{};  ///< in the order of the system's preference
        std::string failure{};             ///< why there is none: "Domain name not found" …
    };
    using OnDone = std::function<void(Result)>;

    virtual ~Resolver() = default;
    /// `on_done` is called once, never from within resolve(); it may destroy the resolver.
    static std::unique_ptr<Resolver> resolve(reactor::Core& core, const std::string& host, std::uint16_t port, OnDone on_done,
                                             const ResolverOptions& options = {});
};

/// Of the c-ares that is loaded.
std::string cares_version();

}  // namespace hawser::transport
