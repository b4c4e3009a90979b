#include <hawser/stock_middlewares.hpp>

#include <algorithm>
#include <utility>

namespace hawser {

namespace {

/// The address without its port.
std::string address_of(const Connection& connection) {
    const std::string name = connection.remote_name();
    return name.starts_with("unix:") ? name : name.substr(0, name.rfind(':'));
}

void forget(std::vector<std::weak_ptr<Connection>>& connections) {
    std::erase_if(connections, [](const std::weak_ptr<Connection>& weak) {
        const ConnectionPtr connection = weak.lock();
        return !connection || !connection->is_connected();
    });
}

}  // namespace

void MaxConnectionsPerAddress::http_incoming(Connection& connection, HttpMessage message, const HttpNext& next) {
    if (!std::holds_alternative<Request>(message)) return next(std::move(message));
    if (connections_.size() >= forget_at_) forget_ended();
    auto& same = connections_[address_of(connection)];
    forget(same);
    if (same.size() >= limit_)
        return next.respond(Response{
            429, {}, {{"Content-Type", "text/plain; charset=utf-8"}, {"Retry-After", "5"}}, "too many connections from this address\n"});
    same.push_back(connection.weak_from_this());
    next(std::move(message));
}

/// Addresses whose connections have all ended are given up each time their number has doubled.
void MaxConnectionsPerAddress::forget_ended() {
    for (auto entry = connections_.begin(); entry != connections_.end();) {
        forget(entry->second);
        entry = entry->second.empty() ? connections_.erase(entry) : std::next(entry);
    }
    forget_at_ = std::max<std::size_t>(64, 2 * connections_.size());
}

}  // namespace hawser
