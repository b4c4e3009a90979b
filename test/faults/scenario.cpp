#include "faults/scenario.hpp"

#include <cstdio>
#include <optional>

#include <hawser/hawser.hpp>

#include "support/certificates.hpp"
#include "support/dns_server.hpp"
#include "support/run_until.hpp"
#include "transport/resolver.hpp"

namespace faults {
namespace {

using namespace hawser;

/// Longer than any deadline of the scenario's: what has not ended by then never does.
constexpr std::chrono::seconds far_too_long{20};

void told(Outcome& outcome, const char* what) {
    if (!std::exchange(outcome.is_told, true)) std::snprintf(outcome.first_told.data(), outcome.first_told.size(), "%s", what);
}

class Echo {
public:
    explicit Echo(Scenario scenario) : scenario_(scenario) {}

    Outcome play() {
        attempt([&] { begin(); });
        const auto end = std::chrono::steady_clock::now() + far_too_long;
        while (!is_over() && std::chrono::steady_clock::now() < end) {
            attempt([&] { reactor_->run_once(Seconds(0.05)); });
            // What was lost with an exception of a callback's is not waited for.
            if (outcome_.is_told && client_) client_->disconnect();
            if (outcome_.is_told && server_) attempt([&] { server_->disconnect(); });
        }
        outcome_.is_over = is_over();
        outcome_.is_whole = echoed_ == sent_ && sent_ == 4 && pongs_ == 1 && clean_ == 2;
        outcome_.is_balanced = handshakes_ == disconnects_ && late_ == 0;
        return outcome_;
    }

private:
    template <typename Work>
    void attempt(Work&& work) {
        try {
            work();
        } catch (const std::exception& exception) {
            tell(exception.what());
        }
    }
    void tell(const char* what) { told(outcome_, what); }
    bool is_over() const {
        if (!client_) return true;
        const bool is_ended = is_ended_ || (outcome_.is_told && !client_->is_connected());
        return is_ended && handshakes_ == disconnects_ && server_->connections().empty();
    }

    Configuration configuration() const {
        Configuration configuration;
        configuration.timeout = configuration.handshake_timeout = configuration.close_timeout = Seconds(2);
        if (scenario_ == Scenario::tls) {
            const support::Authority& authority = support::Authority::instance();
            configuration.context.set_options(
                {{"ssl", {{"local_cert", authority.leaf_file}, {"local_pk", authority.key_file}, {"cafile", authority.root_file}}}});
        }
        return configuration;
    }

    void begin() {
        reactor_.emplace();
        ServerOptions options{.host = "127.0.0.1", .port = 0, .ssl = scenario_ == Scenario::tls, .configuration = configuration()};
        if (scenario_ == Scenario::unix_socket) options.unix_path = folder_.emplace().file("socket");
        server_.emplace(*reactor_, options);
        listen(*server_);
        server_->on_text([](Connection& connection, MessageView message) { connection.text(message.content); })
            .on_binary([](Connection& connection, MessageView message) { connection.binary(message.content); });
        server_->start();
        const std::string port = scenario_ == Scenario::unix_socket ? "80" : std::to_string(server_->port());
        client_.emplace(*reactor_, (scenario_ == Scenario::tls ? "wss://localhost:" : "ws://127.0.0.1:") + port + "/",
                        ClientOptions{.unix_path = options.unix_path, .configuration = configuration()});
        if (scenario_ == Scenario::compressed) {
            server_->add_middleware(std::make_shared<CompressionExtension>());
            client_->add_middleware(std::make_shared<CompressionExtension>());
        }
        listen(*client_);
        client_->on_text([this](Connection&, MessageView message) { received(message); })
            .on_binary([this](Connection&, MessageView message) { received(message); })
            .on_pong([this](Connection&, MessageView) { ++pongs_; });
        for (const std::size_t size : {5u, 0u, 300'000u, 1'000u}) {
            const std::string content(size, 'x');
            const SendStatus status = size % 2 == 0 ? client_->binary(content) : client_->text(content);
            if (status == SendStatus::ok || status == SendStatus::backpressure) ++sent_;
            if (size == 0) client_->ping("p");
        }
    }

    void received(MessageView message) {
        ++echoed_;
        if (message.content.size() != 1'000) return;
        if (scenario_ == Scenario::half_close)
            client_->connection()->close_write();
        else
            client_->close();
    }

    template <typename Endpoint>
    void listen(Endpoint& endpoint) {
        constexpr bool is_client = std::is_same_v<Endpoint, Client>;
        endpoint.on_handshake([this](Connection&, const Request&, const Response&) { ++handshakes_; })
            .on_error([this](Connection*, const Error& error) {
                tell(error.what());
                // Without a connection there is no on_disconnect to wait for.
                if (is_client && error.level() != ErrorLevel::message) is_ended_ = true;
            })
            .on_disconnect([this](Connection&, const Disconnect& ending) {
                ++disconnects_;
                if (disconnects_ > handshakes_) ++late_;
                if (ending.clean || (scenario_ == Scenario::half_close && echoed_ == 4))
                    ++clean_;
                else
                    tell("the connection ended uncleanly");
                if (is_client) is_ended_ = true;
            });
    }

    const Scenario scenario_;
    std::optional<support::TemporaryDirectory> folder_;
    std::optional<Reactor> reactor_;
    std::optional<Server> server_;
    std::optional<Client> client_;
    Outcome outcome_;
    std::size_t sent_ = 0, echoed_ = 0, pongs_ = 0, handshakes_ = 0, disconnects_ = 0, clean_ = 0, late_ = 0;
    bool is_ended_ = false;
};

/// Of a name that only a server on loopback knows.
Outcome look_up() {
    Outcome outcome;
    outcome.is_balanced = true;
    try {
        Reactor reactor;
        support::DnsServer dns(reactor.core());
        dns["host.test"] = {support::DnsServer::Answer::addresses, {"127.0.0.1"}, {"::1"}};
        std::optional<transport::Resolver::Result> result;
        const auto resolver = transport::Resolver::resolve(reactor.core(), "host.test", 80,
                                                           [&](transport::Resolver::Result found) { result = std::move(found); },
                                                           {dns.str(), Seconds(0.05), 2});
        const auto end = std::chrono::steady_clock::now() + far_too_long;
        while (!result && std::chrono::steady_clock::now() < end) reactor.run_once(Seconds(0.05));
        outcome.is_over = result.has_value();
        // c-ares makes do with the family of addresses that it got.
        outcome.is_whole = result && !result->addresses.empty();
        if (result && !result->failure.empty()) told(outcome, result->failure.c_str());
    } catch (const std::exception& exception) {
        outcome.is_over = true;
        told(outcome, exception.what());
    }
    return outcome;
}

}  // namespace

Outcome play(Scenario scenario) { return scenario == Scenario::look_up ? look_up() : Echo(scenario).play(); }

}  // namespace faults
