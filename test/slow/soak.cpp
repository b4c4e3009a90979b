#include "slow/soak.hpp"

#include <optional>
#include <utility>

#include "support/tls_loopback.hpp"

namespace support {

namespace {

constexpr const char* number_field = "X-Conversation";
constexpr const char* meta_key = "conversation";

Configuration patient(SslOptions ssl = {}) {
    Configuration configuration;
    // Nothing here takes so long unless it never ends.
    configuration.timeout = configuration.handshake_timeout = configuration.close_timeout = Seconds(60);
    configuration.high_water_mark = 200'000;
    configuration.low_water_mark = 20'000;
    configuration.context.set_options({{"ssl", std::move(ssl)}});
    return configuration;
}

SslOptions serving() {
    const Authority& authority = Authority::instance();
    return {{"local_cert", authority.leaf_file}, {"local_pk", authority.key_file}};
}

}  // namespace

/// A client, which is used for some conversations and then replaced.
class Soak::Slot {
public:
    explicit Slot(Soak& soak) : soak_(soak) {}

    bool is_idle() const noexcept { return !client_; }
    void begin();

private:
    void connect();
    void add_number(Connection& connection, HttpMessage message, const HttpNext& next);
    void drop(const ConversationPtr& conversation);
    void ended();
    void next();

