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

TEST_CASE("link: an exception leaves run(), and what else has arrived follows in the next run", "[link][exceptions]") {
    Throwing test(throw_error);
    // All in one read.
    for (const char* content : {"before", "throw", "behind", "throw", "last"}) test.peer.text(content);
    const bool at_once = GENERATE(false, true);
    if (!at_once) test.peer.finish();
    CHECK_THROWS_WITH(test.world.settle(), "from a callback");
    CHECK(test.world.at_server.take() == Lines{"text before", "text throw"});
    CHECK_THROWS_WITH(test.world.settle(), "from a callback");
    CHECK(test.world.at_server.take() == Lines{"text behind", "text throw"});
    test.world.settle();
    CHECK(test.world.at_server.take() == (at_once ? Lines{"text last"} : Lines{"text last", "disconnect 1006"}));
}

TEST_CASE("link: an exception goes to on_exception, and what else has arrived follows at once", "[link][exceptions]") {
    Throwing test(throw_error);
    int caught = 0;
    test.world.reactor.on_exception([&](std::exception_ptr) { ++caught; });
    for (const char* content : {"before", "throw", "behind", "throw", "last"}) test.peer.text(content);
    test.world.settle();
    CHECK(caught == 2);
    CHECK(test.world.at_server.take() == Lines{"text before", "text throw", "text behind", "text throw", "text last"});
}

TEST_CASE("link: an exception of one connection does not hold up or lose another's messages", "[link][exceptions]") {
    Throwing test(throw_error);
    SimPeer other = test.world.open_client();
    test.world.at_server.take();
    test.peer.text("throw");
    test.peer.text("behind");
    other.text("other");
    CHECK_THROWS_WITH(test.world.settle(), "from a callback");
    test.world.settle();
    CHECK(test.world.at_server.count("text behind") == 1);
    CHECK(test.world.at_server.count("text other") == 1);
}

TEST_CASE("link: what was sent before an exception still leaves", "[link][exceptions]") {
    Throwing test(throw_error);
    test.world.server->on_text([](Connection& connection, MessageView) {
        connection.text("sent");
        throw_error();
    });
    test.peer.text("x");
    CHECK_THROWS_WITH(test.world.settle(), "from a callback");
    test.world.settle();
    CHECK(test.peer.lines() == Lines{"text sent"});
}

TEST_CASE("link: pause() in a callback that throws keeps its hold", "[link][exceptions]") {
    Throwing test([] {});
    test.world.server->on_text([](Connection& connection, MessageView) {
        connection.pause();
        throw_error();
    });
    test.peer.text("x");
    test.peer.text("behind");
    CHECK_THROWS_WITH(test.world.settle(), "from a callback");
    test.world.settle();
    test.world.at_server.follow(*test.world.server);
    CHECK(test.world.at_server.take().empty());
    test.world.newest()->resume();
    test.world.settle();
    CHECK(test.world.at_server.take() == Lines{"text behind"});
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
        CHECK_THROWS_AS(test.world.settle(), Error);
        test.world.settle();
        CHECK(test.world.at_server.take() == Lines{"text throw", "text behind"});
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
    // Also if the caller is a stock middleware.
    test.peer.send({Opcode::ping, "p"});
    CHECK_THROWS_WITH(test.world.settle(), "from a callback");
    test.world.settle();
    CHECK(test.peer.lines().empty());
}
