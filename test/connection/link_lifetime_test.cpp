#include <sstream>

#include "connection/link.hpp"
#include "support/catch.hpp"
#include "support/sim_world.hpp"

using namespace hawser;
using namespace support;
using Lines = std::vector<std::string>;

namespace {

/// Every call of a connection that has ended: readable, and without effect.
void use_ended(Connection& connection) {
    CHECK_FALSE(connection.is_connected());
    CHECK_FALSE(connection.is_readable());
    CHECK_FALSE(connection.is_writable());
    for (const MessageView& message :
         {MessageView{Opcode::text, "t"}, MessageView{Opcode::ping, "p"}, MessageView{Opcode::close, {}, CloseCode::normal}})
        CHECK(connection.send(message) == SendStatus::closed);
    CHECK(connection.text("\xFF") == SendStatus::closed);
    CHECK(connection.send(PreparedMessage({Opcode::text, "t"})) == SendStatus::closed);
    connection.disconnect();
    connection.close_read();
    connection.close_write();
    connection.pause();
    connection.resume();
    connection.tick();
    connection.tick_after(Seconds(1));
    connection.use_compression({});
    CHECK_THROWS_AS(connection.use_compression({.server_max_window_bits = 99}), Error);
    connection.set_timeout(Seconds(1));
    connection.set_frame_size(10);
    connection.set_logger(nullptr);
    CHECK(connection.frame_size() == 10);
    const auto middleware = std::make_shared<Callback>();
    connection.add_middleware(middleware);
    CHECK(connection.remove_middleware(*middleware));
    CHECK(connection.buffered_amount() == 0);
    CHECK(connection.name().starts_with("sim:"));
    CHECK(connection.remote_name().starts_with("sim:"));
    CHECK(connection.identity() != 0);
    connection.set_meta("key", 1);
    CHECK(*connection.meta<int>("key") == 1);
    CHECK(connection.handle().get() == &connection);
}

}  // namespace

TEST_CASE("link: handles outlive the connection, the endpoint and the reactor", "[link][lifetime]") {
    ConnectionPtr of_server, of_client;
    {
        SimWorld world;
        world.join();
        world.settle();
        of_server = world.newest();
        of_client = world.client->connection();
        world.kept = 2;
        const auto use_both = [&] {
            use_ended(*of_server);
            use_ended(*of_client);
        };
        SECTION("the connection's end") {
            of_server->text("unread");
            of_server->disconnect();
            of_client->disconnect();
            use_both();
            world.settle();
            use_both();
        }
        SECTION("the endpoints' end") {
            of_client->text("unsent");
            world.server.reset();
            world.client.reset();
            use_both();
            world.settle();
        }
        SECTION("the end with something queued, paused, and a Close under way") {
            of_client->close();
            of_client->pause();
        }
        world.end();
        use_both();
    }
    use_ended(*of_server);
    use_ended(*of_client);
    CHECK(of_server->handshake_request()->path() == "/path");
    CHECK(of_client->handshake_response()->status == 101);
}

TEST_CASE("link: the handle of a parked connection outlives the reactor", "[link][lifetime]") {
    ConnectionPtr parked;
    {
        SimWorld world;
        world.join();
        world.settle();
        world.client->set_persistent(true);
        parked = world.client->connection();
        world.client->stop();
        world.client.reset();
        CHECK(parked->is_connected());
        // With its transport still open: it is the reactor's to end.
        world.server.reset();
    }
    use_ended(*parked);
}

