#include <array>
#include <functional>
#include <stdexcept>

#include "connection/link.hpp"
#include "support/catch.hpp"
#include "support/sim_world.hpp"

// Every call, from inside every callback, of a server and of a client.

using namespace hawser;
using namespace support;

namespace {

enum class Side { server, client };

/// One world in which one callback of one side does one thing, once.
class Act {
public:
    using Function = std::function<void(Act&, Connection&)>;

    Act(Side side, Function function) : world_(small_marks(), small_marks()), side_(side), function_(std::move(function)) {}

    SimWorld& world() noexcept { return world_; }
    Journal& journal() noexcept { return side_ == Side::server ? world_.at_server : world_.at_client; }
    Journal& other_journal() noexcept { return side_ == Side::server ? world_.at_client : world_.at_server; }
    /// Calls `use` with the server or the client, unless it is gone.
    template <typename Use>
    void with_endpoint(Use&& use) {
        if (side_ == Side::server && world_.server) use(*world_.server);
        if (side_ == Side::client && world_.client) use(*world_.client);
    }
    void destroy_endpoint() {
        if (side_ == Side::server) world_.server.reset();
        if (side_ == Side::client) world_.client.reset();
    }

    void operator()(Connection& connection) {
        if (std::exchange(acted, true)) return;
        function_(*this, connection);
    }
    /// Runs what is ready, and after each exception the rest.
    void run(Seconds time = Seconds(0)) {
        for (;;) {
            try {
                world_.pass(time);
                return;
            } catch (const std::runtime_error& error) {
                REQUIRE(error.what() == std::string("from a callback"));
                ++thrown;
            }
        }
    }

    bool acted = false;
    int thrown = 0;
    std::shared_ptr<Middleware> middleware;

private:
    static Configuration small_marks() {
        Configuration configuration;
        configuration.high_water_mark = 2000;
        configuration.low_water_mark = 1000;
        return configuration;
    }

