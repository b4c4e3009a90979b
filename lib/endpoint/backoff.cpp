#include "endpoint/backoff.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace hawser::endpoint {

namespace {

/// What RFC 6455's registry advises after a service restart (1012): a random time of 5 to 30 seconds.
constexpr Seconds restart_least{5}, restart_most{30};

/// At random, of [0, 1).
double fraction(Entropy& entropy) {
    std::array<unsigned char, sizeof(std::uint32_t)> bytes{};
    entropy.fill(bytes);
    std::uint32_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    return static_cast<double>(value) / 4294967296.0;
}

/// The seconds of a Retry-After; a date, which needs a clock that is right, is not looked at (RFC 9110, section 10.2.3).
Seconds retry_after(const Response& response) {
    const std::string_view field = response.headers.get("Retry-After").value_or("");
    unsigned seconds = 0;
    const auto parsed = std::from_chars(field.data(), field.data() + field.size(), seconds);
    return parsed.ec == std::errc() && parsed.ptr == field.data() + field.size() ? Seconds(seconds) : Seconds(0);
}

/// Asking again will not change the answer.
bool is_final(int status) { return status >= 400 && status < 500 && status != 408 && status != 425 && status != 429; }

}  // namespace

Backoff::Backoff(const ReconnectOptions& options) : options_(options) {
    const auto is_valid = [](Seconds seconds) { return seconds >= Seconds(0) && std::isfinite(seconds.count()); };
    if (!is_valid(options.initial) || !is_valid(options.maximum) || !is_valid(options.stable) || options.maximum < options.initial)
        throw Error(Errc::invalid_option, "the times of a reconnect must be at least 0, and the maximum no less than the initial one");
}

std::optional<Seconds> Backoff::after_end(CloseCode code, TimePoint now, Entropy& entropy) {
    if (now - opened_ >= options_.stable) attempts_ = 0;
    if (code == CloseCode::service_restart) return next(restart_least + (restart_most - restart_least) * fraction(entropy), entropy);
    if (code == CloseCode::try_again_later) return next(options_.maximum * (1 + fraction(entropy)) / 2, entropy);
    return next(Seconds(0), entropy);
}

std::optional<Seconds> Backoff::after_failure(const Error& error, Entropy& entropy) {
    const Response* response = error.response();
    if (!response) return next(Seconds(0), entropy);
    if (is_final(response->status)) return std::nullopt;
    return next(retry_after(*response), entropy);
}

std::optional<Seconds> Backoff::next(Seconds least, Entropy& entropy) {
    if (options_.max_attempts != 0 && attempts_ >= options_.max_attempts) return std::nullopt;
    const Seconds ceiling = std::min(options_.maximum, options_.initial * std::exp2(std::min(attempts_, 32u)));
    ++attempts_;
    return std::max(least, ceiling * fraction(entropy));
}

}  // namespace hawser::endpoint
