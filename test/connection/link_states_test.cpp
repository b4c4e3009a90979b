#include <functional>
#include <optional>

#include "connection/link.hpp"
#include "support/catch.hpp"
#include "support/sim_world.hpp"

// Every call, from outside of any callback, in every state of the two halves.

using namespace hawser;
using namespace support;

namespace {

/// One end of a connection in some state, and its peer.
struct Subject {
    explicit Subject(bool is_client) : world_(settings(), settings()), is_client_(is_client) {}
    // Before the world that they belong to.
    ~Subject() {
        peer.reset();
        connection.reset();
        next.reset();
    }

    void open() {
        peer.emplace(is_client_ ? world_.open_server(options_) : world_.open_client(options_));
        connection = is_client_ ? world_.client->connection() : world_.newest();
    }
    /// Stops in the middle of the handshake.
    void open_half() {
        const auto stop = std::make_shared<Callback>();
        stop->on_http_incoming = [this](Connection& from, HttpMessage, const HttpNext& rest) {
            connection = from.handle();
            next = rest.later();
        };
        if (is_client_) world_.client->add_middleware(stop);
        if (!is_client_) world_.server->add_middleware(stop);
        peer.emplace(is_client_ ? world_.raw_server(options_) : world_.raw_client(options_));
        world_.settle();
        peer->shake_hands();
        world_.settle();
        REQUIRE(connection);
    }
    void fill() {
        connection->binary(std::string(5000, 'f'));
        world_.settle();
    }

    SimWorld& world() noexcept { return world_; }
    Journal& journal() noexcept { return is_client_ ? world_.at_client : world_.at_server; }
    void remove_close_handler() {
        world_.client->remove_close_handler();
        world_.server->remove_close_handler();
    }

    std::optional<SimPeer> peer;
    ConnectionPtr connection;
    std::optional<HttpNext> next;

private:
    static Configuration settings() {
        Configuration configuration;
        configuration.allow_half_open = true;
        return configuration;
    }
    SimWorld world_;
    bool is_client_;
    WireOptions options_{.capacity = 1000};
};

using State = std::pair<const char*, std::function<void(Subject&)>>;
const std::vector<State> states = {
    {"opening", [](Subject& s) { s.open_half(); }},
    {"open", [](Subject& s) { s.open(); }},
    {"paused", [](Subject& s) { s.open(), s.connection->pause(), s.peer->text("unread"); }},
    {"something queued", [](Subject& s) { s.open(), s.fill(); }},
    {"Close sent", [](Subject& s) { s.open(), s.connection->close(); }},
    {"Close sent, something queued", [](Subject& s) { s.open(), s.fill(), s.connection->close(); }},
    {"Close received", [](Subject& s) { s.remove_close_handler(), s.open(), s.peer->close(); }},
    {"Close received, something queued", [](Subject& s) { s.remove_close_handler(), s.open(), s.fill(), s.peer->close(); }},
    {"both Closes passed", [](Subject& s) { s.open(), s.connection->close(), s.world().settle(), s.peer->close(); }},
    {"write half closed", [](Subject& s) { s.open(), s.connection->close_write(); }},
    {"write half closing", [](Subject& s) { s.open(), s.fill(), s.connection->close_write(); }},
    {"read half closed", [](Subject& s) { s.open(), s.connection->close_read(); }},
    {"FIN received", [](Subject& s) { s.open(), s.peer->finish(); }},
    {"FIN received, something queued", [](Subject& s) { s.open(), s.fill(), s.peer->finish(); }},
    {"failed", [](Subject& s) { s.open(), s.peer->send(s.peer->frame(0x83, {})); }},
    {"failed, something queued", [](Subject& s) { s.open(), s.fill(), s.peer->send(s.peer->frame(0x83, {})); }},
    {"reset", [](Subject& s) { s.open(), s.peer->socket().reset(); }},
    {"over", [](Subject& s) { s.open(), s.connection->disconnect(); }},
};

using Call = std::pair<const char*, std::function<void(Connection&)>>;
const std::vector<Call> calls = {
    {"text", [](Connection& c) { CHECK((c.text("t") == SendStatus::closed) == !c.is_writable()); }},
    {"a large binary", [](Connection& c) { c.binary(std::string(100'000, 'b')); }},
    {"ping", [](Connection& c) { CHECK((c.ping() == SendStatus::closed) == !c.is_writable()); }},
    {"pong", [](Connection& c) { c.pong(); }},
    {"prepared",
     [](Connection& c) {
         c.send(PreparedMessage({Opcode::text, std::string(1000, 'p')}));
     }},
    {"refused", [](Connection& c) { CHECK(c.text("\xFF") == (c.is_writable() ? SendStatus::refused : SendStatus::closed)); }},
    {"close",
     [](Connection& c) {
         c.close(CloseCode::going_away, "from outside");
         CHECK_FALSE(c.is_writable());
     }},
    {"disconnect",
     [](Connection& c) {
         c.disconnect();
         CHECK_FALSE(c.is_connected());
     }},
    {"close_read",
     [](Connection& c) {
         c.close_read();
         CHECK_FALSE(c.is_readable());
     }},
    {"close_write",
     [](Connection& c) {
         c.close_write();
         CHECK_FALSE(c.is_writable());
     }},
    {"close_read, close_write", [](Connection& c) { c.close_read(), c.close_write(); }},
    {"close_write, close_read", [](Connection& c) { c.close_write(), c.close_read(); }},
    {"pause", [](Connection& c) { c.pause(); }},
    {"resume",
     [](Connection& c) {
         c.resume();
         CHECK_FALSE(c.is_paused());
     }},
    {"tick", [](Connection& c) { c.tick(); }},
    {"settings", [](Connection& c) { c.set_timeout(Seconds(1)), c.set_frame_size(1), c.set_meta("key", 1); }},
    {"a middleware",
     [](Connection& c) {
         const auto middleware = std::make_shared<Callback>();
         c.add_middleware(middleware);
         CHECK(c.remove_middleware(*middleware));
     }},
    {"questions",
     [](Connection& c) {
         CHECK_FALSE(c.name().empty());
         CHECK_FALSE(c.remote_name().empty());
         CHECK(c.identity() != 0);
         CHECK(c.handshake_request());
         if (!c.is_connected()) CHECK_FALSE((c.is_readable() || c.is_writable()));
     }},
};

void check(bool is_client, const State& state, const Call& call, bool at_once) {
    INFO((is_client ? "client, " : "server, ") << state.first << ": " << call.first << (at_once ? "" : ", later"));
    Subject subject(is_client);
    state.second(subject);
    if (!at_once) subject.world().settle();
    call.second(*subject.connection);
    subject.world().pass(Seconds(30));
    // The peer reads, and goes.
    for (int i = 0; i < 200; ++i) {
        subject.peer->socket().take();
        subject.world().settle();
    }
    subject.peer->finish();
    subject.connection->resume();
    subject.world().pass(Seconds(30));
    subject.connection->disconnect();
    subject.world().settle();
    const Journal& journal = subject.journal();
    CHECK(journal.count("late") == 0);
    CHECK(journal.count("handshake") == (subject.next ? 0 : 1));
    CHECK(journal.count("disconnect") == journal.count("handshake"));
    CHECK(subject.world().counts->open == 0);
}

}  // namespace

TEST_CASE("link: every call is legal in every state, and each ends with one on_disconnect", "[link][states]") {
    const bool is_client = GENERATE(false, true);
    for (const State& state : states) {
        for (const Call& call : calls) {
            check(is_client, state, call, true);
            check(is_client, state, call, false);
        }
    }
}