    SimWorld world_;
    Side side_;
    Function function_;
};

struct NamedAction {
    const char* name;
    Act::Function act;
};

const std::vector<NamedAction>& actions() {
    static const std::vector<NamedAction> all = {
        {"text", [](Act&, Connection& c) { c.text("sent"); }},
        {"binary", [](Act&, Connection& c) { c.binary(std::string(100'000, 'b')); }},
        {"ping", [](Act&, Connection& c) { c.ping("sent"); }},
        {"pong", [](Act&, Connection& c) { c.pong("sent"); }},
        {"prepared",
         [](Act&, Connection& c) {
             c.send(PreparedMessage({Opcode::text, std::string(5000, 'p')}));
         }},
        {"refused", [](Act&, Connection& c) { c.text("\xFF"); }},
        {"close", [](Act&, Connection& c) { c.close(CloseCode::normal, "from a callback"); }},
        {"close twice", [](Act&, Connection& c) { c.close(), c.close(); }},
        {"close, disconnect", [](Act&, Connection& c) { c.close(), c.disconnect(); }},
        {"disconnect", [](Act&, Connection& c) { c.disconnect(); }},
        {"disconnect twice", [](Act&, Connection& c) { c.disconnect(), c.disconnect(), c.text("late"); }},
        {"close_read", [](Act&, Connection& c) { c.close_read(); }},
        {"close_write", [](Act&, Connection& c) { c.close_write(); }},
        {"close both halves", [](Act&, Connection& c) { c.close_write(), c.close_read(); }},
        {"close both halves, the other way", [](Act&, Connection& c) { c.close_read(), c.close_write(); }},
        {"pause", [](Act&, Connection& c) { c.pause(); }},
        {"pause, resume", [](Act&, Connection& c) { c.pause(), c.resume(); }},
        {"pause, resume later",
         [](Act& act, Connection& c) {
             c.pause();
             act.world().reactor.after(Seconds(1), [handle = c.handle()] { handle->resume(); });
         }},
        {"settings",
         [](Act&, Connection& c) {
             c.set_timeout(Seconds(1));
             c.set_frame_size(1);
             c.set_logger(null_logger());
             c.set_option("http", "user_agent", std::string("test"));
             c.set_meta("key", 1);
             c.text("in frames of one byte");
         }},
        {"refused settings", [](Act&, Connection& c) { CHECK_THROWS_AS(c.set_frame_size(0), Error); }},
        {"tick", [](Act&, Connection& c) { c.tick(); }},
        {"add and remove a middleware of the connection",
         [](Act&, Connection& c) {
             const auto one = std::make_shared<Callback>(), two = std::make_shared<Callback>();
             one->on_incoming = [](Connection&, const MessageView& m, const Next& next) { next(m); };
             c.add_middleware(one);
             c.add_middleware(two);
             CHECK(c.remove_middleware(*one));
             CHECK_FALSE(c.remove_middleware(*one));
         }},
        {"change the middlewares of the endpoint",
         [](Act& act, Connection&) {
             act.with_endpoint([&](auto& endpoint) {
                 const auto added = std::make_shared<Callback>();
                 added->on_incoming = [](Connection&, const MessageView& m, const Next& next) { next(m); };
                 endpoint.add_middleware(added);
                 if (act.middleware) endpoint.remove_middleware(*act.middleware);
                 act.middleware.reset();
                 endpoint.remove_close_handler();
                 endpoint.remove_ping_responder();
             });
         }},
        {"replace all listeners",
         [](Act& act, Connection&) {
             act.with_endpoint([](auto& endpoint) {
                 endpoint.on_text({}).on_binary({}).on_ping({}).on_pong({}).on_close({}).on_message({});
                 endpoint.on_error({}).on_drain({}).on_tick({});
             });
         }},
        {"settings of the endpoint", [](Act& act, Connection&) { act.with_endpoint([](auto& endpoint) { endpoint.set_frame_size(7); }); }},
        {"disconnect the endpoint", [](Act& act, Connection&) { act.with_endpoint([](auto& endpoint) { endpoint.disconnect(); }); }},
        {"stop the endpoint", [](Act& act, Connection&) { act.with_endpoint([](auto& endpoint) { endpoint.stop(); }); }},
        {"shut the server down",
         [](Act& act, Connection&) {
             if (act.world().server) act.world().server->shutdown();
         }},
        {"destroy the endpoint", [](Act& act, Connection&) { act.destroy_endpoint(); }},
        {"send, destroy the endpoint, send",
         [](Act& act, Connection& c) {
             c.text("sent");
             act.destroy_endpoint();
             CHECK(c.text("late") == SendStatus::closed);
         }},
        {"destroy both endpoints", [](Act& act, Connection&) { act.world().server.reset(), act.world().client.reset(); }},
        {"throw", [](Act&, Connection&) { throw std::runtime_error("from a callback"); }},
        {"disconnect, throw", [](Act&, Connection& c) { c.disconnect(), throw std::runtime_error("from a callback"); }},
        {"destroy, throw", [](Act& act, Connection&) { act.destroy_endpoint(), throw std::runtime_error("from a callback"); }},
        {"ask to close", [](Act&, Connection&) { throw CloseRequested(CloseCode::policy_violation, "no"); }},
        {"ask to reconnect", [](Act&, Connection&) { throw ReconnectRequested(); }},
    };
    return all;
}

using Install = std::function<void(Act&)>;
struct NamedPlace {
    const char* name;
    Install install;
};

Install in_listener(const char* beginning) {
    return [=](Act& act) {
        act.journal().then = [&act, beginning](std::string_view line, Connection* connection) {
            if (line.starts_with(beginning) && connection) act(*connection);
        };
    };
}

Install in_middleware(std::function<void(Act&, Callback&)> fill) {
    return [=](Act& act) {
        const auto middleware = std::make_shared<Callback>();
        fill(act, *middleware);
        act.middleware = middleware;
        act.with_endpoint([&](auto& endpoint) { endpoint.add_middleware(middleware); });
    };
}

const std::vector<NamedPlace>& places() {
    static const std::vector<NamedPlace> all = {
        {"on_text", in_listener("text")},
        {"on_binary", in_listener("binary")},
        {"on_ping", in_listener("ping")},
        {"on_pong", in_listener("pong")},
        {"on_close", in_listener("close")},
        {"on_handshake", in_listener("handshake")},
        {"on_disconnect", in_listener("disconnect")},
        {"on_error", in_listener("error")},
        {"on_drain", in_listener("drain")},
        {"on_message",
         [](Act& act) { act.with_endpoint([&](auto& endpoint) { endpoint.on_message([&act](Connection& c, MessageView) { act(c); }); }); }},
        {"incoming", in_middleware([](Act& act, Callback& to) {
             to.on_incoming = [&act](Connection& c, const MessageView& m, const Next& next) { act(c), next(m); };
         })},
        {"incoming, behind the rest", in_middleware([](Act& act, Callback& to) {
             to.on_incoming = [&act](Connection& c, const MessageView& m, const Next& next) { next(m), act(c); };
         })},
        {"outgoing", in_middleware([](Act& act, Callback& to) {
             to.on_outgoing = [&act](Connection& c, const MessageView& m, const Next& next) { return act(c), next(m); };
         })},
        {"http_incoming", in_middleware([](Act& act, Callback& to) {
             to.on_http_incoming = [&act](Connection& c, HttpMessage m, const HttpNext& next) { act(c), next(std::move(m)); };
         })},
        {"http_incoming, behind the rest", in_middleware([](Act& act, Callback& to) {
             to.on_http_incoming = [&act](Connection& c, HttpMessage m, const HttpNext& next) { next(std::move(m)), act(c); };
         })},
        {"http_outgoing", in_middleware([](Act& act, Callback& to) {
             to.on_http_outgoing = [&act](Connection& c, HttpMessage m, const HttpNext& next) { act(c), next(std::move(m)); };
         })},
        {"http_outgoing, behind the rest", in_middleware([](Act& act, Callback& to) {
             to.on_http_outgoing = [&act](Connection& c, HttpMessage m, const HttpNext& next) { next(std::move(m)), act(c); };
         })},
        {"tick hook",
         in_middleware([](Act& act, Callback& to) { to.on_tick = [&act](Connection& c, const TickNext& next) { act(c), next(); }; })},
    };
    return all;
}

/// Brings about every callback on this side, whatever became of the connection before.
void drive(Act& act, Side side) {
    SimWorld& world = act.world();
    try {
        world.join({.capacity = 3000});
    } catch (const std::runtime_error&) {
        ++act.thrown;
    }
    act.run();
    const ConnectionPtr of_server = world.server ? world.server->connections().first() : nullptr;
    const ConnectionPtr of_client = world.client ? world.client->connection() : nullptr;
    const ConnectionPtr near = side == Side::server ? of_server : of_client;
    const ConnectionPtr far = side == Side::server ? of_client : of_server;
    const auto from = [&](const ConnectionPtr& connection, auto&& call) {
        if (!connection) return;
        // From outside of any callback, exceptions of what a call runs come back to it.
        world.reactor.post([=] { call(*connection); });
        act.run();
    };
    from(far, [](Connection& c) { c.text("1"), c.binary("2"), c.ping("3"), c.pong("4"), c.text("5"); });
    from(near, [](Connection& c) { c.text("\xFF"); });
    from(near, [](Connection& c) {
        while (c.binary(std::string(500, 'x')) == SendStatus::ok) {
        }
    });
    from(near, [](Connection& c) { c.tick(); });
    from(far, [](Connection& c) { c.close(CloseCode::normal, "done"); });
    act.run(Seconds(20));
    from(near, [](Connection& c) { c.resume(); });
    act.run(Seconds(100));
    from(near, [](Connection& c) { c.disconnect(); });
    from(far, [](Connection& c) { c.disconnect(); });
    world.kept = (near ? 1u : 0u) + (far ? 1u : 0u);
    world.end();
}

void check_told(const Journal& journal, bool is_destroyed) {
    CHECK(journal.count("late") == 0);
    CHECK(journal.count("handshake") <= 1);
    if (is_destroyed)
        CHECK(journal.count("disconnect") <= journal.count("handshake"));
    else
        CHECK(journal.count("disconnect") == journal.count("handshake"));
}

}  // namespace

TEST_CASE("link: every call is legal in every callback, and on_disconnect comes once and last", "[link][callbacks]") {
    const Side side = GENERATE(Side::server, Side::client);
    for (const NamedPlace& place : places()) {
        for (const NamedAction& action : actions()) {
            INFO((side == Side::server ? "server, " : "client, ") << place.name << ": " << action.name);
            Act act(side, action.act);
            place.install(act);
            drive(act, side);
            CHECK(act.acted);
            const std::string_view name = action.name;
            check_told(act.journal(), name.find("destroy") != name.npos);
            check_told(act.other_journal(), name == "destroy both endpoints");
            CHECK(act.thrown == 0);
        }
    }
}
