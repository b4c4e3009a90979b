#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "transport/mbedtls_shim.hpp"

namespace hawser::transport {

/// A client's TLS sessions by "host:port", for the next connection there. Beyond a bound the one that was made first goes.
class TlsSessions {
public:
    static constexpr std::size_t max_size = 256;

    /// Null when none is kept.
    mbedtls::Session* find(const std::string& key) {
        const auto found = sessions_.find(key);
        return found != sessions_.end() ? &found->second.session : nullptr;
    }
    /// A new one, empty, in the place of what was kept.
    mbedtls::Session& renew(const std::string& key) {
        sessions_.erase(key);
        if (sessions_.size() == max_size)
            sessions_.erase(std::min_element(sessions_.begin(), sessions_.end(),
                                             [](const auto& a, const auto& b) { return a.second.number < b.second.number; }));
        Kept& kept = sessions_[key];
        kept.number = ++last_number_;
        return kept.session;
    }
    void erase(const std::string& key) { sessions_.erase(key); }
    std::size_t size() const noexcept { return sessions_.size(); }

private:
    struct Kept {
        mbedtls::Session session{};
        std::uint64_t number = 0;
    };
    std::map<std::string, Kept> sessions_;
    std::uint64_t last_number_ = 0;
};

}  // namespace hawser::transport
