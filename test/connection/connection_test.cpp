#include <hawser/connection.hpp>

#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/sim_world.hpp"

using namespace hawser;
using namespace support;
using Catch::Matchers::ContainsSubstring;
using Lines = std::vector<std::string>;

TEST_CASE("connection: a prepared message has its frames, unmasked and cut by its frame size", "[connection]") {
    const PreparedMessage whole({Opcode::text, "hello"});
    CHECK(*whole.frames() == "\x81\x05hello");
    CHECK(whole.view().content == "hello");
    CHECK(whole.frame_size() == Configuration{}.frame_size);
    const PreparedMessage cut({Opcode::binary, "hello"}, 2);
    CHECK(*cut.frames() == std::string("\x02\x02he\x00\x02ll\x80\x01o", 11));
    const PreparedMessage copy = cut;
    CHECK(copy.frames() == cut.frames());
    CHECK(copy.view().content.data() == cut.view().content.data());
    CHECK(*PreparedMessage({Opcode::close, "bye", CloseCode::normal}).frames() ==
          "\x88\x05\x03\xE8"
          "bye");
}

TEST_CASE("connection: a message that cannot be sent cannot be prepared", "[connection]") {
    const auto prepare = [](const MessageView& message, std::size_t frame_size = 1) {
        return [=] { PreparedMessage(message, frame_size); };
    };
    CHECK_THAT(error_of(Errc::message_encoding, prepare({Opcode::text, "\xFF"})), ContainsSubstring("UTF-8"));
    const std::string longest(125, 'p');
    CHECK_NOTHROW(PreparedMessage({Opcode::ping, longest}));
    const std::string longer(126, 'p');
    CHECK_THAT(error_of(Errc::message_too_big, prepare({Opcode::ping, longer})), ContainsSubstring("125"));
    CHECK_THAT(error_of(Errc::message_encoding, prepare({Opcode::close, {}, CloseCode::abnormal})), ContainsSubstring("1006"));
    CHECK_THAT(error_of(Errc::bad_opcode, prepare({static_cast<Opcode>(3), {}})), ContainsSubstring("opcode 3"));
    CHECK_THAT(error_of(Errc::invalid_option, prepare({Opcode::text, "x"}, 0)), ContainsSubstring("frame size"));
}

TEST_CASE("connection: one prepared message is shared by all servers' connections that cut alike", "[connection]") {
    SimWorld world;
    // Nothing leaves, so that what is queued can be looked at.
    const WireOptions full{.capacity = 400};
    std::vector<SimPeer> peers;
    for (int i = 0; i < 3; ++i) {
        peers.push_back(world.open_client(full));
        peers.back().socket().hold(true);
        world.newest()->binary(std::string(500, 'f'));
        world.settle();
    }
    world.newest()->set_frame_size(100);
    const PreparedMessage message({Opcode::text, std::string(1000, 'm')});
    CHECK(world.server->send(message) == 3);
    // The message's own, and one for each of the two that send its frames.
    CHECK(message.frames().use_count() == 3);
    world.settle();
    for (SimPeer& peer : peers) {
        peer.socket().hold(false);
        Lines all;
        for (int i = 0; i < 10; ++i) {
            const Lines some = peer.lines();
            all.insert(all.end(), some.begin(), some.end());
            world.settle();
        }
        CHECK(all == Lines{"binary " + std::string(500, 'f'), "text " + std::string(1000, 'm')});
    }
    CHECK(message.frames().use_count() == 1);
}

TEST_CASE("connection: a client masks a prepared message, and cuts it by its own frame size", "[connection]") {
    SimWorld world;
    SimPeer peer = world.open_server();
    world.client->connection()->set_frame_size(400);
    const PreparedMessage message({Opcode::text, std::string(1000, 'm')});
    CHECK(world.client->connection()->send(message) == SendStatus::ok);
    CHECK(message.frames().use_count() == 1);
    world.settle();
    SECTION("the frames") { CHECK(peer.frames() == std::vector<std::pair<unsigned, std::size_t>>{{1, 400}, {0, 400}, {0, 200}}); }
    SECTION("the content") { CHECK(peer.lines() == Lines{"text " + std::string(1000, 'm')}); }
}

TEST_CASE("connection: a middleware sees a prepared message, and may change or drop it", "[connection]") {
    SimWorld world;
    const auto middleware = std::make_shared<Callback>();
    middleware->on_outgoing = [](Connection&, const MessageView& message, const Next& next) {
        if (message.content == "drop") return SendStatus::dropped;
        if (message.content != "change") return next(message);
        return next({message.opcode, "longer than before"});
    };
    world.server->add_middleware(middleware);
    SimPeer peer = world.open_client();
    const ConnectionPtr connection = world.newest();
    CHECK(connection->send(PreparedMessage({Opcode::text, "change"})) == SendStatus::ok);
    CHECK(connection->send(PreparedMessage({Opcode::text, "drop"})) == SendStatus::dropped);
    CHECK(connection->send(PreparedMessage({Opcode::text, "same"})) == SendStatus::ok);
    world.settle();
    CHECK(peer.lines() == Lines{"text longer than before", "text same"});
    world.kept = 1;
    world.end();
}

TEST_CASE("connection: a middleware that throws leaves no trace of a prepared message", "[connection]") {
    SimWorld world;
    SimPeer peer = world.open_client();
    const auto middleware = std::make_shared<Callback>();
    middleware->on_outgoing = [](Connection&, const MessageView&, const Next&) -> SendStatus { throw std::runtime_error("no"); };
    world.newest()->add_middleware(middleware);
    CHECK_THROWS_WITH(world.newest()->send(PreparedMessage({Opcode::text, "first"})), "no");
    world.newest()->remove_middleware(*middleware);
    CHECK(world.newest()->text("fresh") == SendStatus::ok);
    world.settle();
    CHECK(peer.lines() == Lines{"text fresh"});
}

TEST_CASE("connection: messages of the model's five kinds are sent as they are", "[connection]") {
    SimWorld world;
    SimPeer peer = world.open_client();
    const ConnectionPtr connection = world.newest();
    CHECK(connection->send(Text("t")) == SendStatus::ok);
    CHECK(connection->send(Binary("b")) == SendStatus::ok);
    CHECK(connection->send(Ping("pi")) == SendStatus::ok);
    CHECK(connection->send(Pong("po")) == SendStatus::ok);
    CHECK(connection->send(Close(4001, "c")) == SendStatus::ok);
    CHECK(connection->send(Text("late")) == SendStatus::closed);
    world.settle();
    CHECK(peer.lines() == Lines{"text t", "binary b", "ping pi", "pong po", "close 4001 c"});
    world.kept = 1;
    world.end();
}