    Soak& soak_;
    std::unique_ptr<Client> client_;
    ConversationPtr present_;
    std::size_t left_ = 0;
    bool comes_back_ = false;
};

void Soak::Slot::begin() {
    client_ = soak_.make_client();
    left_ = 1 + soak_.random_.up_to(3);
    comes_back_ = soak_.random_.chance(2);
    const auto number = std::make_shared<Callback>();
    number->on_http_outgoing = [this](Connection& connection, HttpMessage message, const HttpNext& next) {
        add_number(connection, std::move(message), next);
    };
    client_->add_middleware(number);
    client_->on_disconnect([this](Connection& connection, const Disconnect& how) {
        const ConversationPtr conversation = of(&connection);
        conversation->ended(Conversation::client, how);
        soak_.over(conversation);
        ended();
    });
    connect();
}

void Soak::Slot::connect() {
    if (comes_back_) client_->set_reconnect(ReconnectOptions{.initial = Seconds(0.01), .maximum = Seconds(0.05)});
    client_->connect();
}

void Soak::Slot::add_number(Connection& connection, HttpMessage message, const HttpNext& next) {
    present_ = soak_.begin_conversation();
    connection.set_meta(meta_key, present_);
    std::get<Request>(message).headers.add(number_field, std::to_string(soak_.ledger_.conversations));
    if (present_->ending() == Ending::early)
        soak_.ledger_.after(std::chrono::microseconds(soak_.random_.up_to(5'000)), [this, conversation = present_] { drop(conversation); });
    next(std::move(message));
}

void Soak::Slot::drop(const ConversationPtr& conversation) {
    client_->disconnect();
    // Of a handshake that was not complete nothing is told.
    if (!conversation->was_opened(Conversation::client)) ended();
}

void Soak::Slot::ended() {
    const ConversationPtr conversation = std::exchange(present_, nullptr);
    --left_;
    if (comes_back_ && left_ != 0 && conversation->is_ended_by_server()) {
        ++soak_.ledger_.comebacks;
        return;
    }
    client_->set_reconnect(std::nullopt);
    soak_.ledger_.after(std::chrono::milliseconds(soak_.random_.up_to(20)), [this] { next(); });
}

void Soak::Slot::next() {
    if (left_ != 0) return connect();
    client_.reset();
    if (!soak_.is_resting_) begin();
}

Soak::Soak(std::uint64_t seed, std::size_t clients)
    : ledger_(reactor_, seed),
      random_(seed),
      plain_(reactor_, {.host = "127.0.0.1", .port = 0, .configuration = patient()}),
      secure_(reactor_, {.host = "127.0.0.1", .port = 0, .ssl = true, .configuration = patient(serving())}) {
    for (Server* server : {&plain_, &secure_}) {
        listen(*server, Conversation::server);
        server->on_disconnect([this](Connection& connection, const Disconnect& how) {
            const ConversationPtr conversation = of(&connection);
            conversation->ended(Conversation::server, how);
            over(conversation);
        });
        server->add_middleware(std::make_shared<CompressionExtension>());
        server->start();
    }
    for (std::size_t i = 0; i < clients; ++i) slots_.push_back(std::make_unique<Slot>(*this));
}

Soak::~Soak() = default;

std::unique_ptr<Client> Soak::make_client() {
    const bool is_secure = random_.chance(4);
    const Server& server = is_secure ? secure_ : plain_;
    auto client = std::make_unique<Client>(reactor_, server.scheme() + "://127.0.0.1:" + std::to_string(server.port()) + "/",
                                           ClientOptions{.configuration = patient(is_secure ? trusting() : SslOptions())});
    if (random_.chance(2)) {
        DeflateOptions options;
        options.server_no_context_takeover = random_.chance(2);
        options.client_no_context_takeover = random_.chance(2);
        options.client_max_window_bits = 9 + static_cast<int>(random_.up_to(6));
        client->add_middleware(std::make_shared<CompressionExtension>(options));
    }
    listen(*client, Conversation::client);
    return client;
}

template <typename Endpoint>
void Soak::listen(Endpoint& endpoint, Conversation::Side side) {
    const auto received = [side](Connection& connection, MessageView message) { of(&connection)->received(side, connection, message); };
    endpoint.on_text(received)
        .on_binary(received)
        .on_handshake([this, side](Connection& connection, const Request& request, const Response& response) {
            if (side == Conversation::client && connection.tls()) ++ledger_.secure;
            if (side == Conversation::client && response.headers.has("Sec-WebSocket-Extensions")) ++ledger_.compressed;
            const ConversationPtr conversation = of(request);
            connection.set_meta(meta_key, conversation);
            conversation->opened(side, connection);
        })
        .on_pong([side](Connection& connection, MessageView message) { of(&connection)->ponged(side, message.content); })
        .on_drain([side](Connection& connection) { of(&connection)->drained(side); })
        .on_error([this, side](Connection* connection, const Error& error) {
            if (const ConversationPtr conversation = of(connection))
                conversation->failed(side, error);
            else if (++stray_errors_ > early_)
                ledger_.failures.push_back(std::string("without a connection: ") + error.what());
        });
}

Soak::ConversationPtr Soak::begin_conversation() {
    const auto conversation = std::make_shared<Conversation>(ledger_, ledger_.conversations + 1);
    if (conversation->ending() == Ending::early) ++early_;
    conversations_.emplace(ledger_.conversations, conversation);
    return conversation;
}

Soak::ConversationPtr Soak::of(const Connection* connection) {
    const ConversationPtr* conversation = connection ? connection->meta<ConversationPtr>(meta_key) : nullptr;
    return conversation ? *conversation : nullptr;
}

Soak::ConversationPtr Soak::of(const Request& request) const {
    return conversations_.at(std::stoull(std::string(request.headers.get(number_field).value())));
}

/// One end is. A server that has not heard of the conversation yet may still do so.
void Soak::over(const ConversationPtr& conversation) {
    if (!conversation->was_opened(Conversation::server) || !conversation->is_over(Conversation::server)) return;
    if (!conversation->is_over(Conversation::client)) return;
    if (!conversation->was_opened(Conversation::client)) return;
    conversation->settle();
    conversations_.erase(conversation->number());
}

bool Soak::is_quiet() const {
    for (const auto& slot : slots_)
        if (!slot->is_idle()) return false;
    return ledger_.waiting == 0 && plain_.connection_count() + secure_.connection_count() == 0;
}

void Soak::run(Seconds duration) {
    is_resting_ = false;
    for (const auto& slot : slots_) slot->begin();
    const auto end = std::chrono::steady_clock::now() + duration;
    while (std::chrono::steady_clock::now() < end && ledger_.failures.empty()) reactor_.run_once(Seconds(0.1));
    is_resting_ = true;
    REQUIRE(ledger_.failures == std::vector<std::string>());
    REQUIRE(run_until(
        reactor_.core(), [this] { return is_quiet(); }, std::chrono::minutes(2)));
    run_ready(reactor_.core());
    settle_rest();
}

/// Those that were dropped before both ends had opened.
void Soak::settle_rest() {
    for (const auto& [number, conversation] : std::exchange(conversations_, {})) {
        CHECK(conversation->ending() == Ending::early);
        for (const auto side : {Conversation::client, Conversation::server}) CHECK(conversation->is_over(side));
        conversation->settle();
    }
    REQUIRE(ledger_.failures == std::vector<std::string>());
}

}  // namespace support
