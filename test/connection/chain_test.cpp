#include "connection/chain.hpp"

#include "support/catch.hpp"
#include "support/sim_world.hpp"

using namespace hawser;
using namespace support;
using Lines = std::vector<std::string>;

namespace {

std::shared_ptr<Callback> incoming(std::function<void(Connection&, const MessageView&, const Next&)> function) {
    const auto middleware = std::make_shared<Callback>();
    middleware->on_incoming = std::move(function);
    return middleware;
}

std::shared_ptr<Callback> outgoing(std::function<SendStatus(Connection&, const MessageView&, const Next&)> function) {
    const auto middleware = std::make_shared<Callback>();
    middleware->on_outgoing = std::move(function);
    return middleware;
}

/// Adds its name to what passes, and to the order in which hooks begin and end.
std::shared_ptr<Callback> mark(char name, std::string& order) {
    const auto middleware = std::make_shared<Callback>();
    const auto passing = [name, &order](const MessageView& message, const Next& next) {
        order += name;
        const std::string content = std::string(message.content) + name;
        const SendStatus status = next({message.opcode, content, message.close_status});
        order += static_cast<char>(name + 'A' - 'a');
        return status;
    };
    middleware->on_incoming = [=](Connection&, const MessageView& message, const Next& next) { passing(message, next); };
    middleware->on_outgoing = [=](Connection&, const MessageView& message, const Next& next) { return passing(message, next); };
    return middleware;
}

/// A server with one connection to a peer.
struct Pair {
    SimWorld world;
    SimPeer peer = world.open_client();
    Journal& journal = world.at_server;
    SimServer& server = *world.server;

    Pair() { journal.take(); }
    Lines receive(std::string_view text) {
        peer.text(text);
        world.settle();
        return journal.take();
    }
    Lines sent() {
        world.settle();
        return peer.lines();
    }
};

}  // namespace

TEST_CASE("chain: what is sent passes from the first to the last, what is received from the last to the first", "[chain]") {
    Pair pair;
    std::string order;
    pair.server.add_middleware(mark('a', order)).add_middleware(mark('b', order));
    pair.world.newest()->add_middleware(mark('z', order));
    pair.server.add_middleware(mark('c', order));
    CHECK(pair.receive("-") == Lines{"text -zcba"});
    CHECK(order == "zcbaABCZ");
    order.clear();
    pair.world.newest()->text("-");
    CHECK(order == "abczZCBA");
    CHECK(pair.sent() == Lines{"text -abcz"});
}

TEST_CASE("chain: an incoming hook may change, drop, multiply or answer a message", "[chain]") {
    Pair pair;
    pair.server.add_middleware(incoming([](Connection& connection, const MessageView& message, const Next& next) {
        if (message.content == "change") CHECK(next({Opcode::binary, "changed"}) == SendStatus::ok);
        if (message.content == "multiply") next({Opcode::text, "one"}), next(message), next({Opcode::pong, "three"});
        if (message.content == "answer") connection.text("answered");
    }));
    CHECK(pair.receive("change") == Lines{"binary changed"});
    CHECK(pair.receive("drop").empty());
    CHECK(pair.receive("multiply") == Lines{"text one", "text multiply", "pong three"});
    CHECK(pair.receive("answer").empty());
    CHECK(pair.sent() == Lines{"text answered"});
}

TEST_CASE("chain: next tells an incoming hook that the connection has ended", "[chain]") {
    Pair pair;
    SendStatus told = SendStatus::ok;
    pair.server.add_middleware(incoming([&](Connection&, const MessageView& message, const Next& next) {
        told = next(message);
        CHECK(next(message) == SendStatus::closed);
    }));
    pair.journal.then = [](std::string_view, Connection* connection) { connection->disconnect(); };
    // The listener of the ended connection's second message is not called.
    CHECK(pair.receive("x") == Lines{"text x", "disconnect 1006"});
    CHECK(told == SendStatus::closed);
}

TEST_CASE("chain: an outgoing hook may change, drop, multiply or answer a message", "[chain]") {
    Pair pair;
    pair.server.add_middleware(outgoing([](Connection& connection, const MessageView& message, const Next& next) {
        if (message.content == "drop") return SendStatus::dropped;
        if (message.content == "bad") return next({Opcode::text, "\xFF"});
        if (message.content == "multiply") return next({Opcode::ping, "one"}), next(message);
        if (message.content == "end") return connection.disconnect(), next(message);
        return next(message);
    }));
    const ConnectionPtr connection = pair.world.newest();
    CHECK(connection->text("drop") == SendStatus::dropped);
    CHECK(connection->text("bad") == SendStatus::refused);
    CHECK(pair.journal.take() == Lines{"error message_encoding"});
    CHECK(connection->text("multiply") == SendStatus::ok);
    CHECK(pair.sent() == Lines{"ping one", "text multiply"});
    CHECK(connection->text("end") == SendStatus::closed);
    pair.world.settle();
    pair.world.kept = 1;
    pair.world.end();
}