TEST_CASE("link: disconnect() closes the descriptor before it returns, and tells from the loop", "[link][lifetime]") {
    SimWorld world;
    SimPeer peer = world.open_client();
    world.at_server.take();
    const bool in_callback = GENERATE(false, true);
    if (in_callback) {
        world.at_server.then = [&](std::string_view line, Connection* connection) {
            if (!line.starts_with("text")) return;
            connection->disconnect();
            CHECK(world.counts->open == 0);
            CHECK(world.at_server.lines().size() == 1);
        };
        peer.text("x");
        peer.text("not delivered any more");
        world.settle();
        CHECK(world.at_server.take() == Lines{"text x", "disconnect 1006"});
    } else {
        world.newest()->disconnect();
        CHECK(world.counts->open == 0);
        CHECK(world.at_server.lines().empty());
        world.settle();
        CHECK(world.at_server.take() == Lines{"disconnect 1006"});
    }
    CHECK_FALSE(world.at_server.ending()->error);
    CHECK(peer.socket().sees_end());
}

TEST_CASE("link: an endpoint that is destroyed tells nobody, and frees its connections at once", "[link][lifetime]") {
    SimWorld world;
    std::vector<SimPeer> peers;
    for (int i = 0; i < 3; ++i) peers.push_back(world.open_client());
    SimPeer opening = world.raw_client();
    world.at_server.take();
    world.at_server.then = [&](std::string_view line, Connection*) {
        if (line == "text end") world.server.reset();
    };
    for (SimPeer& peer : peers) peer.text("end");
    world.settle();
    CHECK(world.at_server.take() == Lines{"text end"});
    CHECK(world.counts->transports == 0);
    CHECK(world.loop.armed() == 0);
    for (SimPeer& peer : peers) CHECK((peer.socket().sees_end() || peer.socket().is_reset()));
    CHECK(opening.socket().sees_end());
}

TEST_CASE("link: a listener that is replaced while it runs runs to its end", "[link][lifetime]") {
    SimWorld world;
    SimPeer peer = world.open_client();
    std::string said;
    const auto witness = std::make_shared<std::string>("first");
    world.server->on_text([&, witness](Connection&, MessageView message) {
        world.server->on_text([&](Connection&, MessageView) { said += " second"; });
        said += *witness + " " + std::string(message.content);
    });
    peer.text("x");
    peer.text("y");
    world.settle();
    CHECK(said == "first x second");
    CHECK(witness.use_count() == 1);
}

TEST_CASE("link: a broadcast goes to those that are there, whatever their middlewares do", "[link][lifetime]") {
    SimWorld world;
    std::vector<SimPeer> peers;
    for (int i = 0; i < 4; ++i) peers.push_back(world.open_client());
    std::vector<ConnectionPtr> all;
    for (const auto& connection : world.server->connections()) all.push_back(connection);
    const auto middleware = std::make_shared<Callback>();
    std::size_t expected = 4;
    SECTION("nothing") {
        middleware->on_outgoing = [](Connection&, const MessageView& m, const Next& next) { return next(m); };
    }
    SECTION("disconnecting itself") {
        middleware->on_outgoing = [](Connection& c, const MessageView&, const Next&) { return c.disconnect(), SendStatus::closed; };
        expected = 3;
    }
    SECTION("disconnecting all others") {
        middleware->on_outgoing = [&](Connection& c, const MessageView& m, const Next& next) {
            for (const auto& other : all)
                if (other.get() != &c) other->disconnect();
            return next(m);
        };
        expected = 2;  // the first had it already, the second has it now
    }
    all[1]->add_middleware(middleware);
    CHECK(world.server->text("all") == expected);
    middleware->on_outgoing = {};
    all.clear();
    world.settle();
}

TEST_CASE("link: a broadcast that destroys the server ends there", "[link][lifetime]") {
    SimWorld world;
    std::vector<SimPeer> peers;
    for (int i = 0; i < 3; ++i) peers.push_back(world.open_client());
    const auto middleware = std::make_shared<Callback>();
    middleware->on_outgoing = [&](Connection&, const MessageView& m, const Next& next) {
        world.server.reset();
        return next(m);
    };
    world.newest()->add_middleware(middleware);
    CHECK(world.server->text("all") == 2);
    world.settle();
    CHECK(world.counts->transports == 0);
}
