#include <stdexcept>

#include "connection/link.hpp"
#include "support/catch.hpp"
#include "support/sim_world.hpp"

using namespace hawser;
using namespace support;
using Lines = std::vector<std::string>;

namespace {

/// A server with one connection to a peer, whose first text "throw" makes the server's listener throw.
struct Throwing {
    explicit Throwing(std::function<void()> function) {
        world.at_server.take();
        world.at_server.then = [=](std::string_view line, Connection*) {
            if (line == "text throw") function();
        };
    }
    SimWorld world;
    SimPeer peer = world.open_client();
};

void throw_error() { throw std::runtime_error("from a callback"); }

}  // namespace

TEST_CASE("link: an exception closes its connection with 1011, is told, and the loop goes on", "[link][exceptions]") {
    Throwing test(throw_error);
    SimPeer other = test.world.open_client();
    test.world.at_server.take();
    // All in one read.
    for (const char* content : {"before", "throw", "behind", "throw"}) test.peer.text(content);
    other.text("other");
    test.world.settle();
    CHECK(test.peer.lines() == Lines{"close 1011"});
    CHECK(test.world.at_server.count("text other") == 1);
    CHECK(test.world.at_server.count("text behind") == 0);
    CHECK(test.world.at_server.count("error callback_failed") == 1);
    REQUIRE(test.world.at_server.errors().size() == 1);
    const std::string& sentence = test.world.at_server.errors()[0];
    CHECK(sentence.ends_with(": a callback threw an exception: from a callback"));
    test.world.at_server.take();
    test.peer.close(CloseCode::internal_error);
    test.peer.finish();
    test.world.settle();
    CHECK(test.world.at_server.take() == Lines{"disconnect 1006"});
    CHECK(test.world.at_server.ending()->error->what() == sentence);
    other.text("again");
    test.world.settle();
    CHECK(test.world.at_server.take() == Lines{"text again"});
}

TEST_CASE("link: on_error is told of an exception with the connection, which takes nothing more", "[link][exceptions]") {
    Throwing test(throw_error);
    const ConnectionPtr connection = test.world.newest();
    int told = 0;
    test.world.server->on_error([&](Connection* of, const Error& error) {
        ++told;
        CHECK(of == connection.get());
        CHECK(error.errc() == Errc::callback_failed);
        CHECK(error.level() == ErrorLevel::connection);
        CHECK(of->text("late") == SendStatus::closed);
    });
    test.peer.text("throw");
    test.world.settle();
    CHECK(told == 1);
    CHECK_FALSE(connection->is_readable());
    // A peer that does not answer is not waited for beyond close_timeout.
    test.world.pass(Seconds(6));
    CHECK_FALSE(connection->is_connected());
}

TEST_CASE("link: whatever is thrown is told", "[link][exceptions]") {
    std::function<void()> function;
    std::string expected;
    SECTION("no std::exception") {
        function = [] { throw 7; }, expected = "a callback threw an exception that is no std::exception";
    }
    SECTION("an Error of a call that was misused") {
        function = [] { throw Error(Errc::reentrant, "not here"); };
        expected = "a callback threw an exception: not here";
    }
    Throwing test(function);
    test.peer.text("throw");
    test.world.settle();
    CHECK(test.world.at_server.take() == Lines{"text throw", "error callback_failed"});
    CHECK(test.world.at_server.errors().back().ends_with(expected));
    CHECK(test.peer.lines() == Lines{"close 1011"});
}

TEST_CASE("link: on_exception is shown the connection too, and may break the loop", "[link][exceptions]") {
    Throwing test(throw_error);
    const Connection* const connection = test.world.newest().get();
    bool breaks = false;
    std::vector<const Connection*> shown;
    test.world.reactor.on_exception([&](std::exception_ptr exception, Connection* of) {
        shown.push_back(of);
        if (breaks) std::rethrow_exception(exception);
    });
    SECTION("it goes on") {
        test.peer.text("throw");
        test.world.settle();
    }
    SECTION("it breaks the loop") {
        breaks = true;
        test.peer.text("throw");
        CHECK_THROWS_WITH(test.world.settle(), "from a callback");
        test.world.settle();
    }
    CHECK(shown == std::vector{connection});
    CHECK(test.world.at_server.take() == Lines{"text throw", "error callback_failed"});
    CHECK(test.peer.lines() == Lines{"close 1011"});
    // What belongs to no connection goes the same way without one.
    breaks = false;
    test.world.reactor.post(throw_error);
    test.world.settle();
    CHECK(shown == std::vector<const Connection*>{connection, nullptr});
}

