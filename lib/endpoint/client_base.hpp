#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <hawser/client.hpp>
#include <hawser/stock_middlewares.hpp>

#include "endpoint/backoff.hpp"
#include "endpoint/base.hpp"
#include "endpoint/destination.hpp"
#include "transport/dialer.hpp"

namespace hawser::endpoint {

/// What a message that is kept counts: one without content takes memory too.
inline std::size_t kept_size(std::size_t length) noexcept { return sizeof(Message) + length; }

/// The client behind the public class, as it works without blocking.
class ClientBase : public Base {
public:
    ClientBase(Reactor& reactor, std::string_view uri, ClientOptions options);

    /// Begins to connect, unless connected or connecting.
    virtual void connect();
    virtual void disconnect();
    void start();
    void run();
    void stop();
    void set_configuration(Configuration configuration) override;
    /// Reads the files that the "ssl" options name anew, for the connections to come.
    void reload_context();
    virtual SendStatus send(const MessageView& message);
    virtual SendStatus close(CloseCode code, std::string_view reason);
    /// The blocking style's; without that it throws.
    virtual Message receive();

    bool is_running() const noexcept { return running_; }
    bool is_connected() const noexcept { return link_ && link_->is_connected(); }
    bool is_open() const noexcept { return is_connected() && link_->was_open(); }
    bool is_connecting() const noexcept { return dialer_ != nullptr || (is_connected() && !link_->was_open()); }
    /// There is a connection that has not ended, or one is about to be: now, or when it comes back.
    bool is_under_way() const noexcept { return dialer_ != nullptr || reconnect_timer_ != 0 || !links_.empty(); }
    const Uri& uri() const noexcept { return destination_.uri(); }
    const std::shared_ptr<Link>& link() const noexcept { return link_; }
    void add_header(std::string name, std::string value);
    void set_reconnect(const std::optional<ReconnectOptions>& options);

    /// Uses a transport that is there already instead of dialing.
    void connected(std::unique_ptr<transport::Transport> transport);

    Response answer(Link& link, const Request& request) override;
    Response answer_page(Link& link, const Request& request) override;
    void on_open(Link& link) override;
    void on_reconnect(Link& link, const ReconnectRequested& request) override;
    void on_end(Link& link, const Disconnect& ending) override;

protected:
    std::vector<std::shared_ptr<Link>> all_links() const override { return links_; }
    bool is_ticking() const noexcept override { return running_ && (is_connected() || dialer_ || reconnect_timer_ != 0); }
    /// Reads messages, from now on.
    void read_on();
    bool is_waiting_to_reconnect() const noexcept { return reconnect_timer_ != 0; }
    /// A Close waits behind what was queued.
    bool is_close_queued() const noexcept { return is_close_queued_; }
    void abandon() override;
    void on_close_requested(const CloseRequested& request) override;
    void on_reconnect_requested(const ReconnectRequested& request) override;
    /// The attempt to connect came to nothing.
    virtual void on_connect_failed(const Error& error);

private:
    void dialed(std::variant<std::unique_ptr<transport::Transport>, Error> result);
    bool is_sendable(const MessageView& message);
    SendStatus enqueue(const MessageView& message);
    void keep(const MessageView& message);
    void send_queue(Link& link);
    void drop_queue();
    void tell_lost();
    void end_run(const std::optional<Error>& failure);
    void adopt(std::shared_ptr<Link> link);
    void begin(bool starts);
    void dial_soon();
    void dial_after(Seconds delay);
    void end_attempts(const std::optional<Error>& failure);
    std::optional<ReconnectRequested> tell_not_followed(const Error& error);
    void dial();
    void prepare_tls();
    bool can_secure();
    void go_home();
    void check_proxy(const Configuration& configuration) const;
    bool reconnect_after(std::optional<Seconds> delay);
    bool comes_back_after(const Link& link, const Disconnect& ending);
    void update_redirects();
    void cancel_reconnect();
    Headers request_headers() const;
    std::string parking_key() const;
    void park();
    bool unpark();
    void take_over_later();
    void take_over();
    void deliver(const MessageView& message);

    struct Parked;
    /// Queued messages that did not leave, and of which on_error has not heard yet.
    struct Lost {
        std::size_t kept = 0, crowded = 0, ended = 0, unconnected = 0;
    };

    Destination destination_;
    ClientOptions options_;
    std::unique_ptr<transport::Dialer> dialer_;
    std::shared_ptr<Link> link_;                // the present one, or the last
    std::vector<std::shared_ptr<Link>> links_;  // those that have not ended: the present one, and one on its way out
    std::deque<Message> queue_;                 // sent before the handshake was complete
    std::size_t queued_bytes_ = 0;
    Lost lost_;
    bool is_sending_ = false;  // the queue
    unsigned attempts_ = 0;    // begun since connect() was called or a handshake was complete, but for redirects
    bool is_close_queued_ = false;
    bool drain_due_ = false;  // more than the high-water mark was queued, or waited when the last link ended
    std::shared_ptr<FollowRedirect> redirects_;  // by http options
    std::optional<Error> run_failure_;           // what run() throws
    std::optional<Backoff> backoff_;             // set: comes back by itself
    TimerId reconnect_timer_ = 0;        // until the next attempt
    bool by_backoff_ = false;            // that is one of the backoff's
    std::shared_ptr<Parked> unparked_;   // where link_ came from, until the application has been shown what happened there
    std::shared_ptr<Link> predecessor_;  // whose meta data go to the next link
    bool wanted_ = false;                // the application has not asked for the end
    bool running_ = false;
    bool in_run_ = false;
    bool reconnect_due_ = false;
};

}  // namespace hawser::endpoint
