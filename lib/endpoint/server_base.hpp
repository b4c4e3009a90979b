#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <hawser/server.hpp>

#include "endpoint/base.hpp"
#include "transport/listener.hpp"

namespace hawser::endpoint {

/// The server behind the public class.
class ServerBase final : public Base {
public:
    ServerBase(Reactor& reactor, ServerOptions options);

    void start();
    void run();
    void stop();
    void disconnect();
    void shutdown(CloseCode code, Seconds deadline);
    /// Reads the files that the "ssl" options name anew, for the handshakes to come.
    void reload_context();

    /// Takes a connection that was accepted.
    void accept(std::unique_ptr<transport::Transport> transport);

    bool is_running() const noexcept { return state_ == State::running; }
    std::uint16_t port() const noexcept;
    bool is_ssl() const noexcept { return options_.ssl; }
    std::string name() const;

    std::size_t connection_count() const noexcept { return open_count_; }
    template <typename Accept>
    Connections connections(Accept&& accept) const;
    std::size_t send(const PreparedMessage& message);
    std::size_t send(const MessageView& message);

    Slot<std::function<Response(const Request&)>> page{};

    Response answer(Link& link, const Request& request) override;
    Response answer_page(Link& link, const Request& request) override;
    void on_open(Link& link) override;
    void on_reconnect(Link& link, const ReconnectRequested& request) override;
    void on_end(Link& link, const Disconnect& ending) override;

protected:
    std::vector<std::shared_ptr<Link>> all_links() const override { return links_; }
    bool is_ticking() const noexcept override { return is_running(); }
    void abandon() override;

private:
    enum class State { idle, running, stopped, shutting_down };

    void open_listener();
    void set_state(State state);
    void end_run();
    template <typename Visit>
    void for_each_link(Visit&& visit);
    void cancel_shutdown();
    void finish_shutdown();

    ServerOptions options_;
    std::unique_ptr<transport::Listener> listener_;
    std::string name_;  // where it listens, or did last
    std::uint16_t port_;  // asked for, then bound
    State state_ = State::idle;
    bool in_run_ = false;
    bool is_descriptor_used_ = false;  // a listener has taken it over
    TimerId shutdown_timer_ = 0;
    std::vector<std::shared_ptr<Link>> links_;  // each knows its index
    std::size_t open_count_ = 0;                // handshake complete
    std::size_t admitted_count_ = 0;            // handshake accepted: what max_connections bounds
};

template <typename Accept>
Connections ServerBase::connections(Accept&& accept) const {
    std::vector<ConnectionPtr> found;
    for (const auto& link : links_)
        if (link->was_open() && link->is_connected() && accept(*link)) found.push_back(link);
    std::sort(found.begin(), found.end(), [](const ConnectionPtr& a, const ConnectionPtr& b) { return a->identity() < b->identity(); });
    return Connections(std::move(found));
}

}  // namespace hawser::endpoint
