#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "support/certificates.hpp"
#include "support/loopback.hpp"

namespace support {

using SslOptions = std::map<std::string, OptionValue>;

inline Configuration with_ssl(const SslOptions& options) {
    Configuration configuration;
    configuration.timeout = Seconds(20);
    configuration.context.set_options({{"ssl", options}});
    return configuration;
}

/// A wss server on a free loopback port that echoes, and what it was told.
class TlsLoopback {
    NothingLeft nothing_left_;

public:
    explicit TlsLoopback(SslOptions options = {}) : server(reactor, {.host = "127.0.0.1", .port = 0, .ssl = true, .configuration = {}}) {
        const Authority& authority = Authority::instance();
        options.try_emplace("local_cert", authority.leaf_file);
        if (std::get<std::string>(options["local_cert"]) == authority.leaf_file) options.try_emplace("local_pk", authority.key_file);
        server.set_configuration(with_ssl(options));
        server.on_error([this](Connection*, const Error& error) { errors.push_back(error); })
            .on_handshake([this](Connection& connection, const Request&, const Response&) { opened.push_back(connection.handle()); })
            .on_disconnect([this](Connection&, const Disconnect& ending) { endings.push_back(ending); })
            .on_text([](Connection& connection, MessageView m) { connection.text(m.content); })
            .on_binary([](Connection& connection, MessageView m) { connection.binary(m.content); });
        server.start();
    }
    std::string uri(const std::string& host = "localhost", const std::string& scheme = "wss") const {
        return scheme + "://" + host + ":" + std::to_string(server.port()) + "/";
    }
    template <typename Condition>
    void until(Condition&& condition) {
        REQUIRE(run_until(reactor.core(), condition));
    }
    Descriptor dial() const { return connect_to(transport::Address::literal("127.0.0.1", server.port())); }

    Reactor reactor;

private:
    NothingAwaited nothing_awaited_{reactor};

public:
    Server server;
    std::vector<Error> errors;
    std::vector<Disconnect> endings;
    std::vector<ConnectionPtr> opened;
};

/// A client's options: it trusts the test's root.
inline SslOptions trusting(SslOptions options = {}) {
    options.try_emplace("cafile", Authority::instance().root_file);
    return options;
}

/// What became of one attempt to connect and to have a message echoed.
struct Attempt {
    bool echoed = false;
    std::optional<Error> error{};
    std::optional<TlsInfo> tls{};
    std::string failure() const { return error ? error->what() : std::string(); }
};

inline Attempt attempt(TlsLoopback& loop, const std::string& uri, const SslOptions& options, Client* kept = nullptr) {
    Attempt result;
    bool ended = false;
    std::optional<Client> own;
    if (!kept) own.emplace(loop.reactor, uri, ClientOptions{{}, {}, with_ssl(options)});
    Client& client = kept ? *kept : *own;
    client
        .on_text([&](Connection& connection, MessageView m) {
            result.echoed = m.content == "hello";
            connection.close();
        })
        .on_handshake([&](Connection& connection, const Request&, const Response&) {
            if (connection.tls()) result.tls = *connection.tls();
        })
        .on_error([&](Connection*, const Error& error) {
            if (!result.error) result.error = error;
            ended = ended || error.level() != ErrorLevel::message;
        })
        .on_disconnect([&](Connection&, const Disconnect&) { ended = true; });
    client.text("hello");
    loop.until([&] { return ended && !client.is_connected(); });
    return result;
}

}  // namespace support
