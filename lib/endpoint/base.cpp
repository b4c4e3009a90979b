#include "endpoint/base.hpp"

#include <algorithm>
#include <utility>

namespace hawser::endpoint {

Base::Base(Reactor& reactor, Configuration configuration, transport::TlsRole role)
    : reactor_(reactor),
      core_(reactor.core().shared_from_this()),
      close_handler_(std::make_shared<CloseHandler>()),
      ping_responder_(std::make_shared<PingResponder>()),
      role_(role) {
    configuration.validate();
    settings_ = std::make_shared<const Configuration>(std::move(configuration));
    chain_ = stock_chain();
    core().enter(*this);
}

Base::~Base() {
    if (!is_over_) core().leave(*this);
}

void Base::set_configuration(Configuration configuration) {
    configuration.validate();
    // Options that cannot be leave everything as it is.
    if (changes_ssl(configuration)) update_tls(configuration.context);
    const Link::Settings before = std::exchange(settings_, std::make_shared<const Configuration>(std::move(configuration)));
    // A connection that was given settings of its own keeps them.
    for (const auto& link : all_links())
        if (&link->configuration() == before.get()) link->set_settings(settings_);
    if (tick_timer_ == 0 || before->tick_interval == settings_->tick_interval) return;
    core().cancel(std::exchange(tick_timer_, TimerId{0}));
    update_tick();
}

void Base::set_context(Context context) {
    if (context.options() == configuration().context.options()) return update_tls(context);
    Configuration changed = configuration();
    changed.context = std::move(context);
    set_configuration(std::move(changed));
}

// TLS.

/// Whether the "ssl" options are others than the present ones.
bool Base::changes_ssl(const Configuration& configuration) const {
    const auto ssl_of = [](const Configuration& of) {
        const Context::Options& options = of.context.options();
        const auto found = options.find("ssl");
        return found != options.end() ? found->second : Context::Options::mapped_type();
    };
    return ssl_of(configuration) != ssl_of(*settings_);
}

/// Makes anew what the "ssl" options of this context ask for, if it was made before. Throws, and keeps the old, for those that cannot be.
void Base::update_tls(const Context& context) {
    if (!tls_ || is_over()) return;
    try {
        tls_ = transport::make_tls_context(core(), role_, context);
        is_identity_due_ = false;
    } catch (const transport::IdentityMismatch&) {
        // The option that is missing may follow: the next handshake tells, and until then it goes on with what there is.
        is_identity_due_ = true;
    }
}

void Base::load_tls() {
    tls_ = transport::make_tls_context(core(), role_, configuration().context);
    is_identity_due_ = false;
}

std::optional<Error> Base::settle_identity() {
    if (!std::exchange(is_identity_due_, false)) return std::nullopt;
    try {
        load_tls();
        return std::nullopt;
    } catch (const Error& error) {
        return error;
    }
}

void Base::end() noexcept {
    const auto self = shared_from_this();
    if (std::exchange(is_over_, true)) return;
    core().leave(*this);
    abandon();
}

void Base::abandon() {
    if (tick_timer_ != 0) core().cancel(std::exchange(tick_timer_, TimerId{0}));
    Slots gone;
    std::swap(gone, slots);
    if (depth_ != 0) retired_.push_back(std::make_shared<const Slots>(std::move(gone)));
    for (const auto& link : all_links()) link->orphan();
}

void Base::drop_retired() noexcept { std::exchange(retired_, {}).clear(); }

Base::Slot<Listeners::OnMessage>& Base::message_slot(Opcode opcode) noexcept {
    switch (opcode) {
        case Opcode::text: return slots.text;
        case Opcode::binary: return slots.binary;
        case Opcode::ping: return slots.ping;
        case Opcode::pong: return slots.pong;
        case Opcode::close: break;
    }
    return slots.close;
}

// Middlewares.

connection::ChainPtr Base::stock_chain() const {
    return std::make_shared<const connection::Chain>(connection::Middlewares{close_handler_, ping_responder_});
}

void Base::add_middleware(std::shared_ptr<Middleware> middleware) {
    if (!middleware) throw Error(Errc::invalid_option, "a middleware is null");
    connection::Middlewares all = chain_->middlewares();
    all.push_back(std::move(middleware));
    set_middlewares(std::move(all));
}

bool Base::remove_middleware(const Middleware& middleware) {
    connection::Middlewares all = chain_->middlewares();
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.get() == &middleware; });
    if (found == all.end()) return false;
    all.erase(found);
    set_middlewares(std::move(all));
    return true;
}

