#pragma once

#include <optional>

#include <hawser/client.hpp>

#include "types/entropy.hpp"

namespace hawser::endpoint {

/// When a client that lost its connection, or could not make one, tries again: exponential backoff with full jitter.
class Backoff {
public:
    /// Throws `Errc::invalid_option` for settings that cannot be.
    explicit Backoff(const ReconnectOptions& options);

    /// The handshake is complete.
    void opened(TimePoint now) noexcept { opened_ = now; }
    /// How long to wait after an end or a failure; nothing when it should not be tried again.
    std::optional<Seconds> after_end(CloseCode code, TimePoint now, Entropy& entropy);
    /// `is_elsewhere`: the next attempt has another target, to which a refusal of this one's says nothing.
    std::optional<Seconds> after_failure(const Error& error, Entropy& entropy, bool is_elsewhere = false);

private:
    std::optional<Seconds> next(Seconds least, Entropy& entropy);

    ReconnectOptions options_;
    unsigned attempts_ = 0;  // since the last stable connection
    TimePoint opened_{};
};

}  // namespace hawser::endpoint