TEST_CASE("chain: a hook sees only the class of opcodes that it asks for", "[chain]") {
    struct Narrow final : Middleware {
        explicit Narrow(Hook hook) : hook_(hook) {}
        Hook hooks() const noexcept override { return hook_; }
        void incoming(Connection&, const MessageView& message, const Next& next) override {
            seen.push_back(line_of(message)), next(message);
        }
        SendStatus outgoing(Connection&, const MessageView& message, const Next& next) override {
            seen.push_back(line_of(message));
            return next(message);
        }
        Hook hook_;
        Lines seen;
    };
    Pair pair;
    const auto data_in = std::make_shared<Narrow>(Hook::incoming_data), control_in = std::make_shared<Narrow>(Hook::incoming_control);
    const auto data_out = std::make_shared<Narrow>(Hook::outgoing_data), control_out = std::make_shared<Narrow>(Hook::outgoing_control);
    const auto none = std::make_shared<Narrow>(Hook::none);
    pair.server.add_middleware(data_in).add_middleware(control_in).add_middleware(data_out).add_middleware(control_out);
    pair.server.add_middleware(none);
    pair.peer.text("t");
    pair.peer.send({Opcode::ping, "p"});
    pair.world.settle();
    pair.world.newest()->binary("b");
    pair.peer.close();
    pair.world.settle();
    CHECK(data_in->seen == Lines{"text t"});
    CHECK(control_in->seen == Lines{"ping p", "close 1000"});
    CHECK(data_out->seen == Lines{"binary b"});
    CHECK(control_out->seen == Lines{"pong p", "close 1000"});
    CHECK(none->seen.empty());
}

TEST_CASE("chain: a middleware that does not override a hook forwards", "[chain]") {
    struct All final : Middleware {
        Hook hooks() const noexcept override {
            return Hook::incoming | Hook::outgoing | Hook::http_incoming | Hook::http_outgoing | Hook::tick;
        }
    };
    SimWorld world;
    const auto all = std::make_shared<All>();
    world.server->add_middleware(all).add_middleware(std::make_shared<Callback>());
    world.client->add_middleware(all);
    world.join();
    world.settle();
    world.newest()->tick();
    world.newest()->text("hello");
    world.settle();
    CHECK(world.at_client.lines() == Lines{"handshake", "text hello"});
}

TEST_CASE("chain: a dispatch under way goes on with the list it began with", "[chain]") {
    Pair pair;
    std::string order;
    const auto first = mark('a', order);
    pair.server.add_middleware(first);
    pair.server.add_middleware(incoming([&](Connection&, const MessageView& message, const Next& next) {
        pair.server.remove_middleware(*first);
        pair.server.add_middleware(mark('n', order));
        next(message);
    }));
    CHECK(pair.receive("-") == Lines{"text -a"});
    CHECK(pair.receive("-") == Lines{"text -n"});
}

TEST_CASE("chain: a message goes on later, past the rest of its chain", "[chain][later]") {
    Pair pair;
    std::string order;
    std::vector<std::pair<LaterNext, Message>> waiting;
    pair.server.add_middleware(mark('a', order));
    const auto keeper = std::make_shared<Callback>();
    keeper->on_incoming = [&](Connection&, const MessageView& message, const Next& next) { waiting.emplace_back(next.later(), message); };
    keeper->on_outgoing = [&](Connection&, const MessageView& message, const Next& next) {
        waiting.emplace_back(next.later(), message);
        return SendStatus::dropped;
    };
    pair.server.add_middleware(keeper).add_middleware(mark('c', order));
    const auto go_on = [&] {
        const auto [next, message] = std::move(waiting.back());
        waiting.pop_back();
        return next(message);
    };
    CHECK(pair.receive("in").empty());
    // The keeper may be gone meanwhile.
    CHECK(go_on() == SendStatus::ok);
    CHECK(pair.journal.take() == Lines{"text inca"});

    CHECK(pair.world.newest()->text("out") == SendStatus::dropped);
    CHECK(pair.sent().empty());
    pair.server.remove_middleware(*keeper);
    CHECK(go_on() == SendStatus::ok);
    CHECK(pair.sent() == Lines{"text outac"});
}

