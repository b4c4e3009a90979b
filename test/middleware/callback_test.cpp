#include "support/loopback.hpp"

using namespace support;

TEST_CASE("callback: it wants the hooks whose functions are set") {
    Callback callback;
    CHECK(callback.hooks() == Hook::none);
    callback.on_incoming = [](Connection&, const MessageView&, const Next&) {};
    CHECK(callback.hooks() == Hook::incoming);
    callback.on_outgoing = [](Connection&, const MessageView&, const Next&) { return SendStatus::dropped; };
    callback.on_http_incoming = [](Connection&, HttpMessage, const HttpNext&) {};
    callback.on_http_outgoing = [](Connection&, HttpMessage, const HttpNext&) {};
    callback.on_tick = [](Connection&, const TickNext&) {};
    CHECK(callback.hooks() == (Hook::incoming | Hook::outgoing | Hook::http_incoming | Hook::http_outgoing | Hook::tick));
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
