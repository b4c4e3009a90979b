#include "support/sim_world.hpp"

#include <algorithm>
#include <exception>

#include "endpoint/client_base.hpp"
#include "endpoint/server_base.hpp"
#include "protocol/handshake.hpp"
#include "protocol/http_parser.hpp"
#include "support/catch.hpp"

namespace support {

using namespace hawser;
using protocol::Role;

namespace {

class SimEntropy final : public Entropy {
public:
    explicit SimEntropy(std::uint64_t seed) : random_(seed) {}
    void fill(std::span<unsigned char> bytes) override {
        for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random_());
    }

private:
    std::mt19937_64 random_;
};

std::string name_of(Errc code) {
    switch (code) {
        case Errc::bad_opcode: return "bad_opcode";
        case Errc::connection_timeout: return "connection_timeout";
        case Errc::message_encoding: return "message_encoding";
        case Errc::message_too_big: return "message_too_big";
        case Errc::connection_closed: return "connection_closed";
        case Errc::ping_timeout: return "ping_timeout";
        case Errc::connection_failure: return "connection_failure";
        case Errc::handshake_failed: return "handshake_failed";
        case Errc::client_failed: return "client_failed";
        case Errc::callback_failed: return "callback_failed";
        case Errc::protocol_error: return "protocol_error";
        default: return std::to_string(static_cast<int>(code));
    }
}

std::string name_of(CloseCode code) { return std::to_string(static_cast<unsigned>(code)); }

/// The keys need not be good for a test, but different.
protocol::MaskingKey key_for(std::size_t size) {
    return {static_cast<unsigned char>(size), 0x5A, static_cast<unsigned char>(size >> 8), 0xC3};
}

constexpr const char* test_uri = "ws://sim.test/path?query";
/// What a client finds that connects by itself: nothing, at once.
constexpr const char* nowhere = "/nonexistent/hawser";

}  // namespace

void SimServer::accept(std::unique_ptr<transport::Transport> transport) {
    static_cast<endpoint::ServerBase&>(*base_).accept(std::move(transport));
}
void SimClient::connected(std::unique_ptr<transport::Transport> transport) {
    static_cast<endpoint::ClientBase&>(*base_).connected(std::move(transport));
}

std::string line_of(const MessageView& message) {
    std::string line(message.opcode_name());
    if (message.opcode == Opcode::close) line += " " + name_of(message.close_status);
    return message.has_content() ? line + " " + std::string(message.content) : line;
}

void Journal::add(std::string line, Connection* connection) {
    if (connection && ended_.contains(connection->identity())) line = "late " + line;
    lines_.push_back(line);
    // A copy, as it may replace itself.
    if (const auto act = then) act(line, connection);
}

void Journal::end(Connection& connection, const Disconnect& ending) {
    ending_ = ending;
    const std::uint64_t identity = connection.identity();
    add("disconnect " + name_of(ending.code) + (ending.clean ? " clean" : ""), &connection);
    ended_.insert(identity);
}

void Journal::fail(Connection* connection, const Error& error) {
    errors_.emplace_back(error.what());
    add("error " + name_of(error.errc()), connection);
}

std::size_t Journal::count(std::string_view beginning) const {
    return static_cast<std::size_t>(
        std::count_if(lines_.begin(), lines_.end(), [=](const std::string& line) { return line.starts_with(beginning); }));
}

std::string SimPeer::frame(unsigned first_byte, std::string_view payload) const {
    std::array<char, protocol::max_header_size> header;
    const bool fin = (first_byte & protocol::wire::fin) != 0;
    const unsigned opcode = first_byte & protocol::wire::opcode;
    const auto key = key_for(payload.size());
    std::string bytes(payload);
    const bool masked = role_ == Role::client;
    const char* end = masked ? protocol::write_header(header.data(), fin, opcode, payload.size(), key)
                             : protocol::write_header(header.data(), fin, opcode, payload.size());
    header[0] = static_cast<char>(first_byte);
    if (masked) protocol::mask(bytes.data(), bytes.size(), key);
    return std::string(std::string_view(header.data(), static_cast<std::size_t>(end - header.data()))) + bytes;
}

std::string SimPeer::encode(const MessageView& message, std::size_t frame_size) const {
    std::array<char, protocol::max_control_payload> close_payload;
    std::string_view content = message.content;
    if (message.opcode == Opcode::close) content = protocol::write_close_payload(close_payload, message.close_status, message.content);
    protocol::Fragments fragments(message.opcode, content, frame_size);
    std::string bytes;
    std::string_view piece;
    unsigned opcode = 0;
    bool fin = false;
    while (fragments.next(piece, opcode, fin)) bytes += frame(opcode | (fin ? protocol::wire::fin : 0u), piece);
    return bytes;
}

void SimPeer::shake_hands(const std::string& extra_fields) {
    if (role_ == Role::client)
        return send(
            "GET /path?query HTTP/1.1\r\nHost: sim.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
            extra_fields + "\r\n");
    protocol::HttpParser parser(protocol::HttpParser::Kind::request, {});
    std::size_t consumed = 0;
    REQUIRE(parser.feed(take_head(), consumed) == protocol::HttpParser::Status::complete);
    std::string head = protocol::format_response(protocol::accept_response(parser.request()));
    head.insert(head.size() - 2, extra_fields);
    send(head);
}

