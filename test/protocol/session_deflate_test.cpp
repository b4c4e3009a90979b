#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/session_peer.hpp"

using namespace hawser::protocol;
using hawser::Configuration;
using hawser::DeflateOptions;
using hawser::Errc;
using hawser::MessageView;
using hawser::Opcode;
using hawser::PreparedMessage;
using support::SessionPeer;
using Told = std::vector<std::string>;

namespace {

constexpr unsigned rsv1 = 0x40;
const std::string content(1000, 'm');

/// A client and a server that have agreed, or not, if one of them does not want to.
struct Ends {
    Ends(const DeflateOptions* at_client, const DeflateOptions* at_server, const Configuration& settings = {})
        : client(Role::client, settings), server(Role::server, settings) {
        if (at_client) client.session.use_deflate(*at_client, std::make_shared<DeflatePool>());
        if (at_server) server.session.use_deflate(*at_server, std::make_shared<DeflatePool>());
        client.start();
        exchange();
        client.told();
        server.told();
        REQUIRE(client.session.is_open());
        REQUIRE(server.session.is_open());
    }
    explicit Ends(const DeflateOptions& options, const Configuration& settings = {}) : Ends(&options, &options, settings) {}

    void exchange() {
        server.feed(client.output.take());
        client.feed(server.output.take());
    }
    /// The first byte of each frame that was sent.
    std::vector<unsigned> sent(SessionPeer& from) {
        std::string stream = from.output.take();
        const ExactBytes bytes(stream);
        std::vector<unsigned> firsts;
        for (std::size_t at = 0; at < stream.size();) {
            FrameHeader header;
            Failure failure;
            const Role receiver = &from == &client ? Role::server : Role::client;
            REQUIRE(parse_header(bytes.span().subspan(at), receiver, header, failure, true) == HeaderStatus::complete);
            firsts.push_back(static_cast<unsigned char>(stream[at]));
            at += header.size + static_cast<std::size_t>(header.length);
        }
        (&from == &client ? server : client).feed(stream);
        return firsts;
    }

    using ExactBytes = support::ExactBytes;
    SessionPeer client;
    SessionPeer server;
};

const DeflateOptions alone{.server_no_context_takeover = true, .client_no_context_takeover = true};

std::string random_content(std::mt19937& random) {
    std::string text;
    for (auto words = random() % 300; words > 0; --words) text += "word" + std::to_string(random() % 100) + ' ';
    return text;
}

/// The client's error, and the sentence, when the server answers this.
std::string outcome(const std::string& extensions, const DeflateOptions& options) {
    SessionPeer client(Role::client);
    client.session.use_deflate(options, std::make_shared<DeflatePool>());
    client.start();
    hawser::Response response = accept_response(client.request);
    response.headers.add("Sec-WebSocket-Extensions", extensions);
    client.feed(format_response(response));
    return client.session.is_open() ? "open" : client.error_texts.empty() ? "" : client.error_texts.front();
}

}  // namespace

TEST_CASE("session: messages are compressed both ways, whatever was agreed on") {
    const unsigned seed = 99;
    CAPTURE(seed);
    std::mt19937 random(seed);
    for (int flags = 0; flags < 16; ++flags) {
        for (const int bits : {9, 12, 15}) {
            CAPTURE(flags, bits);
            const DeflateOptions at_client{(flags & 1) != 0, (flags & 2) != 0, bits, 15};
            const DeflateOptions at_server{(flags & 4) != 0, (flags & 8) != 0, 15, bits};
            Configuration settings;
            settings.frame_size = 1 + random() % 5000;
            Ends ends(&at_client, &at_server, settings);
            for (int i = 0; i < 8; ++i) {
                const std::string message = random_content(random);
                ends.client.send(Opcode::text, message);
                ends.server.send(Opcode::binary, message);
                ends.exchange();
                const std::string rest = message.empty() ? "" : " " + message;
                REQUIRE(ends.server.told() == Told{"text" + rest});
                REQUIRE(ends.client.told() == Told{"binary" + rest});
            }
        }
    }
}

