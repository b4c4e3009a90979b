#include "support/error_of.hpp"
#include "support/loop_fixture.hpp"
#include "support/socket_pair.hpp"
#include "support/tls_loopback.hpp"

using namespace support;

// A callback may destroy the reactor, with all that uses it: whoever made the call that brings it about, and whatever loop runs.

namespace {

/// A server and its clients, which go at once.
struct World {
    explicit World(struct ev_loop* loop = nullptr)
        : reactor(loop ? std::make_unique<Reactor>(loop) : std::make_unique<Reactor>()),
          server(std::make_unique<Server>(*reactor, ServerOptions{.host = "127.0.0.1", .port = 0})) {
        server->add_middleware(at_server).start();
        for (auto* client : {&one, &other}) {
            *client = std::make_unique<Client>(*reactor, "ws://" + server->name() + "/");
            (*client)->add_middleware(at_clients).connect();
        }
    }
    void open() {
        REQUIRE(run_until(reactor->core(), [&] { return one->is_writable() && other->is_writable() && server->connection_count() == 2; }));
    }
    void end() {
        ended = true;
        server.reset();
        one.reset();
        other.reset();
        reactor.reset();
    }

    std::shared_ptr<Callback> at_server = std::make_shared<Callback>(), at_clients = std::make_shared<Callback>();
    std::unique_ptr<Reactor> reactor;
    std::unique_ptr<Server> server;
    std::unique_ptr<Client> one, other;
    bool ended = false;
};

template <typename Function>
void swallow(Function&& function) {
    try {
        function();
    } catch (const std::exception&) {
    }
}

}  // namespace

TEST_CASE("reactor's end: in a nested loop, which goes on") {
    enum class In { text, timer, post, descriptor };
    const In in = GENERATE(In::text, In::timer, In::post, In::descriptor);
    const bool throws = GENERATE(false, true);
    CAPTURE(int(in), throws);
    ConnectionPtr handle;  // outlives the loop too
    SocketPair pair;
    const NativeLoop native = make_native_loop();
    World world(native.get());
    world.open();
    handle = world.one->connection();
    const auto run_ready = [&] {
        for (int i = 0; i < 5; ++i) ev_run(native.get(), EVRUN_NOWAIT);
    };
    const auto end = [&] {
        world.end();
        run_ready();
        if (throws) throw std::runtime_error("from a callback");
    };
    world.server->on_text([&](Connection&, const MessageView& message) {
        if (message.content == "inner") return end();
        if (in == In::text) world.other->text("inner");
        if (in == In::timer) world.reactor->after(Seconds(0), end);
        if (in == In::post) world.reactor->post(end);
        if (in == In::descriptor) world.reactor->attach(pair.near(), Readiness::readable, [&](Readiness) { end(); }), pair.feed();
        while (!world.ended) ev_run(native.get(), EVRUN_ONCE);
        run_ready();
    });
    world.one->text("outer");
    while (!world.ended) ev_run(native.get(), EVRUN_ONCE);
    run_ready();
    CHECK_FALSE(handle->is_connected());
    CHECK(handle->text("x") == SendStatus::closed);
}

TEST_CASE("reactor's end: in a callback that a call from outside of the loop brings about") {
    const bool throws = GENERATE(false, true);
    CAPTURE(throws);
    World world;
    world.open();
    ConnectionPtr handle = world.one->connection();
    const auto end = [&] {
        world.end();
        handle.reset();
        if (throws) throw std::runtime_error("from a callback");
    };
    const auto on_error = [&](Connection*, const Error&) { end(); };
    const auto hook = [&](Connection&, const MessageView& message, const Next& next) {
        end();
        return next(message);
    };
    world.server->on_error(on_error);
    world.one->on_error(on_error);
    SECTION("a handle's text") {
        swallow([&] { handle->text("\xFF"); });
    }
    SECTION("a handle's close") {
        swallow([&] { handle->close(CloseCode::abnormal); });
    }
    SECTION("a client's text") {
        swallow([&] { world.one->text("\xFF"); });
    }
    SECTION("a server's text") {
        swallow([&] { world.server->text("\xFF"); });
    }
    SECTION("a server's shutdown") {
        swallow([&] { world.server->shutdown(CloseCode::abnormal); });
    }
    SECTION("a tick") {
        world.at_clients->on_tick = [&](Connection&, const TickNext&) { end(); };
        handle->tick();
    }
    SECTION("a prepared message of a handle") {
        world.at_clients->on_outgoing = hook;
        swallow([&] { handle->send(PreparedMessage(MessageView{Opcode::text, "x"})); });
    }
    SECTION("a broadcast") {
        world.at_server->on_outgoing = hook;
        swallow([&] { world.server->text("x"); });
    }
    SECTION("the rest of a chain") {
        std::optional<LaterNext> later;
        world.at_clients->on_incoming = [&](Connection&, const MessageView&, const Next& next) { later = next.later(); };
        world.server->text("x");
        REQUIRE(run_until(world.reactor->core(), [&] { return later.has_value(); }));
        world.one->on_text([&](Connection&, const MessageView&) { end(); });
        swallow([&] { (*later)(Message(Opcode::text, "x")); });
    }
    CHECK(world.ended);
}

TEST_CASE("reactor's end: in on_disconnect, whatever that throws then") {
    World world;
    world.open();
    const int what = GENERATE(0, 1, 2, 3);
    const bool is_client = GENERATE(false, true);
    CAPTURE(what, is_client);
    const std::string uri = "ws://" + world.server->name() + "/";
    const auto end = [&](Connection&, const Disconnect&) {
        world.end();
        if (what == 1) throw std::runtime_error("from a callback");
        if (what == 2) throw Error(Errc::connection_failure, "from a callback");
        if (what == 3) throw ReconnectRequested(uri);
    };
    is_client ? void(world.one->on_disconnect(end)) : void(world.server->on_disconnect(end));
    is_client ? void(world.server->disconnect()) : void(world.one->disconnect());
    Reactor& reactor = *world.reactor;
    swallow([&] { reactor.run(); });
    CHECK(world.ended);
}

TEST_CASE("reactor's end: what an endpoint is told of TLS behind it reads nothing") {
    const Authority& authority = Authority::instance();
    auto reactor = std::make_unique<Reactor>();
    const SslOptions identity = {{"local_cert", authority.leaf_file}, {"local_pk", authority.key_file}};
    Server server(*reactor, {.host = "127.0.0.1", .port = 0, .ssl = true, .configuration = with_ssl(identity)});
    server.start();
    Client client(*reactor, "wss://localhost:" + std::to_string(server.port()), {.configuration = with_ssl(trusting())});
    client.reload_context();
    reactor.reset();
    server.set_option("ssl", "local_cert", "/nowhere").set_context(Context(server.context()));
    client.set_option("ssl", "cafile", "/nowhere").set_context(Context(client.context()));
    CHECK(contains(error_of(Errc::server_failed, [&] { server.reload_context(); }), "its reactor is gone"));
    CHECK(contains(error_of(Errc::client_failed, [&] { client.reload_context(); }), "its reactor is gone"));
}
