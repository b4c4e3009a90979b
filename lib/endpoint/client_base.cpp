#include "endpoint/client_base.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

#include "protocol/handshake.hpp"
#include "types/text.hpp"
#include "types/time.hpp"

namespace hawser::endpoint {

namespace {

/// A connection without a client. If none comes, it ends with the reactor, whoever has a handle of it. It is read until a message comes,
/// so that its end is seen; that message is kept, and what follows waits in the socket.
struct Parked final : connection::Owner, std::enable_shared_from_this<Parked> {
    Parked(reactor::Core& core, std::shared_ptr<Link> parked) noexcept : core_(core), link(std::move(parked)) {}
    ~Parked() {
        if (link) link->orphan();
    }
    Parked(const Parked&) = delete;
    Parked& operator=(const Parked&) = delete;

    std::shared_ptr<connection::Owner> pin() override { return shared_from_this(); }
    Response answer(Link&, const Request&) override { return {}; }
    Response answer_page(Link&, const Request&) override { return {}; }
    void on_open(Link&) override {}
    void on_message(Link& from, const MessageView& message) override {
        if (is_control(message.opcode)) return;
        kept = std::make_unique<Message>(message);
        from.hold(true);
    }
    void on_drain(Link&) override {}
    void want_ticks() override {}
    void on_error(Link&, const Error&) override {}
    void on_reconnect(Link& from, const ReconnectRequested&) override { from.disconnect(); }
    void on_end(Link&, const Disconnect&) override {
        std::erase_if(core_.parked(), [this](const auto& entry) { return entry.second.get() == this; });
    }

private:
    reactor::Core& core_;

public:
    std::shared_ptr<Link> link;
    std::unique_ptr<const Message> kept;
};

/// What ends a connection whose ReconnectRequested leads nowhere.
Error not_followed(const std::string& peer, const ReconnectRequested& request, const Error& why) {
    const Response* redirect = request.response();
    if (!redirect) return Error(Errc::connection_failure, peer + ": cannot connect anew: " + why.what());
    return Error(Errc::handshake_failed, peer + ": the redirect by " + std::to_string(redirect->status) + " is not followed: " + why.what(),
                 *redirect);
}

/// So many ReconnectRequested are followed one after the other, and then no more of those that lead nowhere at once. Attempts that fail
/// wait for so long from then on.
constexpr unsigned max_requests_in_a_row = 16;
constexpr Seconds next_request_pause{1};

/// Does `then` also when `first` throws, which is thrown on behind it.
template <typename First, typename Then>
void both(First&& first, Then&& then) {
    try {
        first();
    } catch (...) {
        then();
        throw;
    }
    then();
}

}  // namespace

ClientBase::ClientBase(Reactor& reactor, std::string_view uri, ClientOptions options)
    : Base(reactor, options.configuration), destination_(Uri(uri)), options_(std::move(options)) {
    check_proxy(configuration());
    update_redirects();
}

// Connecting.

void ClientBase::connect() {
    if (is_connected() || dialer_) return;
    if (is_over()) throw Error(Errc::client_failed, uri().str() + ": the client cannot connect, its reactor is gone");
    go_home();
    begin();
}

/// Connects to where the last redirect led, if there was one.
void ClientBase::begin() {
    prepare_tls();
    running_ = true;
    wanted_ = !is_close_queued_;
    reconnect_due_ = false;
    dialer_.reset();
    cancel_reconnect();
    if (!configuration().persistent || !unpark()) dial_soon();
    update_tick();
}

/// Dials, at once unless callbacks have asked for that again and again.
void ClientBase::dial_soon() {
    if (++attempts_ <= max_requests_in_a_row) return dial();
    reconnect_timer_ = start_timer(next_request_pause, Seconds(0), [this] {
        reconnect_timer_ = 0;
        if (can_secure()) dial();
    });
}

void ClientBase::dial() {
    transport::DialOptions where;
    where.host = uri().host();
    where.port = uri().port();
    where.unix_path = options_.unix_path;
    where.timeout = configuration().timeout;
    where.context = configuration().context;
    where.proxy = parse_proxy(configuration().context.get_option_or("http", "proxy", std::string()));
    dialer_ = transport::Dialer::dial(core(), where, [this](auto result) { dialed(std::move(result)); });
}

void ClientBase::set_configuration(Configuration configuration) {
    configuration.validate();
    check_proxy(configuration);
    // Options that cannot be leave everything as it is.
    if (changes_ssl(configuration)) update_tls(configuration.context);
    Base::set_configuration(std::move(configuration));
    update_redirects();
}

void ClientBase::check_proxy(const Configuration& configuration) const {
    if (!options_.unix_path.empty() && configuration.context.get_option("http", "proxy"))
        throw Error(Errc::invalid_option,
                    "http option \"proxy\" is refused beside the Unix socket " + cited(options_.unix_path) + ": no proxy leads there");
}

void ClientBase::dialed(std::variant<std::unique_ptr<transport::Transport>, Error> result) {
    const auto self = shared_from_this();
    const std::unique_ptr<transport::Dialer> done = std::move(dialer_);
    if (const Error* error = std::get_if<Error>(&result)) {
        // Asking again will not change the answer.
        if (done->is_refused() && !destination_.is_temporary()) wanted_ = false;
        return on_connect_failed(*error);
    }
    const std::optional<Error> misfit = settle_identity();
    connected(std::get<0>(std::move(result)));
    if (misfit) report(*misfit);
}

void ClientBase::connected(std::unique_ptr<transport::Transport> transport) {
    if (uri().is_secure())
        transport = transport::make_tls(std::move(transport), tls_, {uri().host(), uri().host() + ":" + std::to_string(uri().port())});
    Request request;
    try {
        request = protocol::make_request(uri(), request_headers(), core().entropy());
    } catch (const Error& error) {
        // It would be the same the next time.
        wanted_ = false;
        return on_connect_failed(Error(Errc::handshake_failed, uri().str() + ": the request cannot be sent: " + error.what()));
    }
    adopt(std::make_shared<Link>(protocol::Role::client, core(), *this, std::move(transport), settings_, chain_));
    link_->begin(std::move(request));
}

void ClientBase::adopt(std::shared_ptr<Link> link) {
    link_ = std::move(link);
    links_.push_back(link_);
    if (const auto predecessor = std::exchange(predecessor_, nullptr)) link_->take_meta(*predecessor);
}

Headers ClientBase::request_headers() const {
    Headers headers;
    const Context& context = configuration().context;
    for (const std::string& line : context.get_option_or("http", "header", std::vector<std::string>())) {
        const std::size_t colon = line.find(':');
        const std::size_t value = line.find_first_not_of(" \t", colon + 1);
        headers.add(line.substr(0, colon), value == std::string::npos ? std::string() : line.substr(value));
    }
    for (const Header& field : options_.headers) headers.add(field.name, field.value);
    destination_.remove_foreign(headers, context);
    const std::string user_agent = context.get_option_or("http", "user_agent", std::string());
    if (!user_agent.empty() && !headers.has("User-Agent")) headers.add("User-Agent", user_agent);
    return headers;
}

void ClientBase::on_connect_failed(const Error& error) {
    const auto self = shared_from_this();
    if (backoff_) reconnect_after(backoff_->after_failure(error, core().entropy()));
    core().guard([&] { report(error); });
    end_attempts(error);
}

/// Unless another attempt is under way: what was queued is lost, and run() ends.
void ClientBase::end_attempts(const std::optional<Error>& failure) {
    if (is_under_way()) return;
    core().guard([&] { drop_queue(); });
    // The listener that was told may have begun one.
    if (!is_under_way()) end_run(failure);
}

void ClientBase::add_header(std::string name, std::string value) {
    // The value is not shown: it may be a credential.
    if (!is_token(name)) throw Error(Errc::invalid_option, cited(name) + " is not a header field's name");
    if (const std::string_view fault = field_value_fault(value); !fault.empty())
        throw Error(Errc::invalid_option, "the value of the header field " + name + " " + std::string(fault));
    options_.headers.add(std::move(name), std::move(value));
}

void ClientBase::disconnect() {
    dialer_.reset();
    reconnect_due_ = wanted_ = false;
    cancel_reconnect();
    const bool was_connected = is_connected();
    if (was_connected) link_->disconnect();
    // The listener that is told may begin another attempt.
    both([&] { drop_queue(); },
         [&] {
             if (!was_connected && !is_under_way()) end_run(std::nullopt);
         });
}

// Running.

void ClientBase::start() {
    ClientBase::connect();
    running_ = wanted_ = true;
    if (link_) link_->hold(false);
    update_tick();
}

void ClientBase::run() {
    start();
    {
        const RunScope scope(in_run_);
        if (!core().is_running()) run_failure_.reset();
        core().run();
    }
    if (run_failure_) throw Error(*run_failure_);
}

void ClientBase::stop() {
    running_ = wanted_ = false;
    cancel_reconnect();
    if (link_) link_->hold(true);
    if (configuration().persistent) park();
    end_run(std::nullopt);
}

void ClientBase::end_run(const std::optional<Error>& failure) {
    update_tick();
    if (!in_run_) return;
    if (!is_over()) run_failure_ = failure;
    core().stop();
}

void ClientBase::abandon() {
    dialer_.reset();
    queue_.clear();
    running_ = wanted_ = reconnect_due_ = false;
    cancel_reconnect();
    if (configuration().persistent) park();
    Base::abandon();
    links_.clear();
    link_.reset();
    end_run(std::nullopt);
}

// Persistent connections.

std::string ClientBase::parking_key() const {
    std::ostringstream key;
    key << uri().str() << '\n' << uri().user() << '\n' << uri().password() << '\n' << options_.unix_path << '\n';
    for (const Header& field : request_headers()) key << field.name << ':' << field.value << '\n';
    for (const auto& [wrapper, options] : configuration().context.options())
        for (const auto& [name, value] : options) {
            key << wrapper << '.' << name << '=';
            std::visit(
                [&](const auto& content) {
                    using Content = std::decay_t<decltype(content)>;
                    if constexpr (std::is_same_v<Content, std::vector<std::string>>)
                        for (const auto& one : content) key << one << ',';
                    else if constexpr (std::is_same_v<Content, std::map<std::string, std::string>>)
                        for (const auto& [from, to] : content) key << from << '>' << to << ',';
                    else if constexpr (!std::is_same_v<Content, std::monostate>)
                        key << content;
                },
                value);
            key << '\n';
        }
    return key.str();
}

/// Leaves the open connection with the reactor, for the next client that wants the like.
void ClientBase::park() {
    if (!link_ || !link_->is_readable() || !link_->is_writable()) return;
    links_.erase(std::find(links_.begin(), links_.end(), link_));
    const auto parked = std::make_shared<Parked>(core(), std::exchange(link_, nullptr));
    core().parked().emplace(parking_key(), parked);
    parked->link->set_owner(parked.get());
    // The client's own middlewares go with it.
    parked->link->set_chain(stock_chain());
    parked->link->hold(false);
}

bool ClientBase::unpark() {
    auto& parked = core().parked();
    for (auto found = parked.find(parking_key()); found != parked.end(); found = parked.find(parking_key())) {
        const auto place = std::static_pointer_cast<Parked>(found->second);
        const auto link = std::exchange(place->link, nullptr);
        parked.erase(found);
        if (!link->is_readable() || !link->is_writable()) {
            link->orphan();
            continue;
        }
        link->hold(true);
        link->set_owner(this);
        link->set_chain(chain_);
        link->set_settings(settings_);
        adopt(link);
        // on_handshake must not be called from within connect().
        core().post([weak = weak_from_this(), link, place] {
            const auto self = std::static_pointer_cast<ClientBase>(weak.lock());
            const auto is_ours = [&] { return self && self->link_ == link && link->is_connected(); };
            if (is_ours()) link->call([&](connection::Owner& owner) { owner.on_open(*link); });
            if (place->kept && is_ours()) self->deliver(place->kept->view());
            if (self && self->running_) link->hold(false);
        });
        return true;
    }
    return false;
}

/// Shows our middlewares and listeners a message that has passed the connection's own middlewares already.
void ClientBase::deliver(const MessageView& message) {
    const connection::HookListPtr list = chain_->of(connection::Chain::incoming_hook(message.opcode));
    link_->deliver_later(list, list ? list->list.size() : 0, message);
}

Message ClientBase::receive() {
    throw Error(Errc::client_failed, "receive() needs a client that owns its reactor: this one's messages go to its listeners");
}

// What the link asks and tells.

Response ClientBase::answer(Link&, const Request&) { return {}; }
Response ClientBase::answer_page(Link&, const Request&) { return {}; }

void ClientBase::on_open(Link& link) {
    attempts_ = 0;
    if (backoff_) backoff_->opened(core().now());
    // Whatever becomes of what was queued: the handshake is complete, and the application is to hear that.
    core().guard([&] { send_queue(link); });
    Base::on_open(link);
}

void ClientBase::on_reconnect(Link& link, const ReconnectRequested& request) {
    try {
        destination_.follow(request, !options_.unix_path.empty());
    } catch (const Error& error) {
        const Error failure = not_followed(link.remote_name(), request, error);
        // on_disconnect is the last call for its connection.
        return link.is_connected() ? link.fail(failure) : report(failure);
    }
    reconnect_due_ = true;
    link.disconnect();
}

void ClientBase::on_close_requested(const CloseRequested& request) { ClientBase::close(request.status(), request.reason()); }

/// on_error, told of one that leads nowhere, may ask for another, but not for ever.
void ClientBase::on_reconnect_requested(const ReconnectRequested& request) {
    const auto self = shared_from_this();
    std::optional<ReconnectRequested> next(request);
    std::optional<Error> failure;
    for (unsigned left = max_requests_in_a_row; next && left > 0 && !is_over(); --left) {
        if (is_connected()) return on_reconnect(*link_, *next);
        try {
            destination_.follow(*next, !options_.unix_path.empty());
            dialer_.reset();
            return begin();
        } catch (const Error& error) {
            failure.emplace(error);
            next = tell_not_followed(error);
        }
    }
    end_attempts(failure);
}

/// Returns what on_error asks for in turn. Whatever else it throws, the end is seen to.
std::optional<ReconnectRequested> ClientBase::tell_not_followed(const Error& error) {
    std::optional<ReconnectRequested> another;
    log(LogLevel::error, error.what());
    core().guard([&] {
        try {
            emit(slots.error, nullptr, error);
        } catch (const CloseRequested& close) {
            on_close_requested(close);
        } catch (const ReconnectRequested& next) {
            another.emplace(next);
        }
    });
    return another;
}

/// The next attempt begins where redirects have not led yet: they are counted, and found, anew.
void ClientBase::go_home() {
    attempts_ = 0;
    if (destination_.go_home()) predecessor_.reset();
}

/// As the http options "follow_location" and "max_redirects" have it: either asks for it, unless the first is false.
void ClientBase::update_redirects() {
    const Context& context = configuration().context;
    const auto limit = context.get_option_or("http", "max_redirects", std::int64_t{-1});
    if (redirects_) remove_middleware(*std::exchange(redirects_, nullptr));
    if (!context.get_option_or("http", "follow_location", limit >= 0)) return;
    redirects_ = limit < 0 ? std::make_shared<FollowRedirect>() : std::make_shared<FollowRedirect>(static_cast<unsigned>(limit));
    add_middleware(redirects_);
}

// Coming back.

void ClientBase::set_reconnect(const std::optional<ReconnectOptions>& options) {
    // Options that cannot be leave everything as it is.
    backoff_ = options ? std::optional<Backoff>(*options) : std::nullopt;
    if (reconnect_timer_ == 0) return;
    // It comes back by the new times, or not at all.
    cancel_reconnect();
    if (backoff_ && reconnect_after(backoff_->after_end(CloseCode::abnormal, core().now(), core().entropy()))) return;
    both([&] { drop_queue(); },
         [&] {
             if (!is_under_way()) end_run(std::nullopt);
         });
}

void ClientBase::cancel_reconnect() {
    if (reconnect_timer_ != 0) core().cancel(std::exchange(reconnect_timer_, TimerId{0}));
}

bool ClientBase::reconnect_after(std::optional<Seconds> delay) {
    if (!delay || !wanted_) return false;
    cancel_reconnect();
    reconnect_timer_ = start_timer(*delay, Seconds(0), [this] {
        reconnect_timer_ = 0;
        go_home();
        if (can_secure()) dial();
    });
    log(LogLevel::notice, "reconnecting", {{"uri", destination_.home().str()}, {"after", seconds_text(*delay)}});
    return true;
}

bool ClientBase::comes_back_after(const Link& link, const Disconnect& ending) {
    if (!backoff_ || link.closed_here()) return false;
    if (link.was_open()) return reconnect_after(backoff_->after_end(ending.code, core().now(), core().entropy()));
    return ending.error && reconnect_after(backoff_->after_failure(*ending.error, core().entropy(), destination_.is_temporary()));
}

void ClientBase::on_end(Link& link, const Disconnect& ending) {
    const auto self = shared_from_this();
    const auto found = std::find_if(links_.begin(), links_.end(), [&](const auto& one) { return one.get() == &link; });
    if (found != links_.end()) links_.erase(found);
    // Unless the application has begun another attempt already, in on_error say.
    const bool is_last = link_.get() == &link && !dialer_ && reconnect_timer_ == 0;
    const bool comes_back = is_last && (reconnect_due_ || comes_back_after(link, ending));
    if (comes_back && link.is_drain_due()) drain_due_ = true;
    // Whatever becomes of that, the end is told.
    if (is_last && !comes_back) core().guard([&] { drop_queue(); });
    Base::on_end(link, ending);
    // Asked for before, or by on_disconnect, which may as well have destroyed the client.
    if (link_.get() == &link && std::exchange(reconnect_due_, false)) {
        predecessor_ = link_;
        try {
            begin();
        } catch (const Error& error) {
            // Options that TLS cannot have, behind a redirect to wss. They would be wrong the next time too.
            wanted_ = false;
            return on_connect_failed(error);
        }
    }
    // The application may have begun another connection in its listener.
    if (link_.get() == &link && !dialer_ && reconnect_timer_ == 0) end_run(link.was_open() ? std::nullopt : ending.error);
}

}  // namespace hawser::endpoint