TEST_CASE("session: RSV1 is set in the first frame of a compressed message alone") {
    Configuration settings;
    settings.frame_size = 10;
    Ends ends({}, settings);
    std::mt19937 random(1);
    const std::string text = random_content(random);
    for (SessionPeer* from : {&ends.client, &ends.server}) {
        from->send(Opcode::text, text);
        const auto frames = ends.sent(*from);
        REQUIRE(frames.size() > 2);
        CHECK(frames.front() == (0x01 | rsv1));
        CHECK(std::all_of(frames.begin() + 1, frames.end() - 1, [](unsigned byte) { return byte == 0x00; }));
        CHECK(frames.back() == 0x80);
    }
    CHECK(ends.server.told() == Told{"text " + text});
    CHECK(ends.client.told() == Told{"text " + text});
}

TEST_CASE("session: short messages, exempted ones and control messages go as they are") {
    const DeflateOptions options{.threshold = 100};
    Ends ends(options);
    for (SessionPeer* from : {&ends.client, &ends.server}) {
        from->send(Opcode::text, std::string(99, 'x'));
        from->send(Opcode::text, std::string(100, 'x'));
        from->session.send({.opcode = Opcode::binary, .content = content, .compress = false}, from->now);
        from->send(Opcode::ping, std::string(125, 'x'));
        from->send(Opcode::binary, content);
        from->close(hawser::CloseCode::normal, std::string(120, 'x'));
        CHECK(ends.sent(*from) == std::vector<unsigned>{0x81, 0xC1, 0x82, 0x89, 0xC2, 0x88});
    }
}

TEST_CASE("session: without agreement messages go as they are, and compressed ones are refused") {
    const DeflateOptions options;
    const bool client_wants = GENERATE(false, true);
    Ends ends(client_wants ? &options : nullptr, client_wants ? nullptr : &options);
    for (SessionPeer* from : {&ends.client, &ends.server}) {
        from->send(Opcode::text, content);
        CHECK(ends.sent(*from) == std::vector<unsigned>{0x81});
    }
    ends.server.feed(ends.server.frame(0xC1, "x"));
    CHECK(ends.server.sent().front().starts_with("close 1002"));
}

TEST_CASE("session: what compression does not make shorter goes as it is, where no later message refers to it") {
    std::string noise(300, '\0');
    std::mt19937 random(1);
    for (char& byte : noise) byte = static_cast<char>(random());
    Ends ends(alone);
    for (SessionPeer* from : {&ends.client, &ends.server}) {
        from->send(Opcode::binary, noise);
        CHECK(ends.sent(*from) == std::vector<unsigned>{0x82});
        from->send(Opcode::binary, noise + noise);
        CHECK(ends.sent(*from) == std::vector<unsigned>{0xC2});
    }
    Ends together(DeflateOptions{});
    together.server.send(Opcode::binary, noise);
    CHECK(together.sent(together.server) == std::vector<unsigned>{0xC2});
    CHECK(together.client.told() == Told{"binary " + noise});
}

TEST_CASE("session: a client that is held to 8 bits sends plain messages, and takes compressed ones") {
    const DeflateOptions options{.server_max_window_bits = 15, .client_max_window_bits = 15};
    SessionPeer client(Role::client);
    client.session.use_deflate(options, std::make_shared<DeflatePool>());
    client.start();
    hawser::Response response = accept_response(client.request);
    response.headers.add("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits=8; server_max_window_bits=8");
    client.feed(format_response(response));
    REQUIRE(client.session.is_open());
    client.sent();
    client.told();
    client.send(Opcode::text, content);
    CHECK(client.sent() == Told{"text " + content});
    client.feed(client.frame(0xC1, std::string("\xF2\x48\xCD\xC9\xC9\x07\x00", 7)));
    CHECK(client.told() == Told{"text Hello"});
}

TEST_CASE("session: a client fails the handshake when the server's answer does not fit the offer") {
    const DeflateOptions options{.server_max_window_bits = 15, .client_max_window_bits = 10};
    CHECK(outcome("permessage-deflate", options) == "open");
    CHECK(outcome("permessage-deflate; client_max_window_bits=10", options) == "open");
    CHECK(outcome("permessage-deflate; client_max_window_bits=11", options) == "open");
    for (const char* wrong :
         {"permessage-deflate; client_max_window_bits=16", "permessage-deflate; server_max_window_bits=16",
          "permessage-deflate; server_max_window_bits=9x", "permessage-deflate; unknown", "permessage-deflate, permessage-deflate",
          "permessage-deflate; client_max_window_bits=9; client_max_window_bits=9", "x-other", "permessage-deflate; ="}) {
        CAPTURE(wrong);
        CHECK(outcome(wrong, options).starts_with("the opening handshake failed: the "));
    }
}

