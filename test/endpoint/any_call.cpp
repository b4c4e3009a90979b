#include "endpoint/any_call.hpp"

namespace support {

namespace {

/// Small enough for a message or two to pass.
Configuration small(Configuration configuration = {}) {
    configuration.high_water_mark = 2000;
    configuration.low_water_mark = 1000;
    configuration.tick_interval = Seconds(0.001);
    return configuration;
}

std::string uri_of(const Server& server) { return server.scheme() + "://127.0.0.1:" + std::to_string(server.port()) + "/"; }

}  // namespace

Stage::Stage(Setting setting)
    : setting_(setting),
      native_(setting == Setting::borrowed_loop ? make_native_loop() : nullptr),
      reactor(native_ ? std::make_unique<Reactor>(native_.get()) : std::make_unique<Reactor>()),
      server(std::make_unique<Server>(*reactor, server_options())),
      other(std::make_unique<Server>(*reactor, server_options())) {
    hooks_at_server_ = make_hooks("server");
    hooks_at_client_ = make_hooks("client");
    listen(*server, "server");
    server->on_http([this](const Request&) {
        happened("server.on_http", nullptr);
        return Response{};
    });
    server->add_middleware(hooks_at_server_).start();
    other->on_handshake([this](Connection&, const Request&, const Response&) { ++failovers; }).start();
    ClientOptions options{.configuration = small(setting == Setting::wss ? with_ssl(trusting()) : Configuration())};
    options.configuration.persistent = setting == Setting::persistent;
    client = is_blocking() ? std::make_unique<Client>(uri(), options) : std::make_unique<Client>(*reactor, uri(), options);
    listen(*client, "client");
    client->add_middleware(hooks_at_client_);
    // While the client waits, so do the servers: they are served by its loop.
    if (is_blocking()) client->reactor().every(Seconds(0.0005), [this] { reactor->run_once(Seconds(0)); });
}

Stage::~Stage() {
    destroy_client();
    destroy_server();
    other.reset();
    // A persistent connection waits there for another client.
    reactor->core().parked().clear();
    for (int i = 0; i < 10; ++i) iterate();
    CHECK_FALSE(reactor->run_once(Seconds(0)));
}

ServerOptions Stage::server_options() const {
    if (setting_ != Setting::wss) return {.host = "127.0.0.1", .port = 0, .configuration = small()};
    const Authority& authority = Authority::instance();
    const SslOptions certificate = {{"local_cert", authority.leaf_file}, {"local_pk", authority.key_file}};
    return {.host = "127.0.0.1", .port = 0, .ssl = true, .configuration = small(with_ssl(certificate))};
}

std::string Stage::uri() const { return uri_of(*server); }
std::string Stage::other_uri() const { return uri_of(*other); }

void Stage::open() {
    client->connect();
    run_until([&] { return client->is_writable() && server->connection_count() == 1; });
    REQUIRE(client->is_writable());
    came.clear();
}

void Stage::give(std::string callback, Action action) {
    callback_ = std::move(callback);
    action_ = std::move(action);
}

void Stage::destroy_server() {
    gone_.insert("server");
    server.reset();
}

void Stage::destroy_client() {
    gone_.insert("client");
    client.reset();
}

void Stage::replace_listeners(const std::string& callback) {
    if (callback.starts_with("server") && server) listen(*server, "server");
    if (callback.starts_with("client") && client) listen(*client, "client");
}

void Stage::remove_middleware(const std::string& callback) {
    // With what it is doing: only the chain under way still has it.
    if (callback.starts_with("server") && server) server->remove_middleware(*std::exchange(hooks_at_server_, nullptr));
    if (callback.starts_with("client") && client) client->remove_middleware(*std::exchange(hooks_at_client_, nullptr));
}

void Stage::happened(const std::string& callback, Connection* connection) {
    ++happenings_;
    came.insert(callback);
    const std::string side = callback.substr(0, callback.find('.'));
    auto& ended = ended_[side];
    const bool is_log = callback.ends_with(".log");
    if (!is_log && (gone_.contains(side) || (connection && ended.contains(connection->identity())))) late.push_back(callback);
    if (callback.ends_with("on_disconnect")) ended.insert(connection->identity());
    if (callback != callback_ || std::exchange(acted, true)) return;
    action_(*this, connection);
}

template <typename Self>
void Stage::listen(ChainedEndpoint<Self>& endpoint, const std::string& side) {
    const auto on_message = [this, side](const char* name) {
        return [this, callback = side + name](Connection& connection, const MessageView&) { happened(callback, &connection); };
    };
    endpoint.set_logger(callback_logger([this, side](LogLevel, std::string_view, LogFields) { happened(side + ".log", nullptr); }));
    endpoint.on_text(on_message(".on_text"))
        .on_binary(on_message(".on_binary"))
        .on_ping(on_message(".on_ping"))
        .on_pong(on_message(".on_pong"))
        .on_close(on_message(".on_close"))
        .on_message(on_message(".on_message"))
        .on_handshake([this, side](Connection& c, const Request&, const Response&) { happened(side + ".on_handshake", &c); })
        .on_disconnect([this, side](Connection& c, const Disconnect&) { happened(side + ".on_disconnect", &c); })
        .on_error([this, side](Connection* c, const Error&) { happened(side + ".on_error", c); })
        .on_drain([this, side](Connection& c) { happened(side + ".on_drain", &c); })
        .on_tick([this, side](Self&) { happened(side + ".on_tick", nullptr); });
}

std::shared_ptr<Callback> Stage::make_hooks(const std::string& side) {
    const auto hooks = std::make_shared<Callback>();
    hooks->on_incoming = [this, side](Connection& c, const MessageView& message, const Next& next) {
        happened(side + ".incoming", &c);
        next(message);
    };
    hooks->on_outgoing = [this, side](Connection& c, const MessageView& message, const Next& next) {
        happened(side + ".outgoing", &c);
        return next(message);
    };
    hooks->on_http_incoming = [this, side](Connection& c, HttpMessage message, const HttpNext& next) {
        happened(side + ".http_incoming", &c);
        next(std::move(message));
    };
    hooks->on_http_outgoing = [this, side](Connection& c, HttpMessage message, const HttpNext& next) {
        happened(side + ".http_outgoing", &c);
        next(std::move(message));
    };
    hooks->on_tick = [this, side](Connection& c, const TickNext& next) {
        happened(side + ".tick", &c);
        next();
    };
    return hooks;
}

/// One iteration of each loop; what leaves one is noted.
bool Stage::iterate() {
    bool is_anything_left = false;
    calls([&] {
        if (native_) {
            is_anything_left = ev_run(native_.get(), EVRUN_NOWAIT);
            reactor->rethrow();
        } else {
            is_anything_left = reactor->run_once(Seconds(0));
        }
    });
    if (client && is_blocking()) calls([&] { is_anything_left |= client->reactor().run_once(Seconds(0)); });
    return is_anything_left;
}

}  // namespace support