void Base::set_middlewares(connection::Middlewares middlewares) {
    chain_ = std::make_shared<const connection::Chain>(std::move(middlewares));
    for (const auto& link : all_links()) link->set_chain(chain_);
    update_tick();
}

// The tick.

TimerId Base::start_timer(Seconds delay, Seconds repeat, std::function<void()> function) {
    return core().start_timer(delay, repeat, [weak = weak_from_this(), function = std::move(function)] {
        if (const auto self = weak.lock()) function();
    });
}

void Base::update_tick() {
    const bool needed = is_ticking() && (slots.tick || links_tick_ || chain_->of(Hook::tick));
    if (needed == (tick_timer_ != 0)) return;
    if (!needed) {
        core().cancel(std::exchange(tick_timer_, TimerId{0}));
        return;
    }
    const Seconds interval = settings_->tick_interval;
    tick_timer_ = start_timer(interval, interval, [this] { tick(); });
}

void Base::want_ticks() {
    links_tick_ = true;
    update_tick();
}

void Base::tick() {
    for (const auto& link : all_links())
        if (link->was_open()) link->tick();
    steered([&] {
        try {
            emit(slots.tick);
        } catch (const Error& error) {
            if (error.level() > ErrorLevel::connection) throw;
            report(error);
        }
    });
}

/// Calls the application where no link is concerned, and does what that throws to steer the endpoint.
template <typename Callback>
void Base::steered(Callback&& callback) {
    try {
        callback();
    } catch (const CloseRequested& request) {
        on_close_requested(request);
    } catch (const ReconnectRequested& request) {
        on_reconnect_requested(request);
    }
}

/// A Close that cannot be sent is a failed callback's, which belongs to no connection.
void Base::on_close_requested(const CloseRequested& request) {
    if (!connection::is_possible(request)) core().guard([] { throw; });
}

// What links tell.

void Base::on_open(Link& link) {
    log(LogLevel::info, "connected", {{"peer", link.remote_name()}});
    static const Request no_request;
    static const Response no_response;
    const Request* request = link.handshake_request();
    const Response* response = link.handshake_response();
    emit(slots.handshake, link, request ? *request : no_request, response ? *response : no_response);
    if (slots.connect && link.is_connected())
        emit(slots.connect, link, request ? *request : no_request, response ? *response : no_response);
}

void Base::on_message(Link& link, const MessageView& message) {
    emit(message_slot(message.opcode), link, message);
    if (slots.any_message && link.is_connected()) emit(slots.any_message, link, message);
}

void Base::on_drain(Link& link) { emit(slots.drain, link); }

void Base::on_error(Link& link, const Error& error) {
    log(error.level() == ErrorLevel::message ? LogLevel::warning : LogLevel::error, error.what());
    emit(slots.error, &link, error);
}

void Base::on_end(Link& link, const Disconnect& ending) {
    if (!link.was_open()) return;
    log(LogLevel::info, "disconnected",
        {{"peer", link.remote_name()}, {"code", std::to_string(static_cast<unsigned>(ending.code))}, {"reason", ending.reason}});
    try {
        emit(slots.disconnect, link, ending);
    } catch (const CloseRequested& request) {
        // It has ended already.
        if (!connection::is_possible(request)) end_failed(link);
    } catch (const ReconnectRequested& request) {
        core().guard([&] { on_reconnect(link, request); });
    } catch (...) {
        end_failed(link);
    }
}

/// on_disconnect, which is the last call for its connection, threw: it is told without that, and nothing keeps the endpoint from seeing to
/// the end.
void Base::end_failed(Link& link) {
    const Error error = link.exception_as_error();
    if (error.errc() == Errc::callback_failed) core().show_exception(std::current_exception(), link);
    try {
        report(error);
    } catch (...) {
        core().show_exception(std::current_exception(), link);
    }
}

void Base::report(const Error& error) {
    const auto self = shared_from_this();
    log(LogLevel::error, error.what());
    steered([&] { emit(slots.error, nullptr, error); });
}

}  // namespace hawser::endpoint
