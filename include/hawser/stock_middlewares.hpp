#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/middleware.hpp>

namespace hawser {

/// Sends pings while a connection is silent, and ends one whose peer is dead: when nothing came for `interval` a ping
/// is sent, and when nothing comes for `pong_timeout` after it, the connection ends with `Errc::ping_timeout`. While reading is
/// paused, and once the write half is closed, there is nothing to be found out. Added to a connection that is open, it watches from the
/// next tick on.
class HAWSER_API PingInterval final : public Middleware {
public:
    /// Without an interval: the connection's `timeout`. Throws `Errc::invalid_option` for one that is not positive, or over ten years.
    explicit PingInterval(std::optional<Seconds> interval = {}, Seconds pong_timeout = Seconds(10));
    Hook hooks() const noexcept override { return Hook::incoming | Hook::http_incoming | Hook::http_outgoing | Hook::tick; }
    void incoming(Connection& connection, const MessageView& message, const Next& next) override;
    void http_incoming(Connection& connection, HttpMessage message, const HttpNext& next) override;
    void http_outgoing(Connection& connection, HttpMessage message, const HttpNext& next) override;
    void tick(Connection& connection, const TickNext& next) override;

private:
    void begin(Connection& connection) const;
    void check(Connection& connection) const;
    std::optional<Seconds> interval_;
    Seconds pong_timeout_;
};

/// Client: follows the redirects that answer a handshake, at most `limit` in a row. Never from `wss` to `ws`. To
/// another origin no credentials and no secret fields go along (@ref security). 301 and 308 alone hold for later attempts.
class HAWSER_API FollowRedirect final : public Middleware {
public:
    /// `limit`: redirects in a row.
    explicit FollowRedirect(unsigned limit = 10) : limit_(limit) {}
    Hook hooks() const noexcept override { return Hook::http_incoming; }
    void http_incoming(Connection& connection, HttpMessage message, const HttpNext& next) override;

private:
    unsigned limit_;
};

/// Server: refuses a handshake with 403 unless its Origin is on the list, so that the pages of others cannot use a
/// browser's credentials (RFC 6455, section 10.2). Origins are compared without case; "null", which sandboxed pages
/// and files send, is one like any other.
class HAWSER_API OriginCheck final : public Middleware {
public:
    /// `allow_absent`: lets in clients that send no Origin, which browsers always do.
    explicit OriginCheck(std::vector<std::string> allowed, bool allow_absent = true);
    Hook hooks() const noexcept override { return Hook::http_incoming; }
    void http_incoming(Connection& connection, HttpMessage message, const HttpNext& next) override;

private:
    std::vector<std::string> allowed_;
    bool allow_absent_;
};

/// Server: asks for a user and a password (RFC 7617); anything else is answered with 401. They are compared in
/// constant time. The user's name is kept in the connection's meta data, under "user".
class HAWSER_API BasicAuth final : public Middleware {
public:
    /// Passwords by user.
    explicit BasicAuth(std::map<std::string, std::string, std::less<>> users, std::string realm = "hawser");
    Hook hooks() const noexcept override { return Hook::http_incoming; }
    void http_incoming(Connection& connection, HttpMessage message, const HttpNext& next) override;

private:
    bool accepts(std::string_view credentials, std::string& user) const;
    std::map<std::string, std::string, std::less<>> users_;
    std::string realm_;
};

/// Server: asks for a token, in an Authorization header of the scheme Bearer (RFC 6750), and lets a function judge it,
/// at once or later; anything else is answered with 401.
class HAWSER_API TokenAuth final : public Middleware {
public:
    /// Says whether the handshake goes on; to be called once, within the handshake's time.
    using Verdict = std::function<void(bool accepted)>;
    /// `token` is borrowed until the call returns.
    using Judge = std::function<void(Connection& connection, std::string_view token, Verdict verdict)>;
    /// `judge` is called for each token that is shown.
    explicit TokenAuth(Judge judge);
    Hook hooks() const noexcept override { return Hook::http_incoming; }
    void http_incoming(Connection& connection, HttpMessage message, const HttpNext& next) override;

private:
    Judge judge_;
};

/// What RateLimit allows, and what happens beyond.
struct RateLimits {
    double messages_per_second = 0;  ///< 0: no bound
    double bytes_per_second = 0;     ///< 0: no bound
    /// How much of the above may come at once.
    Seconds burst{1};
    /// What happens to who sends more.
    enum class Policy {
        /// Reading pauses, by pause() and resume(), until the rate is met again: a resume() by the application ends that early,
        /// and a pause() by the application ends with it.
        pause,
        close,  ///< the connection is closed with 1008
    };
    /// What happens to who sends more.
    Policy policy = Policy::pause;
};

/// Bounds the data messages that a connection may send to us. Taken out while a connection is paused, it leaves that to be resumed by
/// the application.
class HAWSER_API RateLimit final : public Middleware {
public:
    /// Throws `Errc::invalid_option` for a negative rate or burst.
    explicit RateLimit(RateLimits limits);
    Hook hooks() const noexcept override { return Hook::incoming_data | Hook::tick; }
    void incoming(Connection& connection, const MessageView& message, const Next& next) override;
    void tick(Connection& connection, const TickNext& next) override;

private:
    RateLimits limits_;
};

/// Server: answers a handshake with 429 when its address has this many connections already.
class HAWSER_API MaxConnectionsPerAddress final : public Middleware {
public:
    /// `limit`: connections of one address at a time.
    explicit MaxConnectionsPerAddress(std::size_t limit) : limit_(limit) {}
    Hook hooks() const noexcept override { return Hook::http_incoming; }
    void http_incoming(Connection& connection, HttpMessage message, const HttpNext& next) override;

private:
    void forget_ended();
    std::size_t limit_;
    std::map<std::string, std::vector<std::weak_ptr<Connection>>> connections_;
    std::size_t forget_at_ = 64;  // addresses
};

}  // namespace hawser
