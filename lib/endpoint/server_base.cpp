#include "endpoint/server_base.hpp"

#include <utility>

#include "protocol/handshake.hpp"

namespace hawser::endpoint {

namespace {

/// What a client that found the server full is told to wait, in seconds.
constexpr const char* retry_after = "5";

Response unavailable(const char* reason) {
    Response response = protocol::refuse_response({503, reason});
    response.headers.add("Retry-After", retry_after);
    return response;
}

}  // namespace

ServerBase::ServerBase(Reactor& reactor, ServerOptions options)
    : Base(reactor, options.configuration, transport::TlsRole::server), options_(std::move(options)), port_(options_.port.value_or(options_.ssl ? 443 : 80)) {
    if (!options_.unix_path.empty() || options_.descriptor >= 0) port_ = 0;
}

void ServerBase::open_listener() {
    if (is_descriptor_used_) {
        throw Error(Errc::server_failed, "cannot listen on " + name_ + " again: descriptor " + std::to_string(options_.descriptor) +
                                             " was used up by the start() before, and closed when the server stopped listening");
    }
    reload_context();
    transport::ListenOptions where;
    where.host = options_.host;
    where.port = port_;
    where.unix_path = options_.unix_path;
    where.descriptor = options_.descriptor;
    where.context = configuration().context;
    listener_ = transport::Listener::open(
        core(), where, [this](std::unique_ptr<transport::Transport> transport) { accept(std::move(transport)); },
        [this](const Error& error) { report(error); });
    const transport::Address bound = listener_->address();
    port_ = bound.port();
    name_ = bound.str();
    is_descriptor_used_ = options_.descriptor >= 0;
}

void ServerBase::reload_context() {
    if (!options_.ssl) return;
    if (is_over()) throw Error(Errc::server_failed, "the server reads no files again: its reactor is gone");
    load_tls();
}

void ServerBase::start() {
    if (state_ == State::running) return;
    if (is_over()) throw Error(Errc::server_failed, "the server cannot start: its reactor is gone");
    if (!listener_) open_listener();
    cancel_shutdown();
    set_state(State::running);
    log(LogLevel::info, "listening", {{"address", name_}});
}

void ServerBase::set_state(State state) {
    state_ = state;
    const bool running = state == State::running;
    if (listener_) listener_->set_accepting(running);
    for (const auto& link : all_links()) link->hold(state == State::stopped);
    update_tick();
}

void ServerBase::run() {
    start();
    const FlagScope scope(in_run_);
    core().run();
}

void ServerBase::end_run() {
    if (in_run_) core().stop();
}

void ServerBase::stop() {
    if (state_ == State::running) set_state(State::stopped);
    end_run();
}

void ServerBase::disconnect() {
    listener_.reset();
    for (const auto& link : all_links()) link->disconnect();
    set_state(State::idle);
    finish_shutdown();
}

void ServerBase::shutdown(CloseCode code, Seconds deadline) {
    if (!(deadline >= Seconds(0))) throw Error(Errc::invalid_option, "the deadline of a shutdown is negative");
    if (is_over()) return;
    cancel_shutdown();
    shutdown_timer_ = start_timer(deadline, Seconds(0), [this] {
        shutdown_timer_ = 0;
        disconnect();
    });
    listener_.reset();
    set_state(State::shutting_down);
    for_each_link([&](Link& link) {
        // A hook that saw the Close of another may have started, ended or destroyed the server.
        if (state_ != State::shutting_down) return;
        if (link.was_open())
            link.close(code);
        else
            link.disconnect();
    });
    if (state_ == State::shutting_down && links_.empty()) finish_shutdown();
}

/// Visits each link that there is now, whichever ends meanwhile; what is thrown at one is thrown on when all have had their turn.
template <typename Visit>
void ServerBase::for_each_link(Visit&& visit) {
    std::exception_ptr thrown;
    for (const std::shared_ptr<Link>& link : all_links()) {
        try {
            visit(*link);
        } catch (...) {
            if (!thrown) thrown = std::current_exception();
        }
    }
    if (thrown) std::rethrow_exception(thrown);
}

void ServerBase::cancel_shutdown() {
    if (shutdown_timer_ != 0) core().cancel(std::exchange(shutdown_timer_, TimerId{0}));
}

void ServerBase::finish_shutdown() {
    cancel_shutdown();
    state_ = State::idle;
    end_run();
}

void ServerBase::abandon() {
    listener_.reset();
    cancel_shutdown();
    listen(page, std::function<Response(const Request&)>());
    state_ = State::idle;
    Base::abandon();
    links_.clear();
    open_count_ = admitted_count_ = 0;
    end_run();
}

void ServerBase::accept(std::unique_ptr<transport::Transport> transport) {
    const auto self = shared_from_this();
    if (const auto misfit = settle_identity()) {
        core().guard([&] { report(*misfit); });
        // The listener that was told may have ended the server.
        if (state_ == State::idle) return;
    }
    if (tls()) transport = transport::make_tls(std::move(transport), tls());
    const auto link = std::make_shared<Link>(protocol::Role::server, core(), *this, std::move(transport), settings_, chain_);
    link->index = static_cast<std::uint32_t>(links_.size());
    links_.push_back(link);
    // The listener that was told may have stopped the server.
    link->hold(state_ == State::stopped);
    link->begin();
}

std::uint16_t ServerBase::port() const noexcept { return port_; }
std::string ServerBase::name() const { return name_; }

// What links ask and tell.

Response ServerBase::answer(Link& link, const Request& request) {
    if (state_ == State::shutting_down) return unavailable("the server is shutting down");
    const std::size_t bound = configuration().max_connections;
    if (bound != 0 && admitted_count_ >= bound) return unavailable("the server has as many connections as it may have");
    link.admitted = true;
    ++admitted_count_;
    return protocol::accept_response(request);
}

Response ServerBase::answer_page(Link&, const Request& request) {
    if (!page) return protocol::refuse_response({426, "only WebSocket connections are accepted here"});
    const Slot<std::function<Response(const Request&)>> function = page;
    return (*function)(request);
}

void ServerBase::on_open(Link& link) {
    ++open_count_;
    if (state_ == State::shutting_down) {
        link.close(CloseCode::going_away);
        return;
    }
    Base::on_open(link);
}

void ServerBase::on_reconnect(Link& link, const ReconnectRequested&) { link.disconnect(); }

void ServerBase::on_end(Link& link, const Disconnect& ending) {
    const auto self = shared_from_this();
    const std::shared_ptr<Link> ended = std::move(links_[link.index]);
    if (link.index + 1 != links_.size()) {
        links_[link.index] = std::move(links_.back());
        links_[link.index]->index = link.index;
    }
    links_.pop_back();
    if (link.was_open()) --open_count_;
    if (link.admitted) --admitted_count_;
    Base::on_end(link, ending);
    if (state_ == State::shutting_down && links_.empty()) finish_shutdown();
}

// Broadcast.

std::size_t ServerBase::send(const PreparedMessage& message) {
    std::size_t taken = 0;
    for_each_link([&](Link& link) {
        const SendStatus status = link.is_writable() ? link.send(message) : SendStatus::closed;
        if (status == SendStatus::ok || status == SendStatus::backpressure) ++taken;
    });
    return taken;
}

std::size_t ServerBase::send(const MessageView& message) {
    if (open_count_ == 0) return 0;
    try {
        return send(PreparedMessage(message, configuration().frame_size));
    } catch (const Error& error) {
        report(error);
        return 0;
    }
}

}  // namespace hawser::endpoint