TEST_CASE("link: what on_error throws while it is told of an exception is not told again", "[link][exceptions]") {
    Throwing test(throw_error);
    int told = 0, shown = 0;
    test.world.reactor.on_exception([&](std::exception_ptr) { ++shown; });
    const auto logger = std::make_shared<Lines>();
    test.world.newest()->set_logger(callback_logger([=](LogLevel, std::string_view message, LogFields) { logger->emplace_back(message); }));
    test.world.server->on_error([&](Connection*, const Error&) { ++told, throw std::logic_error("from on_error"); });
    test.peer.text("throw");
    test.world.settle();
    CHECK(told == 1);
    CHECK(shown == 2);
    CHECK(test.peer.lines() == Lines{"close 1011"});
    REQUIRE(logger->size() == 1);
    CHECK(logger->front().ends_with("from on_error"));
}

TEST_CASE("link: on_error may throw when it is told of anything else", "[link][exceptions]") {
    Throwing test([] {});
    int told = 0;
    test.world.server->on_error([&](Connection*, const Error&) { ++told, throw Error(Errc::message_encoding, "mild, each time"); });
    test.world.newest()->text("\xFF");
    test.world.settle();
    CHECK(told == 2);
    CHECK(test.world.newest()->is_writable());
    test.world.server->on_error([&](Connection*, const Error&) { ++told, throw_error(); });
    test.world.newest()->text("\xFF");
    test.world.settle();
    CHECK(told == 4);
    CHECK(test.peer.lines() == Lines{"close 1011"});
}

TEST_CASE("link: what was sent before an exception still leaves", "[link][exceptions]") {
    Throwing test(throw_error);
    test.world.server->on_text([](Connection& connection, MessageView) {
        connection.text("sent");
        throw_error();
    });
    test.peer.text("x");
    test.world.settle();
    CHECK(test.peer.lines() == Lines{"text sent", "close 1011"});
}

TEST_CASE("link: an exception of on_disconnect is told without the connection, and the loop goes on", "[link][exceptions]") {
    Throwing test([] {});
    Connection* shown = nullptr;
    test.world.reactor.on_exception([&](std::exception_ptr, Connection* of) { shown = of; });
    std::string told;
    test.world.server->on_disconnect([](Connection&, const Disconnect&) { throw_error(); });
    test.world.server->on_error([&](Connection* of, const Error& error) {
        CHECK(of == nullptr);
        told += error.what();
        throw std::logic_error("from on_error");
    });
    const Connection* const connection = test.world.newest().get();
    test.peer.finish();
    test.world.settle();
    CHECK(told.ends_with("a callback threw an exception: from a callback"));
    CHECK(shown == connection);
    CHECK(test.world.server->connection_count() == 0);
}

TEST_CASE("link: an exception in the opening handshake refuses it, is told once, and the loop goes on", "[link][exceptions]") {
    SimWorld world;
    const auto middleware = std::make_shared<Callback>();
    const auto fail = [](Connection&, HttpMessage, const HttpNext&) { throw_error(); };
    (GENERATE(false, true) ? middleware->on_http_incoming : middleware->on_http_outgoing) = fail;
    SECTION("server") {
        world.server->add_middleware(middleware);
        SimPeer peer = world.raw_client();
        peer.shake_hands();
        world.settle();
        CHECK(peer.take_head().starts_with("HTTP/1.1 500 "));
        CHECK(world.at_server.take() == Lines{"error callback_failed"});
    }
    SECTION("client") {
        world.client->add_middleware(middleware);
        SimPeer peer = world.raw_server();
        world.settle();
        if (peer.has_head()) peer.shake_hands();
        world.settle();
        CHECK(world.at_client.take() == Lines{"error callback_failed"});
        CHECK(world.counts->open == 0);
    }
}

TEST_CASE("link: an exception of a tick hook, of on_handshake and of on_drain closes the connection as well", "[link][exceptions]") {
    SimWorld world({.high_water_mark = 10, .low_water_mark = 5});
    const auto middleware = std::make_shared<Callback>();
    SECTION("tick") {
        middleware->on_tick = [](Connection&, const TickNext&) { throw_error(); };
        world.server->add_middleware(middleware).start();
    }
    SECTION("on_handshake") {
        world.server->on_handshake([](Connection&, const Request&, const Response&) { throw_error(); });
    }
    SECTION("on_connect") {
        world.server->on_connect([](Connection&, const Request&, const Response&) { throw_error(); });
    }
    SECTION("on_drain") {
        world.server->on_drain([](Connection&) { throw_error(); });
    }
    SimPeer peer = world.open_client();
    if (const ConnectionPtr connection = world.server->connections().first(); connection->is_writable()) {
        connection->tick();
        connection->text("more than ten bytes");
    }
    world.settle();
    CHECK(peer.lines().back() == "close 1011");
    CHECK(world.at_server.count("error callback_failed") == 1);
}

