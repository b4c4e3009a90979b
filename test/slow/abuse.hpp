#pragma once

#include <map>
#include <optional>

#include "slow/echo_traffic.hpp"
#include "slow/memory.hpp"
#include "slow/peer_process.hpp"
#include "support/loopback.hpp"

namespace support {

/// An echo server that is abused while it serves others, and that counts what it is told.
class AbusedServer {
    NothingLeft nothing_left_;

public:
    explicit AbusedServer(const hawser::Configuration& configuration = {})
        : server(reactor, {.host = "127.0.0.1", .port = 0, .configuration = configuration}) {
        make_echo(server);
        server
            .on_error([this](hawser::Connection*, const hawser::Error& error) {
                // Silence ends nothing.
                if (error.errc() != hawser::Errc::connection_timeout) ++errors[reason_of(error)];
            })
            .on_handshake([this](hawser::Connection& connection, const hawser::Request&, const hawser::Response&) { opened(connection); })
            .on_disconnect([this](hawser::Connection& connection, const hawser::Disconnect&) { ended(connection); });
        server.start();
    }

    std::string uri() const { return "ws://127.0.0.1:" + std::to_string(server.port()) + "/"; }
    template <typename Condition>
    void until(Condition&& condition) {
        const auto is_done = [&] {
            ++turns;
            return condition();
        };
        REQUIRE(run_until(reactor.core(), is_done, std::chrono::minutes(2)));
    }
    void run_for(hawser::Seconds duration) {
        bool is_over = false;
        reactor.after(duration, [&] { is_over = true; });
        until([&] { return is_over; });
    }
    /// Until something can be read from there.
    void until_readable(const Line& line) {
        bool is_ready = false;
        reactor.attach(line.descriptor(), hawser::Readiness::readable, [&](hawser::Readiness) { is_ready = true; });
        until([&] { return is_ready; });
        reactor.detach(line.descriptor());
    }
    /// Until all have ended; then each on_handshake has had its on_disconnect.
    void settle() {
        until([this] { return server.connection_count() == 0 && open.empty(); });
        run_ready(reactor.core());
        CHECK(open.empty());
        CHECK(handshakes == disconnects);
        CHECK(surprises == 0);
    }

    /// Does it twice: the second time takes no more memory than the first, in which tables have grown.
    template <typename Abuse>
    void check_memory(Abuse&& abuse) {
        abuse();
        const Memory before = trimmed_memory();
        abuse();
        const Memory after = trimmed_memory();
        WARN("heap " << before.heap << " -> " << after.heap << " bytes, resident " << before.resident << " -> " << after.resident);
        if (!is_memory_measurable) return;
        CHECK(after.heap < before.heap + 64 * 1024);
        CHECK(after.resident < before.resident + 2 * 1024 * 1024);
    }

    hawser::Reactor reactor;

private:
    NothingAwaited nothing_awaited_{reactor};

    /// What an error says behind the names of the peer and of the step.
    static std::string reason_of(const hawser::Error& error) {
        const std::string what = error.what();
        const std::size_t colon = what.rfind(": ");
        return colon == std::string::npos ? what : what.substr(colon + 2);
    }
    void opened(hawser::Connection& connection) {
        ++handshakes;
        if (!open.emplace(connection.identity(), connection.handle()).second) ++surprises;
        if (on_open) on_open(connection);
    }
    void ended(hawser::Connection& connection) {
        ++disconnects;
        if (open.erase(connection.identity()) != 1) ++surprises;
    }

public:
    hawser::Server server;
    std::function<void(hawser::Connection&)> on_open;
    std::map<std::string, std::size_t> errors;  // how many for each reason
    std::map<std::uint64_t, hawser::ConnectionPtr> open;
    std::size_t handshakes = 0, disconnects = 0, surprises = 0;
    std::size_t turns = 0;  // of the loop
};

}  // namespace support
