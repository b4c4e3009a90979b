#include "support/loopback.hpp"
#include "support/sim_world.hpp"

using namespace support;

TEST_CASE("callback: a function that is set once it was added is called, one that is emptied forwards") {
    SimWorld world;
    const auto callback = std::make_shared<Callback>();
    world.server->add_middleware(callback);
    SimPeer first = world.open_client();
    first.text("past no function");
    world.newest()->text("likewise");
    world.settle();
    CHECK(world.at_server.take() == std::vector<std::string>{"handshake", "text past no function"});
    CHECK(first.lines() == std::vector<std::string>{"text likewise"});

    std::vector<std::string> seen;
    callback->on_incoming = [&](Connection&, const MessageView& m, const Next& next) { seen.emplace_back("in"), next(m); };
    callback->on_outgoing = [&](Connection&, const MessageView& m, const Next& next) { return seen.emplace_back("out"), next(m); };
    callback->on_http_incoming = [&](Connection&, HttpMessage m, const HttpNext& next) {
        seen.emplace_back("request"), next(std::move(m));
    };
    callback->on_http_outgoing = [&](Connection&, HttpMessage m, const HttpNext& next) {
        seen.emplace_back("response"), next(std::move(m));
    };
    callback->on_tick = [&](Connection&, const TickNext& next) { seen.emplace_back("tick"), next(); };
    SimPeer second = world.open_client();
    second.text("shown");
    world.settle();
    world.newest()->text("shown");
    world.newest()->tick();
    CHECK(seen == std::vector<std::string>{"request", "response", "in", "out", "tick"});

    *callback = Callback();
    SimPeer third = world.open_client();
    third.text("past no function");
    world.newest()->text("likewise");
    world.newest()->tick();
    world.settle();
    CHECK(third.lines() == std::vector<std::string>{"text likewise"});
    CHECK(world.at_server.count("text past no function") == 1);
    CHECK(seen.size() == 5);
}

TEST_CASE("callback: all five functions see what passes") {
    Loopback loop;
    std::vector<std::string> seen;
    auto callback = std::make_shared<Callback>();
    callback->on_incoming = [&](Connection&, const MessageView& m, const Next& next) {
        seen.push_back("in " + std::string(m.opcode_name()));
        next(m);
    };
    callback->on_outgoing = [&](Connection&, const MessageView& m, const Next& next) {
        seen.push_back("out " + std::string(m.opcode_name()));
        return next(m);
    };
    callback->on_http_incoming = [&](Connection&, HttpMessage m, const HttpNext& next) {
        seen.push_back("request " + std::get<Request>(m).target);
        next(std::move(m));
    };
    callback->on_http_outgoing = [&](Connection&, HttpMessage m, const HttpNext& next) {
        seen.push_back("response " + std::to_string(std::get<Response>(m).status));
        next(std::move(m));
    };
    callback->on_tick = [&](Connection&, const TickNext& next) {
        seen.push_back("tick");
        next();
    };
    loop.server.add_middleware(callback)
        .on_text([](Connection& connection, MessageView m) {
            connection.text(m.content);
            connection.tick();
        })
        .start();
    Client client(loop.reactor, loop.uri("/x"));
    client.on_text([](Connection& connection, MessageView) { connection.close(); });
    client.text("hello");
    loop.until([&] { return loop.endings.size() == 1; });
    CHECK(seen == std::vector<std::string>{"request /x", "response 101", "in text", "out text", "tick", "in close", "out close"});
}
