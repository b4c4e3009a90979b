#include "endpoint/backoff.hpp"

#include "support/catch.hpp"

using namespace hawser;
using endpoint::Backoff;

namespace {

/// Always draws the same.
struct Fixed final : Entropy {
    explicit Fixed(unsigned char byte) : byte_(byte) {}
    void fill(std::span<unsigned char> bytes) override { std::fill(bytes.begin(), bytes.end(), byte_); }
    unsigned char byte_;
};

constexpr TimePoint start{};

Error refused(int status, Headers headers = {}) {
    return Error(Errc::handshake_failed, "refused", Response{status, {}, std::move(headers), {}});
}

}  // namespace

TEST_CASE("backoff: waits are drawn from 0 to a ceiling that doubles up to the maximum") {
    Fixed least(0), most(0xFF);
    Backoff low({}), high({});
    for (const double ceiling : {0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0}) {
        CHECK(low.after_end(CloseCode::abnormal, start, least) == Seconds(0));
        const Seconds wait = high.after_end(CloseCode::abnormal, start, most).value();
        CHECK(wait < Seconds(ceiling));
        CHECK(wait > Seconds(ceiling * 0.999));
    }
}

TEST_CASE("backoff: attempts are bounded, and counted anew after a stable connection") {
    Fixed entropy(0);
    Backoff backoff({.max_attempts = 2, .stable = Seconds(60)});
    backoff.opened(start);
    CHECK(backoff.after_end(CloseCode::abnormal, start, entropy));
    CHECK(backoff.after_failure(Error(Errc::client_failed, "refused"), entropy));
    CHECK_FALSE(backoff.after_failure(Error(Errc::client_failed, "refused"), entropy));
    backoff.opened(start);
    CHECK_FALSE(backoff.after_end(CloseCode::abnormal, start + std::chrono::milliseconds(59'999), entropy));
    CHECK(backoff.after_end(CloseCode::abnormal, start + std::chrono::seconds(60), entropy));
}

TEST_CASE("backoff: 1012 waits 5 to 30 s, 1013 about the maximum") {
    Fixed least(0), most(0xFF);
    Backoff backoff({.maximum = Seconds(40)});
    CHECK(backoff.after_end(CloseCode::service_restart, start, least) == Seconds(5));
    CHECK(backoff.after_end(CloseCode::service_restart, start, most).value() > Seconds(29.9));
    CHECK(backoff.after_end(CloseCode::try_again_later, start, least) == Seconds(20));
    CHECK(backoff.after_end(CloseCode::try_again_later, start, most).value() > Seconds(39.9));
}

TEST_CASE("backoff: Retry-After is honoured, and what will not change is not tried again") {
    Fixed entropy(0);
    Backoff backoff({});
    CHECK(backoff.after_failure(refused(503, {{"Retry-After", "120"}}), entropy) == Seconds(120));
    CHECK(backoff.after_failure(refused(429, {{"Retry-After", "7"}}), entropy) == Seconds(7));
    CHECK(backoff.after_failure(refused(503, {{"Retry-After", "soon"}}), entropy) == Seconds(0));
    CHECK(backoff.after_failure(refused(500), entropy) == Seconds(0));
    CHECK(backoff.after_failure(refused(503, {{"Retry-After", ""}}), entropy) == Seconds(0));
    for (const int status : {408, 425, 429}) CHECK(backoff.after_failure(refused(status), entropy));
    for (const int status : {400, 401, 403, 404, 410, 426}) CHECK_FALSE(backoff.after_failure(refused(status), entropy));
}

TEST_CASE("backoff: settings that cannot be are refused") {
    CHECK_THROWS_AS(Backoff({.initial = Seconds(-1)}), Error);
    CHECK_THROWS_AS(Backoff({.initial = Seconds(2), .maximum = Seconds(1)}), Error);
    CHECK_THROWS_AS(Backoff({.stable = Seconds(-0.1)}), Error);
    CHECK_THROWS_AS(Backoff({.max_retry_after = Seconds(-0.1)}), Error);
    CHECK_THROWS_AS(Backoff({.maximum = Seconds(std::numeric_limits<double>::infinity())}), Error);
}

TEST_CASE("backoff: a Retry-After may be a date, which counts from the response's own") {
    Fixed entropy(0);
    Backoff backoff({.max_retry_after = Seconds(1e10)});
    const auto wait = [&](Headers headers) { return backoff.after_failure(refused(503, std::move(headers)), entropy).value().count(); };
    const Header date{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"};
    CHECK(wait({date, {"Retry-After", "Sun, 06 Nov 1994 08:51:37 GMT"}}) == 120);
    CHECK(wait({date, {"Retry-After", "Mon, 07 Nov 1994 08:49:37 GMT"}}) == 86'400);
    CHECK(wait({{"Date", "Wed, 28 Feb 2024 23:59:59 GMT"}, {"Retry-After", "Thu, 29 Feb 2024 00:00:00 GMT"}}) == 1);
    CHECK(wait({date, {"Retry-After", "Sun, 06 Nov 1994 08:49:36 GMT"}}) == 0);
    for (const char* wrong : {"Sun, 31 Feb 2094 08:49:37 GMT", "Sun, 06 Nov 2094 24:49:37 GMT", "Sun, 06 Nov 2094 08:60:37 GMT",
                              "Sun, 06 Foo 2094 08:49:37 GMT", "Sun, 06 Nov 2094 08:49:37", "Sun, 06 Nov 2094 08:49:37 CET",
                              "Sun, 06 Nov 2094 08:49:37 GMT more", "Sun, 06 Nov 2094", "Sun, -6 Nov 2094 08:49:37 GMT"}) {
        CAPTURE(wrong);
        CHECK(wait({date, {"Retry-After", wrong}}) == 0);
    }
    // A server without a clock sends no Date: then it is ours that counts.
    CHECK(wait({{"Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"}}) == 0);
    CHECK(wait({{"Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"}}) > 1e9);
}

TEST_CASE("backoff: a Retry-After is bounded, at limit - 1, limit and limit + 1") {
    Fixed entropy(0);
    const auto wait = [&](const ReconnectOptions& options, const std::string& field) {
        return Backoff(options).after_failure(refused(503, {{"Retry-After", field}}), entropy).value().count();
    };
    CHECK(wait({}, "3599") == 3599);
    CHECK(wait({}, "3600") == 3600);
    CHECK(wait({}, "3601") == 3600);
    CHECK(wait({}, "Fri, 31 Dec 9999 23:59:59 GMT") == 3600);
    for (const char* field : {"4294967295", "4294967296", "18446744073709551616", "99999999999999999999999999999999999999"}) {
        CAPTURE(field);
        CHECK(wait({}, field) == 3600);
        CHECK(wait({.max_retry_after = Seconds(86'400)}, field) == 86'400);
        CHECK(wait({.max_retry_after = Seconds(0)}, field) == 0);
    }
    for (const char* wrong : {"-1", "+5", "99999999999x", "1e9"}) {
        CAPTURE(wrong);
        CHECK(wait({}, wrong) == 0);
    }
}

TEST_CASE("backoff: those who were told the same Retry-After do not come all at once") {
    Fixed most(0xFF);
    Backoff backoff({});
    const Seconds wait = backoff.after_failure(refused(503, {{"Retry-After", "120"}}), most).value();
    CHECK(wait > Seconds(120.49));
    CHECK(wait < Seconds(120.5));
}