bool SimPeer::has_head() {
    received_ += socket_->take();
    return received_.find("\r\n\r\n") != std::string::npos;
}

std::string SimPeer::take_head() {
    received_ += socket_->take();
    const std::size_t end = received_.find("\r\n\r\n");
    if (end == std::string::npos) return {};
    std::string head = received_.substr(0, end + 4);
    received_.erase(0, end + 4);
    return head;
}

bool SimPeer::next_frame(protocol::FrameHeader& header, std::string& payload) {
    protocol::Failure failure;
    const auto status = protocol::parse_header(received_, role_, header, failure);
    if (status == protocol::HeaderStatus::failed) FAIL("the peer received no frame: " << failure.reason);
    if (status == protocol::HeaderStatus::incomplete || received_.size() < header.size + header.length) return false;
    payload = received_.substr(header.size, static_cast<std::size_t>(header.length));
    if (role_ == Role::server) protocol::mask(payload.data(), payload.size(), header.key);
    received_.erase(0, header.size + payload.size());
    return true;
}

std::vector<std::string> SimPeer::lines() {
    received_ += socket_->take();
    std::vector<std::string> lines;
    protocol::FrameHeader header;
    std::string payload;
    while (next_frame(header, payload)) {
        if (header.opcode == static_cast<unsigned>(Opcode::close)) {
            const bool empty = payload.empty();
            const auto code =
                empty ? 1005u : static_cast<unsigned>(static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]));
            lines.push_back(line_of({Opcode::close, empty ? payload : payload.substr(2), static_cast<CloseCode>(code)}));
        } else if (header.opcode > 2) {
            lines.push_back(line_of({static_cast<Opcode>(header.opcode), payload}));
        } else {
            if (header.opcode != 0) opcode_ = header.opcode;
            message_ += payload;
            if (header.fin) lines.push_back(line_of({static_cast<Opcode>(opcode_), std::exchange(message_, {})}));
        }
    }
    return lines;
}

std::vector<std::pair<unsigned, std::size_t>> SimPeer::frames() {
    received_ += socket_->take();
    std::vector<std::pair<unsigned, std::size_t>> frames;
    protocol::FrameHeader header;
    std::string payload;
    while (next_frame(header, payload)) frames.emplace_back(header.opcode, payload.size());
    return frames;
}

SimWorld::SimWorld(Configuration of_server, Configuration of_client, std::uint64_t seed)
    : reactor(make_sim_core(seed)),
      loop(sim_loop(reactor)),
      server(std::make_unique<SimServer>(reactor, ServerOptions{.configuration = std::move(of_server)})),
      client(std::make_unique<SimClient>(reactor, test_uri, ClientOptions{.unix_path = nowhere, .configuration = std::move(of_client)})) {
    reactor.core().set_entropy(std::make_unique<SimEntropy>(seed));
    loop.limit_iterations(200'000);
    at_server.follow(*server);
    at_client.follow(*client);
}

SimWorld::~SimWorld() noexcept(false) {
    if (std::uncaught_exceptions() != 0 || !server) return;
    end();
}

void SimWorld::end() {
    server.reset();
    client.reset();
    settle();
    check_nothing_left();
}

void SimWorld::check_nothing_left() {
    CHECK(counts->transports == kept);
    check_nothing_going_on();
}

void SimWorld::check_nothing_going_on() {
    CHECK(counts->open == 0);
    CHECK(loop.watched() == 0);
    CHECK(loop.armed() == 0);
}

std::pair<SimSocketPtr, SimSocketPtr> SimWorld::join(const WireOptions& options) {
    auto ends = make_wire(loop, options);
    server->accept(make_sim_transport(loop, ends.second, options, counts));
    client->connected(make_sim_transport(loop, ends.first, options, counts));
    return ends;
}

SimPeer SimWorld::raw_client(const WireOptions& options) {
    auto ends = make_wire(loop, options);
    server->accept(make_sim_transport(loop, ends.second, options, counts));
    return {ends.first, Role::client};
}

SimPeer SimWorld::raw_server(const WireOptions& options) {
    auto ends = make_wire(loop, options);
    client->connected(make_sim_transport(loop, ends.first, options, counts));
    return {ends.second, Role::server};
}

/// A head may be more than the wire holds at once.
void SimWorld::await_head(SimPeer& peer) {
    settle();
    for (int i = 0; i < 1000 && !peer.has_head(); ++i) settle();
}

SimPeer SimWorld::open_client(const WireOptions& options) {
    SimPeer peer = raw_client(options);
    peer.shake_hands();
    await_head(peer);
    REQUIRE(peer.take_head().starts_with("HTTP/1.1 101 "));
    return peer;
}

SimPeer SimWorld::open_server(const WireOptions& options) {
    SimPeer peer = raw_server(options);
    await_head(peer);
    peer.shake_hands();
    settle();
    REQUIRE(client->is_writable());
    return peer;
}

ConnectionPtr SimWorld::newest() const {
    const Connections all = server->connections();
    REQUIRE_FALSE(all.empty());
    return *std::prev(all.end());
}

}  // namespace support