TEST_CASE("link: CloseRequested closes with its status and reason", "[link][exceptions]") {
    Throwing test([] { throw CloseRequested(CloseCode::policy_violation, "not here"); });
    test.peer.text("throw");
    test.peer.text("behind");
    test.world.settle();
    // Messages go on arriving until the peer's Close does.
    CHECK(test.world.at_server.take() == Lines{"text throw", "text behind"});
    CHECK(test.peer.lines() == Lines{"close 1008 not here"});
    test.peer.close(CloseCode::policy_violation);
    test.world.settle();
    CHECK(test.world.at_server.take() == Lines{"close 1008", "disconnect 1008 clean"});
}

TEST_CASE("link: CloseRequested during the handshake ends it", "[link][exceptions]") {
    SimWorld world;
    const auto middleware = std::make_shared<Callback>();
    middleware->on_http_incoming = [](Connection&, HttpMessage, const HttpNext&) { throw CloseRequested(); };
    world.server->add_middleware(middleware);
    SimPeer peer = world.raw_client();
    peer.shake_hands();
    world.settle();
    CHECK(world.at_server.lines().empty());
    CHECK(peer.socket().sees_end());
    CHECK(world.counts->open == 0);
}

TEST_CASE("link: ReconnectRequested ends a connection, and its client connects anew", "[link][exceptions]") {
    SimWorld world;
    world.join();
    world.settle();
    world.at_client.then = [](std::string_view line, Connection*) {
        if (line.starts_with("text")) throw ReconnectRequested("/elsewhere");
    };
    SECTION("from a message") {
        world.newest()->text("x");
        world.settle();
        // There is nothing there to connect to, but it was tried.
        CHECK(world.at_client.lines() == Lines{"handshake", "text x", "disconnect 1006", "error client_failed"});
        CHECK(world.client->uri().target() == "/elsewhere");
    }
    SECTION("from on_disconnect") {
        world.at_client.then = [](std::string_view line, Connection*) {
            if (line.starts_with("disconnect")) throw ReconnectRequested();
        };
        world.newest()->disconnect();
        world.settle();
        CHECK(world.at_client.lines() == Lines{"handshake", "disconnect 1006", "error client_failed"});
    }
}

TEST_CASE("link: ReconnectRequested on a server ends the connection", "[link][exceptions]") {
    Throwing test([] { throw ReconnectRequested("/elsewhere"); });
    test.peer.text("throw");
    test.world.settle();
    CHECK(test.world.at_server.take() == Lines{"text throw", "disconnect 1006"});
}

TEST_CASE("link: an Error thrown by a callback is reported as its level says", "[link][exceptions]") {
    Errc code{};
    Throwing test([&] { throw Error(code, "from a callback"); });
    test.peer.text("throw");
    test.peer.text("behind");
    SECTION("message") {
        code = Errc::message_too_big;
        test.world.settle();
        CHECK(test.world.at_server.take() == Lines{"text throw", "error message_too_big", "text behind"});
    }
    SECTION("connection") {
        code = Errc::connection_failure;
        test.world.settle();
        CHECK(test.world.at_server.take() == Lines{"text throw", "error connection_failure", "disconnect 1006"});
        CHECK(test.world.at_server.ending()->error);
    }
    SECTION("handler") {
        code = Errc::invalid_option;
        test.world.settle();
        CHECK(test.world.at_server.take() == Lines{"text throw", "error callback_failed"});
    }
}

TEST_CASE("link: an outgoing middleware's exception is its caller's", "[link][exceptions]") {
    Throwing test([] {});
    const auto middleware = std::make_shared<Callback>();
    middleware->on_outgoing = [](Connection&, const MessageView&, const Next&) -> SendStatus {
        throw_error();
        return {};
    };
    test.world.newest()->add_middleware(middleware);
    CHECK_THROWS_WITH(test.world.newest()->text("x"), "from a callback");
    CHECK(test.world.newest()->is_writable());
    // If the caller is a stock middleware, the connection is.
    test.peer.send({Opcode::ping, "p"});
    test.world.settle();
    CHECK(test.peer.lines() == Lines{"close 1011"});
}