TEST_CASE("session: a prepared message is compressed once for all connections that can share it") {
    const PreparedMessage message({Opcode::text, content});
    Ends first(alone), second(alone);
    for (Ends* ends : {&first, &second}) {
        ends->server.session.send(message.view(), ends->server.now, &message);
        CHECK(ends->server.output.shared_writes == 1);
        CHECK(ends->sent(ends->server) == std::vector<unsigned>{0xC1});
        CHECK(ends->client.told() == Told{"text " + content});
    }
    // A client masks, and another window, a context or another frame size is not shared.
    first.client.session.send(message.view(), first.client.now, &message);
    CHECK(first.client.output.shared_writes == 0);
    CHECK(first.sent(first.client) == std::vector<unsigned>{0xC1});
    CHECK(first.server.told() == Told{"text " + content});
    Ends together(DeflateOptions{});
    Configuration settings;
    settings.frame_size = 5;
    Ends cut(alone, settings);
    for (Ends* ends : {&together, &cut}) {
        ends->server.session.send(message.view(), ends->server.now, &message);
        CHECK(ends->server.output.shared_writes == 0);
        CHECK(ends->sent(ends->server).front() >= 0x41);
        CHECK(ends->client.told() == Told{"text " + content});
    }
    const DeflateOptions smaller{.server_no_context_takeover = true, .server_max_window_bits = 9};
    Ends other(smaller);
    other.server.session.send(message.view(), other.server.now, &message);
    CHECK(other.server.output.shared_writes == 1);
    other.exchange();
    CHECK(other.client.told() == Told{"text " + content});
}

TEST_CASE("session: a prepared message that is not to be compressed, or would be longer, is shared as it is") {
    std::string noise(300, '\0');
    std::mt19937 random(1);
    for (char& byte : noise) byte = static_cast<char>(random());
    const PreparedMessage exempted({.opcode = Opcode::text, .content = content, .compress = false});
    const PreparedMessage longer({Opcode::binary, noise});
    Ends ends(alone);
    for (const PreparedMessage* message : {&exempted, &longer}) {
        ends.server.session.send(message->view(), ends.server.now, message);
        CHECK(ends.server.output.take() == *message->frames());
    }
    CHECK(ends.server.output.shared_writes == 2);
}

TEST_CASE("session: a message that inflates to too much is failed with 1009, a broken one with 1007") {
    Configuration settings;
    settings.max_message_size = 5000;
    Ends ends({}, settings);
    SessionPeer& receiver = GENERATE(0, 1) == 0 ? ends.client : ends.server;
    SessionPeer& sender = &receiver == &ends.client ? ends.server : ends.client;
    SECTION("at the bound") {
        sender.send(Opcode::binary, std::string(5000, '\0'));
        ends.exchange();
        CHECK(receiver.told().size() == 1);
        CHECK(receiver.session.is_readable());
        sender.send(Opcode::binary, std::string(5001, '\0'));
        ends.exchange();
        ends.exchange();
        CHECK(receiver.told() == Told{"error protocol_error"});
        CHECK(sender.told().front().starts_with("close 1009"));
    }
    SECTION("broken") {
        receiver.feed(receiver.frame(0xC2, "\x07"));
        ends.exchange();
        CHECK(sender.told().front().starts_with("close 1007"));
    }
}

TEST_CASE("session: what compression holds can be given up at the end, and a late use_deflate does nothing") {
    Ends ends(DeflateOptions{});
    ends.server.session.use_deflate(alone, std::make_shared<DeflatePool>());
    hawser::Response response;
    response.status = 101;
    ends.server.session.answer_extensions(ends.server.request, response);
    CHECK(response.headers.empty());
    ends.server.session.set_over();
    ends.server.session.give_up_memory();
    CHECK(ends.server.send(Opcode::text, content) == hawser::SendStatus::closed);
}
