#include "endpoint/backoff.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>

#include "types/refusal.hpp"
#include "types/text.hpp"

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

/// "Sun, 06 Nov 1994 08:49:37 GMT", the one form in which dates are sent (RFC 9110, section 5.6.7).
std::optional<std::chrono::sys_seconds> parse_date(std::string_view text) {
    constexpr std::string_view form = "Aaa, 00 Aaa 0000 00:00:00 GMT", months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const auto has_kind = [](char c, char kind) {
        return kind == '0' ? is_digit(c) : kind == 'A' || kind == 'a' ? is_alpha(c) : c == kind;
    };
    if (!std::equal(text.begin(), text.end(), form.begin(), form.end(), has_kind)) return std::nullopt;
    const auto number = [&](std::size_t at, std::size_t size) {
        int value = 0;
        std::from_chars(text.data() + at, text.data() + at + size, value);
        return value;
    };
    const std::size_t month = months.find(text.substr(8, 3)) / 3 + 1;
    const int hour = number(17, 2), minute = number(20, 2), second = number(23, 2);
    if (month > 12 || hour > 23 || minute > 59 || second > 60) return std::nullopt;
    const auto date = std::chrono::year(number(12, 4)) / static_cast<int>(month) / number(5, 2);
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
}

/// The wait that a Retry-After asks for (RFC 9110, section 10.2.3): seconds, of which there may be more than a number holds, or a date,
/// which is compared with the response's own, so that our clock need not be right.
Seconds retry_after(const Response& response) {
    const std::string_view field = response.headers.get("Retry-After").value_or("");
    unsigned seconds = 0;
    const auto parsed = std::from_chars(field.data(), field.data() + field.size(), seconds);
    if (parsed.ptr == field.data() + field.size() && parsed.ec == std::errc::result_out_of_range) return Seconds::max();
    if (parsed.ptr == field.data() + field.size() && parsed.ec == std::errc()) return Seconds(seconds);
    const auto until = parse_date(field);
    if (!until) return Seconds(0);
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    return std::max(Seconds(*until - parse_date(response.headers.get("Date").value_or("")).value_or(now)), Seconds(0));
}

}  // namespace

Backoff::Backoff(const ReconnectOptions& options) : options_(options) {
    const auto is_valid = [](Seconds seconds) { return seconds >= Seconds(0) && std::isfinite(seconds.count()); };
    if (!is_valid(options.initial) || !is_valid(options.maximum) || !is_valid(options.stable) || !is_valid(options.max_retry_after) ||
        options.maximum < options.initial)
        throw Error(Errc::invalid_option, "the times of a reconnect must be at least 0, and the maximum no less than the initial one");
}

std::optional<Seconds> Backoff::after_end(CloseCode code, TimePoint now, Entropy& entropy) {
    if (now - opened_ >= options_.stable) attempts_ = 0;
    if (code == CloseCode::service_restart) return next(restart_least + (restart_most - restart_least) * fraction(entropy), entropy);
    if (code == CloseCode::try_again_later) return next(options_.maximum * (1 + fraction(entropy)) / 2, entropy);
    return next(Seconds(0), entropy);
}

std::optional<Seconds> Backoff::after_failure(const Error& error, Entropy& entropy, bool is_elsewhere) {
    const Response* response = error.response();
    if (!response) return next(Seconds(0), entropy);
    if (!is_elsewhere && is_final_refusal(response->status)) return std::nullopt;
    // The wait that is drawn comes on top: others were told the same.
    std::optional<Seconds> wait = next(Seconds(0), entropy);
    if (wait) *wait += std::min(retry_after(*response), options_.max_retry_after);
    return wait;
}

std::optional<Seconds> Backoff::next(Seconds least, Entropy& entropy) {
    if (options_.max_attempts != 0 && attempts_ >= options_.max_attempts) return std::nullopt;
    const Seconds ceiling = std::min(options_.maximum, options_.initial * std::exp2(std::min(attempts_, 32u)));
    ++attempts_;
    return std::max(least, ceiling * fraction(entropy));
}

}  // namespace hawser::endpoint
