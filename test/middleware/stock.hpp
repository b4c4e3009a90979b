#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <hawser/hawser.hpp>

#include "support/catch.hpp"

/// A stock middleware as the tests of all of them install it: a new object for each end that it is for.
struct Stock {
    using Make = std::function<std::shared_ptr<hawser::Middleware>()>;
    const char* name;
    Make at_server{};
    Make at_client{};
};

template <typename M, typename... Arguments>
Stock::Make make(Arguments... arguments) {
    return [=] { return std::make_shared<M>(arguments...); };
}

/// A server's that puts "!" behind each text that comes in.
inline std::shared_ptr<hawser::Middleware> make_shouting() {
    using namespace hawser;
    const auto callback = std::make_shared<Callback>();
    callback->on_incoming = [](Connection&, const MessageView& message, const Next& next) {
        const std::string louder = std::string(message.content) + "!";
        MessageView changed = message;
        if (message.opcode == Opcode::text) changed.content = louder;
        next(changed);
    };
    callback->on_outgoing = [](Connection&, const MessageView& message, const Next& next) { return next(message); };
    callback->on_http_incoming = [](Connection&, HttpMessage message, const HttpNext& next) { next(std::move(message)); };
    callback->on_http_outgoing = [](Connection&, HttpMessage message, const HttpNext& next) { next(std::move(message)); };
    callback->on_tick = [](Connection&, const TickNext& next) { next(); };
    return callback;
}

/// Judges when the loop comes to it.
inline std::shared_ptr<hawser::Middleware> make_token_auth() {
    using namespace hawser;
    return std::make_shared<TokenAuth>([](Connection& connection, std::string_view token, TokenAuth::Verdict verdict) {
        connection.reactor().post([good = token == "good", verdict = std::move(verdict)] { verdict(good); });
    });
}

/// All of them. `ping_interval` is PingInterval's.
inline std::vector<Stock> all_stock(hawser::Seconds ping_interval, hawser::Seconds pong_timeout) {
    using namespace hawser;
    using Names = std::vector<std::string>;
    using Users = std::map<std::string, std::string, std::less<>>;
    const RateLimits limits{.messages_per_second = 100, .burst = Seconds(0.01)};
    return {
        {"CloseHandler", make<CloseHandler>(), make<CloseHandler>()},
        {"PingResponder", make<PingResponder>(), make<PingResponder>()},
        {"PingInterval", make<PingInterval>(ping_interval, pong_timeout)},
        {"FollowRedirect", {}, make<FollowRedirect>()},
        {"SubprotocolNegotiation", make<SubprotocolNegotiation>(Names{"a", "b"}, true), make<SubprotocolNegotiation>(Names{"b"}, true)},
        {"CompressionExtension", make<CompressionExtension>(DeflateOptions{.threshold = 0}), make<CompressionExtension>()},
        {"Callback", make_shouting},
        {"OriginCheck", make<OriginCheck>(Names{"https://here.test"}, false)},
        {"BasicAuth", make<BasicAuth>(Users{{"anna", "secret"}})},
        {"TokenAuth", make_token_auth},
        {"RateLimit", make<RateLimit>(limits)},
        {"MaxConnectionsPerAddress", make<MaxConnectionsPerAddress>(std::size_t{3})},
    };
}
