#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <hawser/context.hpp>

#include "reactor/core.hpp"
#include "transport/authorities.hpp"
#include "transport/tls.hpp"

namespace hawser::transport {

/// What the TLS endpoints of one reactor have in common: each bundle of authorities is read and kept once, and clients with the same
/// "ssl" options share their context, and with it their sessions, for as long as the files that it was made of are the same.
class TlsPool {
public:
    /// Contexts of clients that are kept although no client has them: the next one with the same options finds them.
    static constexpr std::size_t max_idle = 4;

    static TlsPool& of(reactor::Core& core);

    /// A client's, shared, or a server's, which has it alone. Throws as make_tls_context().
    std::shared_ptr<TlsContext> get(TlsRole role, const Context& context);
    /// Throws `Errc::invalid_option`.
    std::shared_ptr<Authorities> authorities(const CaSources& sources);
    std::size_t size() const noexcept { return clients_.size(); }

private:
    using SslOptions = Context::Options::mapped_type;

    std::shared_ptr<TlsContext> find(const SslOptions& options);
    void drop_idle();

    std::vector<std::pair<SslOptions, std::shared_ptr<TlsContext>>> clients_;  // the one last asked for at the end
    std::vector<std::pair<CaSources, std::weak_ptr<Authorities>>> authorities_;
};

}  // namespace hawser::transport