TEST_CASE("chain: a message that goes on too late does nothing", "[chain][later]") {
    std::vector<LaterNext> later;
    {
        Pair pair;
        const auto keeper = std::make_shared<Callback>();
        keeper->on_incoming = [&](Connection&, const MessageView&, const Next& next) { later.push_back(next.later()); };
        keeper->on_outgoing = [&](Connection&, const MessageView&, const Next& next) {
            return later.push_back(next.later()), SendStatus::ok;
        };
        pair.server.add_middleware(keeper);
        pair.receive("in");
        pair.world.newest()->text("out");
        const ConnectionPtr handle = GENERATE(false, true) ? pair.world.newest() : nullptr;
        SECTION("behind disconnect()") { pair.world.newest()->disconnect(); }
        SECTION("behind the end of the server") { pair.world.server.reset(); }
        REQUIRE(later.size() == 2);
        for (const LaterNext& next : later) CHECK(next({Opcode::text, "late"}) == SendStatus::closed);
        pair.world.settle();
        for (const LaterNext& next : later) CHECK(next({Opcode::text, "late"}) == SendStatus::closed);
        CHECK_FALSE(pair.journal.has("text"));
        CHECK(pair.sent().empty());
        pair.world.kept = handle ? 1 : 0;
        pair.world.end();
    }
    for (const LaterNext& next : later) CHECK(next({Opcode::text, "late"}) == SendStatus::closed);
    CHECK(LaterNext()({Opcode::text, "never"}) == SendStatus::closed);
}

TEST_CASE("chain: a message that goes on later may end everything in its listener", "[chain][later]") {
    Pair pair;
    std::optional<LaterNext> later;
    pair.server.add_middleware(incoming([&](Connection&, const MessageView&, const Next& next) { later = next.later(); }));
    pair.receive("x");
    REQUIRE(later);
    SendStatus status = SendStatus::ok;
    const auto go_on = [&] { pair.world.reactor.post([&] { status = (*later)(Text("later")); }); };
    SECTION("destroying the server") {
        pair.journal.then = [&](std::string_view, Connection*) { pair.world.server.reset(); };
        go_on();
        pair.world.settle();
        CHECK(pair.journal.take() == Lines{"text later"});
        CHECK(status == SendStatus::closed);
    }
    SECTION("asking to close") {
        pair.journal.then = [&](std::string_view line, Connection*) {
            if (line.starts_with("text")) throw CloseRequested(CloseCode::policy_violation, "no");
        };
        go_on();
        CHECK(pair.sent() == Lines{"close 1008 no"});
    }
    SECTION("throwing") {
        pair.journal.then = [&](std::string_view, Connection*) { throw std::runtime_error("from a callback"); };
        go_on();
        CHECK(pair.sent() == Lines{"close 1011"});
        CHECK_FALSE(pair.world.newest()->is_writable());
    }
}

TEST_CASE("chain: one middleware serves several endpoints, and null is refused", "[chain]") {
    SimWorld world;
    std::string order;
    const auto shared = mark('m', order);
    world.server->add_middleware(shared);
    world.client->add_middleware(shared);
    world.join();
    world.settle();
    world.newest()->text("-");
    world.settle();
    CHECK(world.at_client.has("text -mm"));
    CHECK_THROWS_AS(world.server->add_middleware(nullptr), Error);
    CHECK_THROWS_AS(world.newest()->add_middleware(nullptr), Error);
}

TEST_CASE("chain: without the stock middlewares the application answers", "[chain]") {
    Pair pair;
    CHECK(pair.server.remove_ping_responder());
    CHECK(pair.server.remove_close_handler());
    CHECK_FALSE(pair.server.remove_ping_responder());
    CHECK_FALSE(pair.server.remove_close_handler());
    pair.peer.send({Opcode::ping, "p"});
    CHECK(pair.sent().empty());
    pair.peer.close(CloseCode::going_away);
    CHECK(pair.sent().empty());
    CHECK(pair.journal.take() == Lines{"ping p", "close 1001"});
    CHECK(pair.world.newest()->close(CloseCode::normal, "mine") == SendStatus::ok);
    CHECK(pair.sent() == Lines{"close 1000 mine"});
    CHECK(pair.journal.take() == Lines{"disconnect 1001 clean"});
}

TEST_CASE("chain: what goes on later may be given up in the hooks and listeners behind it", "[chain][later]") {
    Pair pair;
    std::optional<LaterNext> later;
    auto inner = incoming([&](Connection&, const MessageView& message, const Next& next) {
        later.reset();
        next(message);
        next(message);
    });
    const auto keeper = incoming([&](Connection&, const MessageView&, const Next& next) { later = next.later(); });
    pair.server.add_middleware(inner).add_middleware(keeper);
    pair.receive("x");
    // From here on it is the rest of the chain alone that keeps the middleware.
    pair.server.remove_middleware(*inner);
    pair.server.remove_middleware(*keeper);
    std::weak_ptr<Callback> kept = inner;
    inner.reset();
    pair.journal.then = [&](std::string_view, Connection*) { CHECK_FALSE(kept.expired()); };
    (*later)({Opcode::text, "later"});
    CHECK(pair.journal.take() == Lines{"text later", "text later"});
    CHECK(kept.expired());
}
