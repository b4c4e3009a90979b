#include "endpoint/client_base.hpp"

#include <algorithm>
#include <utility>

#include "protocol/handshake.hpp"
#include "types/text.hpp"
#include "types/time.hpp"

namespace hawser::endpoint {

namespace {

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

}  // namespace

ClientBase::ClientBase(Reactor& reactor, std::string_view uri, ClientOptions options)
    : Base(reactor, options.configuration, transport::TlsRole::client), destination_(Uri(uri)), options_(std::move(options)) {
    check_proxy(configuration());
    update_redirects();
}

// Connecting.

void ClientBase::connect() {
    if (is_connected() || dialer_) return;
    if (is_over()) throw Error(Errc::client_failed, uri().str() + ": the client cannot connect, its reactor is gone");
    go_home();
    begin(true);
}

/// Connects to where the last redirect led, if there was one. What a callback asked for leaves a client that is stopped as it is.
void ClientBase::begin(bool starts) {
    prepare_tls();
    running_ = running_ || starts;
    wanted_ = running_ && !is_close_queued_;
    reconnect_due_ = false;
    dialer_.reset();
    cancel_reconnect();
    if (!configuration().persistent || !unpark()) dial_soon();
    update_tick();
}

/// Dials, at once unless callbacks have asked for that again and again. Who follows redirects counts them.
void ClientBase::dial_soon() {
    if (destination_.is_redirected() || ++attempts_ <= max_requests_in_a_row) return dial();
    by_backoff_ = false;
    dial_after(next_request_pause);
}

void ClientBase::dial_after(Seconds delay) {
    cancel_reconnect();
    reconnect_timer_ = start_timer(delay, Seconds(0), [this] {
        reconnect_timer_ = 0;
        if (by_backoff_) go_home();
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
    check_proxy(configuration);
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
    const std::optional<Error> misfit = uri().is_secure() ? settle_identity() : std::nullopt;
    connected(std::get<0>(std::move(result)));
    if (link_ && !running_) link_->hold(true);
    if (misfit) report(*misfit);
}

void ClientBase::connected(std::unique_ptr<transport::Transport> transport) {
    if (uri().is_secure())
        transport = transport::make_tls(std::move(transport), tls(), {uri().host(), uri().host() + ":" + std::to_string(uri().port())});
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
    unparked_.reset();
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
    wanted_ = true;
    read_on();
}

void ClientBase::read_on() {
    running_ = true;
    if (unparked_)
        take_over_later();
    else if (link_)
        link_->hold(false);
    update_tick();
}

void ClientBase::run() {
    start();
    {
        const FlagScope scope(in_run_);
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
    unparked_.reset();
    end_run(std::nullopt);
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

/// A Close that cannot be sent is a failed callback's: the connection's, if there is one.
void ClientBase::on_close_requested(const CloseRequested& request) {
    if (connection::is_possible(request))
        ClientBase::close(request.status(), request.reason());
    else if (is_connected())
        link_->call([](connection::Owner&) { throw; });
    else
        Base::on_close_requested(request);
}

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
            return begin(false);
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
    if (reconnect_timer_ == 0 || !by_backoff_) return;
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
    by_backoff_ = true;
    dial_after(*delay);
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
    core().guard([&] { is_last && !comes_back ? drop_queue() : tell_lost(); });
    Base::on_end(link, ending);
    // Asked for before, or by on_disconnect, which may as well have destroyed the client.
    if (link_.get() == &link && std::exchange(reconnect_due_, false)) {
        predecessor_ = link_;
        try {
            begin(false);
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