TEST_CASE("link: what an outgoing middleware throws to steer the connection, send() sees to", "[link][exceptions]") {
    Throwing test([] {});
    std::function<void(const MessageView&)> judge;
    const auto middleware = std::make_shared<Callback>();
    middleware->on_outgoing = [&](Connection&, const MessageView& message, const Next& next) {
        judge(message);
        return next(message);
    };
    ConnectionPtr connection = test.world.newest();
    connection->add_middleware(middleware);
    SECTION("CloseRequested, at the text or at the Close too") {
        const bool always = GENERATE(false, true);
        judge = [=](const MessageView& message) {
            if (always || message.opcode == Opcode::text) throw CloseRequested(CloseCode::policy_violation, "no");
        };
        CHECK(connection->text("x") == SendStatus::closed);
        test.world.settle();
        CHECK(test.peer.lines() == Lines{"close 1008 no"});
    }
    SECTION("an Error of the message") {
        judge = [](const MessageView&) { throw Error(Errc::message_too_big, "from a hook"); };
        CHECK(connection->text("x") == SendStatus::refused);
        CHECK(test.world.at_server.take() == Lines{"error message_too_big"});
        CHECK(connection->is_writable());
        judge = [](const MessageView&) {};
    }
    SECTION("an Error of the connection") {
        judge = [](const MessageView&) { throw Error(Errc::protocol_error, "from a hook"); };
        CHECK(connection->text("x") == SendStatus::closed);
        test.world.settle();
        CHECK(test.world.at_server.take() == Lines{"error protocol_error", "disconnect 1006"});
    }
    SECTION("ReconnectRequested") {
        judge = [](const MessageView&) { throw ReconnectRequested(); };
        CHECK(connection->text("x") == SendStatus::closed);
        test.world.settle();
        CHECK(test.world.at_server.take() == Lines{"disconnect 1006"});
    }
    connection->remove_middleware(*middleware);
    connection.reset();
}

TEST_CASE("link: on_error may steer when it hears of what a callback threw", "[link][exceptions]") {
    SimWorld world;
    world.join();
    world.settle();
    world.at_client.then = [](std::string_view line, Connection*) {
        if (line.starts_with("text")) throw Error(Errc::connection_failure, "from a callback");
        if (line == "error connection_failure") throw ReconnectRequested("/elsewhere");
    };
    world.newest()->text("x");
    world.settle();
    CHECK(world.at_client.lines() ==
          Lines{"handshake", "text x", "error connection_failure", "disconnect 1006", "error client_failed"});
    CHECK(world.client->uri().target() == "/elsewhere");
}

TEST_CASE("link: a Close that cannot be, or an error that only claims to steer, is a failed callback", "[link][exceptions]") {
    const auto [fails, function] = GENERATE(
        std::pair<bool, void (*)()>{true, [] { throw CloseRequested(CloseCode::abnormal); }},
        std::pair<bool, void (*)()>{false, [] { throw CloseRequested(CloseCode::normal, std::string(123, 'x')); }},
        std::pair<bool, void (*)()>{true, [] { throw CloseRequested(CloseCode::normal, std::string(124, 'x')); }},
        std::pair<bool, void (*)()>{true, [] { throw Error(Errc::close_requested, "x"); }});
    Throwing test(function);
    test.peer.text("throw");
    test.world.settle();
    CHECK(test.peer.lines() == Lines{fails ? "close 1011" : "close 1000 " + std::string(123, 'x')});
    CHECK(test.world.at_server.errors().size() == (fails ? 1 : 0));
    CHECK(test.world.at_server.count("error callback_failed") == (fails ? 1 : 0));
}

TEST_CASE("link: an error of a hook that only claims to steer is the sender's", "[link][exceptions]") {
    SimWorld world;
    SimPeer peer = world.open_client();
    const auto hook = std::make_shared<Callback>();
    hook->on_outgoing = [](Connection&, const MessageView&, const Next&) -> SendStatus { throw Error(Errc::close_requested, "x"); };
    world.server->add_middleware(hook);
    const ConnectionPtr connection = world.newest();
    world.at_server.take();
    CHECK_THROWS_AS(connection->text("x"), Error);
    world.settle();
    CHECK(connection->is_writable());
    CHECK(world.at_server.lines().empty());
}
