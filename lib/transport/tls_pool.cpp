#include "transport/tls_pool.hpp"

#include <algorithm>

#include "transport/tls_context.hpp"

namespace hawser::transport {

TlsPool& TlsPool::of(reactor::Core& core) {
    std::shared_ptr<void>& place = core.tls();
    if (!place) place = std::make_shared<TlsPool>();
    return *static_cast<TlsPool*>(place.get());
}

std::shared_ptr<TlsContext> TlsPool::get(TlsRole role, const Context& context) {
    if (role == TlsRole::server) return std::make_shared<TlsContext>(role, TlsSettings::read(context, true), *this);
    const auto group = context.options().find("ssl");
    const SslOptions options = group != context.options().end() ? group->second : SslOptions();
    std::shared_ptr<TlsContext> found = find(options);
    if (!found) {
        found = std::make_shared<TlsContext>(role, TlsSettings::read(context, false), *this);
        // One that has become out of date stays with those who have it.
        std::erase_if(clients_, [&](const auto& entry) { return entry.first == options; });
        clients_.emplace_back(options, found);
    }
    drop_idle();
    return found;
}

/// Null when there is none, or its files have changed.
std::shared_ptr<TlsContext> TlsPool::find(const SslOptions& options) {
    const auto found = std::find_if(clients_.begin(), clients_.end(), [&](const auto& entry) { return entry.first == options; });
    if (found == clients_.end() || !found->second->is_current()) return nullptr;
    std::rotate(found, found + 1, clients_.end());
    return clients_.back().second;
}

void TlsPool::drop_idle() {
    std::size_t count = 0;
    const auto is_idle = [](const auto& entry) { return entry.second.use_count() == 1; };
    const auto idle = static_cast<std::size_t>(std::count_if(clients_.begin(), clients_.end(), is_idle));
    std::erase_if(clients_, [&](const auto& entry) { return is_idle(entry) && ++count + max_idle <= idle; });
}

std::shared_ptr<Authorities> TlsPool::authorities(const CaSources& sources) {
    std::erase_if(authorities_, [](const auto& entry) { return entry.second.expired(); });
    const auto found = std::find_if(authorities_.begin(), authorities_.end(), [&](const auto& entry) { return entry.first == sources; });
    if (found != authorities_.end()) {
        const std::shared_ptr<Authorities> known = found->second.lock();
        if (known->is_current()) return known;
        authorities_.erase(found);
    }
    auto read = std::make_shared<Authorities>(sources);
    authorities_.emplace_back(sources, read);
    return read;
}

}  // namespace hawser::transport
