#include "simulation/random_world.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>

#include <hawser/compression.hpp>

#include "support/catch.hpp"

namespace support {

using namespace hawser;

namespace {

/// What control frames may take beyond max_buffered_amount.
constexpr std::size_t control_reserve = 64 * 1024;

/// What a message may take on the wire beyond its own bytes: the headers of its frames, and a little where it does not compress.
std::size_t overhead(std::size_t length, std::size_t frame_size) {
    constexpr std::size_t incompressible = 16;
    return static_cast<std::size_t>(protocol::framed_size(length + incompressible, frame_size, true)) - length;
}

std::size_t fragment_count(std::size_t length, std::size_t frame_size) { return (length + frame_size - 1) / frame_size; }

/// What callbacks throw on purpose.
struct Thrown : std::runtime_error {
    Thrown() : std::runtime_error("from a callback") {}
};

constexpr const char* index_field = "X-Index";

}  // namespace

RandomWorld::RandomWorld(std::uint64_t seed) : world_({}, {}, seed), random_(seed) {
    world_.loop.limit_iterations(3'000'000);
    Configuration of_server = configuration();
    if (chance(4)) of_server.max_connections = 1 + up_to(3);
    world_.server->set_configuration(of_server);
    if (chance(2)) {
        world_.reactor.on_exception([](std::exception_ptr exception) {
            try {
                std::rethrow_exception(exception);
            } catch (const Thrown&) {
            }
        });
    }
    compress(*world_.server);
    listen(*world_.server, [this](Connection& connection) -> Side& {
        const Request* request = connection.handshake_request();
        const auto index = static_cast<std::size_t>(std::stoi(std::string(request->headers.get(index_field).value())));
        return pairs_[index]->at_server;
    });
}

Configuration RandomWorld::configuration() {
    Configuration configuration;
    configuration.timeout = Seconds(static_cast<double>(5 + up_to(60)));
    configuration.frame_size = chance(3) ? 1 + up_to(100) : 4096;
    configuration.high_water_mark = up_to(20'000);
    configuration.low_water_mark = up_to(configuration.high_water_mark);
    configuration.max_buffered_amount = 20'000 + up_to(300'000);
    configuration.overflow_policy = chance(2) ? OverflowPolicy::drop : OverflowPolicy::disconnect;
    configuration.max_queued_pongs = 1 + up_to(3);
    configuration.allow_half_open = chance(2);
    if (chance(6)) configuration.max_message_size = 1 + up_to(6000);
    if (chance(6)) configuration.max_fragment_count = 1 + up_to(20);
    return configuration;
}

WireOptions RandomWorld::wire() {
    WireOptions options;
    const std::size_t capacities[] = {64, 1000, 30'000, 300'000};
    options.capacity = capacities[up_to(3)];
    options.seed = chance(5) ? 0 : 1 + random_() % 1'000'000;
    options.record = chance(3) ? 1 + up_to(2000) : 0;
    if (chance(4)) options.reset_after[up_to(1)] = up_to(chance(2) ? 400 : 100'000);
    for (std::size_t& end_after : options.end_after)
        if (chance(8)) end_after = up_to(chance(2) ? 400 : 100'000);
    return options;
}

template <typename Endpoint>
bool RandomWorld::compress(Endpoint& endpoint) {
    if (chance(2)) return false;
    DeflateOptions options;
    options.server_no_context_takeover = chance(3);
    options.client_no_context_takeover = chance(3);
    options.server_max_window_bits = 9 + static_cast<int>(up_to(6));
    options.client_max_window_bits = 9 + static_cast<int>(up_to(6));
    options.memory_level = 1 + static_cast<int>(up_to(8));
    options.level = 1 + static_cast<int>(up_to(8));
    options.threshold = up_to(300);
    endpoint.add_middleware(std::make_shared<CompressionExtension>(options));
    return true;
}

template <typename Endpoint, typename Find>
void RandomWorld::listen(Endpoint& endpoint, Find find) {
    const auto hear = [=](Connection& connection) -> Side& {
        Side& side = find(connection);
        if (side.disconnects != 0) ++side.late;
        return side;
    };
    const auto message = [=, this](Connection& connection, MessageView view) {
        Side& side = hear(connection);
        if (!is_control(view.opcode)) receive(side, connection.configuration(), view);
        on_event(side, connection);
    };
    endpoint.on_text(message).on_binary(message).on_ping(message).on_pong(message).on_close(message);
    endpoint.on_handshake([=, this](Connection& connection, const Request&, const Response&) {
        Side& side = hear(connection);
        ++side.handshakes;
        side.connection = connection.handle();
        if (const std::size_t bound = connection.configuration().max_connections) REQUIRE(open_at_server() <= bound);
        on_event(side, connection);
    });
    endpoint.on_disconnect([=, this](Connection& connection, const Disconnect& ending) {
        Side& side = hear(connection);
        ++side.disconnects;
        side.is_clean = ending.clean;
        on_event(side, connection);
    });
    endpoint.on_error([=, this](Connection* connection, const Error&) {
        // Before the handshake is known, a server's connection is nobody's yet.
        if (connection && connection->handshake_request()) on_event(hear(*connection), *connection);
    });
    endpoint.on_drain([=, this](Connection& connection) { on_event(hear(connection), connection); });
}

void RandomWorld::connect() {
    const std::size_t index = pairs_.size();
    Pair& pair = *pairs_.emplace_back(std::make_unique<Pair>());
    pair.client = std::make_unique<SimClient>(world_.reactor, "ws://sim.test/",
                                              ClientOptions{.unix_path = "/nonexistent/hawser", .configuration = configuration()});
    pair.client->add_header(index_field, std::to_string(index));
    pair.at_server.is_plain = pair.at_client.is_plain = !compress(*pair.client);
    listen(*pair.client, [&pair](Connection&) -> Side& { return pair.at_client; });
    const WireOptions options = wire();
    auto ends = make_wire(world_.loop, options);
    pair.ends[0] = ends.first;
    pair.ends[1] = ends.second;
    if (world_.server)
        world_.server->accept(make_sim_transport(world_.loop, ends.second, options, world_.counts));
    else
        ends.second->close();
    pair.client->connected(make_sim_transport(world_.loop, ends.first, options, world_.counts));
}

void RandomWorld::on_event(Side& side, Connection& connection) {
    REQUIRE(connection.buffered_amount() <= connection.configuration().max_buffered_amount + control_reserve + side.most_overhead);
    if (is_calm_) return;
    if (chance(4)) act(side, connection);
    if (chance(200)) world_.loop.advance(Seconds(static_cast<double>(up_to(30))));
    if (chance(60)) throw Thrown();
    if (!chance(300)) return;
    side.may_drop = side.may_drop || connection.is_paused();
    throw CloseRequested(CloseCode::policy_violation, "asked for");
}

void RandomWorld::act(Side& side, Connection& connection) {
    switch (up_to(9)) {
        case 0: connection.ping(std::string(up_to(125), 'p')); break;
        case 1: connection.pong(); break;
        case 2: pause(connection.handle()); break;
        case 3: connection.resume(); break;
        case 4: change_middlewares(side, connection); break;
        case 5: connection.set_frame_size(1 + up_to(5000)); break;
        case 6:
            if (chance(3)) act_rarely(side, connection);
            break;
        default: send(side, connection); break;
    }
    // What comes behind a Close of its own while it is paused.
    side.may_drop = side.may_drop || (connection.is_paused() && !connection.is_writable());
}

void RandomWorld::act_rarely(Side& side, Connection& connection) {
    switch (up_to(11)) {
        case 0: connection.disconnect(); break;
        case 1: connection.close_read(); break;
        case 2: connection.close_write(); break;
        case 3: connection.text("\xFF is no text"); break;
        case 4: connection.tick(); break;
        case 5: connection.ping(std::string(126, 'p')); break;
        case 6:
            if (chance(4)) destroy(side);
            break;
        default: connection.close(CloseCode::normal, "random"); break;
    }
}

void RandomWorld::send(Side& side, Connection& connection) {
    for (std::size_t burst = 1 + up_to(4); burst > 0; --burst) {
        const std::size_t bounds[] = {20, 200, 5000, 100'000};
        std::string content = std::to_string(side.accepted.size()) + ":";
        content += std::string(up_to(bounds[up_to(chance(5) ? 3 : 2)]), static_cast<char>('a' + up_to(25)));
        const MessageView message{chance(2) ? Opcode::text : Opcode::binary, content};
        const SendStatus status = chance(4) ? connection.send(PreparedMessage(message)) : connection.send(message);
        if (status == SendStatus::ok || status == SendStatus::backpressure) accept(side, connection, message);
        if (status != SendStatus::ok) return;
    }
}

/// send() has taken it.
void RandomWorld::accept(Side& side, const Connection& connection, const MessageView& message) {
    const Configuration& configuration = connection.configuration();
    const std::size_t beyond = overhead(message.length(), configuration.frame_size);
    REQUIRE(connection.buffered_amount() <= configuration.max_buffered_amount + beyond);
    side.most_overhead = std::max(side.most_overhead, beyond);
    side.accepted.emplace_back(message.opcode, message.content);
    side.fragments.push_back(side.is_plain ? fragment_count(message.length(), configuration.frame_size) : 1);
}

void RandomWorld::receive(Side& side, const Configuration& limits, const MessageView& message) {
    REQUIRE(message.length() <= limits.max_message_size);
    side.max_fragment_count = limits.max_fragment_count;
    side.received.emplace_back(message.opcode, message.content);
}

std::size_t RandomWorld::open_at_server() const {
    return static_cast<std::size_t>(std::count_if(
        pairs_.begin(), pairs_.end(), [](const auto& pair) { return pair->at_server.handshakes > pair->at_server.disconnects; }));
}

void RandomWorld::change_middlewares(Side& side, Connection& connection) {
    if (side.middleware) {
        connection.remove_middleware(*side.middleware);
        side.middleware.reset();
        return;
    }
    const auto forward = std::make_shared<Callback>();
    forward->on_incoming = [](Connection&, const MessageView& message, const Next& next) { next(message); };
    forward->on_outgoing = [](Connection&, const MessageView& message, const Next& next) {
        const std::string copy(message.content);
        return next({message.opcode, copy, message.close_status});
    };
    side.middleware = forward;
    connection.add_middleware(forward);
}

void RandomWorld::pause(const ConnectionPtr& connection) {
    connection->pause();
    world_.reactor.after(Seconds(static_cast<double>(up_to(20)) / 4), [connection] { connection->resume(); });
}

void RandomWorld::destroy(Side& side) {
    for (const auto& pair : pairs_) {
        if (&pair->at_client == &side && pair->client) {
            side.is_destroyed = true;
            pair->client.reset();
        }
        if (&pair->at_server == &side && world_.server) {
            for (const auto& each : pairs_) each->at_server.is_destroyed = true;
            world_.server.reset();
        }
    }
}

/// Something happens from outside of any callback.
void RandomWorld::disturb() {
    if (chance(8)) connect();
    Pair& pair = *pairs_[up_to(pairs_.size() - 1)];
    const SimSocketPtr end = pair.ends[up_to(1)];
    switch (up_to(19)) {
        case 0:
        case 1:
        case 2:
            end->hold(true);
            world_.reactor.after(Seconds(static_cast<double>(up_to(40)) / 4), [end] { end->hold(false); });
            break;
        case 3:
            if (chance(5)) end->reset();
            break;
        case 4: world_.loop.advance(Seconds(static_cast<double>(up_to(10)))); break;
        default: {
            Side& side = chance(2) ? pair.at_server : pair.at_client;
            if (const ConnectionPtr connection = side.connection) act(side, *connection);
        }
    }
}

void RandomWorld::run() {
    connect();
    for (std::size_t steps = 20 + up_to(60); steps > 0; --steps) {
        disturb();
        world_.pass(Seconds(static_cast<double>(up_to(8)) / 8));
    }
    finish();
    for (const auto& pair : pairs_) check(*pair);
    pairs_.clear();
    world_.end();
}

/// Everything is let go, closed in good order by some, and in the end broken off.
void RandomWorld::finish() {
    is_calm_ = true;
    const bool close = chance(2);
    std::vector<ConnectionPtr> closed;
    const auto each = [&](auto&& use) {
        for (const auto& pair : pairs_)
            for (const Side* side : {&pair->at_server, &pair->at_client})
                if (side->connection) use(*side->connection);
    };
    for (const auto& pair : pairs_)
        // When all are closed, some peers hear nothing of it, or are not heard.
        for (const SimSocketPtr& end : pair->ends) end->hold(close && chance(6));
    // One more comes, and is stuck in its opening handshake.
    connect();
    pairs_.back()->ends[up_to(1)]->hold(true);
    each([&](Connection& connection) {
        connection.resume();
        if (!close) return;
        // Not with its write half closed: it may go on reading for as long as the peer writes.
        if (connection.close() == SendStatus::ok) closed.push_back(connection.handle());
    });
    world_.pass(Seconds(200));
    // Whatever state it was in, a deadline has ended what was closed.
    for (const ConnectionPtr& connection : closed) CHECK_FALSE(connection->is_connected());
    closed.clear();
    if (!close)
        for (const auto& pair : pairs_) check_ends(*pair);
    each([](Connection& connection) { connection.disconnect(); });
    world_.pass(Seconds(20));
    // Nobody has a handle of what never came through its opening handshake: its deadlines have ended it.
    world_.check_nothing_going_on();
}

/// Once the peer's half-close has arrived, nobody waits for more.
void RandomWorld::check_ends(const Pair& pair) {
    const auto waits = [](const Side& side) { return side.connection && side.connection->is_readable(); };
    CHECK_FALSE((pair.ends[0]->sees_end() && waits(pair.at_client)));
    CHECK_FALSE((pair.ends[1]->sees_end() && waits(pair.at_server)));
}

void RandomWorld::check(const Pair& pair) const {
    check_told(pair.at_server);
    check_told(pair.at_client);
    check_arrived(pair.at_server, pair.at_client);
    check_arrived(pair.at_client, pair.at_server);
}

void RandomWorld::check_told(const Side& side) {
    CHECK(side.handshakes <= 1);
    CHECK(side.late == 0);
    if (side.is_destroyed)
        CHECK(side.disconnects <= side.handshakes);
    else
        CHECK(side.disconnects == side.handshakes);
}

void RandomWorld::check_arrived(const Side& from, const Side& to) {
    REQUIRE(to.received.size() <= from.accepted.size());
    CHECK(std::equal(to.received.begin(), to.received.end(), from.accepted.begin()));
    const auto end = from.fragments.begin() + static_cast<std::ptrdiff_t>(to.received.size());
    CHECK(std::all_of(from.fragments.begin(), end, [&](std::size_t count) { return count <= to.max_fragment_count; }));
    // The Close came behind all the rest.
    if (to.is_clean && !to.may_drop) CHECK(to.received.size() == from.accepted.size());
}

}  // namespace support
