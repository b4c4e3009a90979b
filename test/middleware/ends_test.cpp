// Each stock middleware, while the connection or its endpoint ends in every hook: nothing breaks, and the end is told once.

#include "middleware/stock.hpp"
#include "support/sim_world.hpp"

using namespace hawser;
using namespace support;

namespace {

enum class Where { http_incoming, http_outgoing, incoming, outgoing, tick };
enum class What { disconnect, close, destroy, remove, fail };

/// How a connection ends in a hook.
struct Plan {
    Where where;
    What what;
    bool behind;     ///< next() comes first
    bool is_client;  ///< whose hook
    bool inner;      ///< next to the application, or next to the socket
};

/// The world with one stock middleware on both ends, and a middleware that ends something the first time it is called.
class Scene {
public:
    Scene(const Stock& stock, const Plan& plan) : stock_(stock), plan_(plan) {
        plan_.is_client ? install(world.client) : install(world.server);
        if (!plan_.is_client && stock.at_client) world.client->add_middleware(stock.at_client());
        if (plan_.is_client && stock.at_server) world.server->add_middleware(stock.at_server());
        world.client->add_header("Origin", "https://here.test");
        world.client->add_header("Authorization", std::string_view(stock.name) == "TokenAuth" ? "Bearer good" : "Basic YW5uYTpzZWNyZXQ=");
    }

    void play() {
        world.join();
        world.settle();
        const auto each = [&](auto&& say) {
            // What a hook throws at a call of the application's own is that call's.
            const auto try_to_say = [&](Connection& connection) {
                try {
                    say(connection);
                } catch (const Error& error) {
                    CHECK(plan_.what == What::fail);
                }
            };
            if (world.client && world.client->is_connected()) try_to_say(*world.client->connection());
            if (world.server && !world.server->connections().empty()) try_to_say(*world.newest());
            world.settle();
        };
        each([](Connection& connection) {
            for (int i = 0; i < 3; ++i) connection.text("hello " + std::string(1000, 'x'));
        });
        each([](Connection& connection) { connection.ping("p"); });
        each([](Connection& connection) { connection.tick(); });
        world.pass(Seconds(100));
        each([](Connection& connection) { connection.close(); });
        world.pass(Seconds(100));
    }

    void check() {
        CHECK(done_);
        for (const Journal* journal : {&world.at_server, &world.at_client}) {
            CHECK(journal->count("late") == 0);
            CHECK(journal->count("disconnect") <= journal->count("handshake"));
        }
        if (world.client) CHECK(world.at_client.count("disconnect") == world.at_client.count("handshake"));
        if (world.server) CHECK(world.at_server.count("disconnect") == world.at_server.count("handshake"));
        world.end();
    }

    SimWorld world;

private:
    template <typename Owner>
    void install(std::unique_ptr<Owner>& owner) {
        const auto& make = plan_.is_client ? stock_.at_client : stock_.at_server;
        middleware_ = make ? make() : nullptr;
        if (plan_.inner) owner->add_middleware(saboteur());
        if (middleware_) owner->add_middleware(middleware_);
        if (!plan_.inner) owner->add_middleware(saboteur());
    }

    std::shared_ptr<Middleware> saboteur() {
        const auto callback = std::make_shared<Callback>();
        callback->on_http_incoming = [this](Connection& c, HttpMessage m, const HttpNext& next) {
            in(Where::http_incoming, c, [&] { next(std::move(m)); });
        };
        callback->on_http_outgoing = [this](Connection& c, HttpMessage m, const HttpNext& next) {
            in(Where::http_outgoing, c, [&] { next(std::move(m)); });
        };
        callback->on_incoming = [this](Connection& c, const MessageView& m, const Next& next) { in(Where::incoming, c, [&] { next(m); }); };
        callback->on_outgoing = [this](Connection& c, const MessageView& m, const Next& next) {
            SendStatus status = SendStatus::dropped;
            in(Where::outgoing, c, [&] { status = next(m); });
            return status;
        };
        callback->on_tick = [this](Connection& c, const TickNext& next) { in(Where::tick, c, [&] { next(); }); };
        return callback;
    }

    template <typename GoOn>
    void in(Where where, Connection& connection, GoOn&& go_on) {
        const bool now = where == plan_.where && !std::exchange(done_, done_ || where == plan_.where);
        if (now && !plan_.behind) act(connection);
        go_on();
        if (now && plan_.behind) act(connection);
    }

    void act(Connection& connection) {
        switch (plan_.what) {
            case What::disconnect: return connection.disconnect();
            case What::close: connection.close(CloseCode::going_away); return;
            case What::destroy: return plan_.is_client ? world.client.reset() : world.server.reset();
            case What::remove:
                if (!middleware_) return;
                CHECK((plan_.is_client ? world.client->remove_middleware(*middleware_) : world.server->remove_middleware(*middleware_)));
                connection.add_middleware(middleware_);
                return;
            case What::fail: throw Error(Errc::connection_failure, "the middleware gives up");
        }
    }

    const Stock& stock_;
    const Plan plan_;
    std::shared_ptr<Middleware> middleware_;
    bool done_ = false;
};

std::vector<Plan> all_plans() {
    std::vector<Plan> plans;
    for (const Where where : {Where::http_incoming, Where::http_outgoing, Where::incoming, Where::outgoing, Where::tick})
        for (const What what : {What::disconnect, What::close, What::destroy, What::remove, What::fail})
            for (const int flags : {0, 1, 2, 3, 4, 5, 6, 7})
                plans.push_back({where, what, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0});
    return plans;
}

}  // namespace

TEST_CASE("stock middlewares: each outlives the end of its connection and of its endpoint, in every hook") {
    for (const Stock& stock : all_stock(Seconds(20), Seconds(5)))
        for (const Plan& plan : all_plans()) {
            INFO(stock.name << ", hook " << static_cast<int>(plan.where) << ", act " << static_cast<int>(plan.what) << ", behind next "
                            << plan.behind << ", client " << plan.is_client << ", inner " << plan.inner);
            Scene scene(stock, plan);
            scene.play();
            scene.check();
        }
}
