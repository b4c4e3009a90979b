#pragma once

#include <ev.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/loop_fixture.hpp"
#include "support/tls_loopback.hpp"

namespace support {

/// How the endpoints of a stage meet.
enum class Setting { ws, wss, borrowed_loop, blocking, persistent };

/// A server and a client, each with a listener for everything and a middleware with every hook, and a second server to fail over to.
/// One callback, known by its name ("client.on_text"), may be given something to do, which it does once.
class Stage {
public:
    using Action = std::function<void(Stage&, Connection*)>;

    explicit Stage(Setting setting);
    ~Stage();
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;

    /// Completes the opening handshake.
    void open();
    /// What the next callback of this name does.
    void give(std::string callback, Action action);
    /// Calls, and takes what that throws.
    template <typename Call>
    void calls(Call&& call) {
        try {
            call();
        } catch (const std::exception& error) {
            thrown.emplace_back(error.what());
        }
    }
    /// Runs all loops until the condition holds and nothing is left to be done, or for some seconds.
    template <typename Condition>
    void run_until(Condition&& condition);
    void rest() {
        run_until([] { return true; });
    }

    std::string uri() const;
    std::string other_uri() const;
    bool is_blocking() const noexcept { return setting_ == Setting::blocking; }
    void destroy_server();
    void destroy_client();
    /// New ones, which are told the same.
    void replace_listeners(const std::string& callback);
    void remove_middleware(const std::string& callback);
    ConnectionPtr at_server() const { return server ? server->connections().first() : nullptr; }

private:
    NothingLeft nothing_left_;
    Setting setting_;
    NativeLoop native_;

public:
    std::unique_ptr<Reactor> reactor;  ///< of the servers, and of a client that does not block
    std::unique_ptr<Server> server, other;
    std::unique_ptr<Client> client;
    Descriptor visitor;
    bool acted = false;
    /// Callbacks that came, those that came behind their endpoint's or their connection's end, and what left calls and loops.
    std::set<std::string> came;
    std::vector<std::string> late, thrown;
    int failovers = 0;

private:
    template <typename Self>
    void listen(ChainedEndpoint<Self>& endpoint, const std::string& side);
    std::shared_ptr<Callback> make_hooks(const std::string& side);
    void happened(const std::string& callback, Connection* connection);
    bool iterate();
    ServerOptions server_options() const;

    std::shared_ptr<Callback> hooks_at_server_, hooks_at_client_;
    std::string callback_;
    Action action_;
    std::set<std::string> gone_;             // sides
    std::map<std::string, std::set<std::uint64_t>> ended_;  // by side
    std::uint64_t happenings_ = 0;
};

template <typename Condition>
void Stage::run_until(Condition&& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    // What one end sends the other finds in its next iteration.
    for (int quiet = 0; quiet < 8 && std::chrono::steady_clock::now() < end;) {
        const std::uint64_t before = happenings_;
        iterate();
        quiet = condition() && happenings_ == before ? quiet + 1 : 0;
    }
}

}  // namespace support
