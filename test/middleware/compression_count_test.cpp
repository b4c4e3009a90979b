// Counts what compression does: the linker hands each call of these functions of zlib's over to ours.

#include <zlib.h>

#include <new>
#include <utility>

#include <hawser/compression.hpp>

#include "support/catch.hpp"
#include "support/sim_world.hpp"

namespace {

int compressors = 0, decompressors = 0;  // that exist
int compressions = 0;                    // messages
bool runs_out_of_memory = false;         // the next compression, half way

}  // namespace

extern "C" {

int __real_deflateInit2_(z_streamp stream, int level, int method, int bits, int memory, int strategy, const char* version, int size);
int __real_deflateEnd(z_streamp stream);
int __real_deflate(z_streamp stream, int flush);
int __real_inflateInit2_(z_streamp stream, int bits, const char* version, int size);
int __real_inflateEnd(z_streamp stream);

int __wrap_deflateInit2_(z_streamp stream, int level, int method, int bits, int memory, int strategy, const char* version, int size) {
    ++compressors;
    return __real_deflateInit2_(stream, level, method, bits, memory, strategy, version, size);
}
int __wrap_deflateEnd(z_streamp stream) {
    --compressors;
    return __real_deflateEnd(stream);
}
int __wrap_deflate(z_streamp stream, int flush) {
    const bool is_last = flush == Z_SYNC_FLUSH && stream->avail_in != 0;
    compressions += is_last;
    const int result = __real_deflate(stream, flush);
    if (std::exchange(runs_out_of_memory, false)) throw std::bad_alloc();
    return result;
}
int __wrap_inflateInit2_(z_streamp stream, int bits, const char* version, int size) {
    ++decompressors;
    return __real_inflateInit2_(stream, bits, version, size);
}
int __wrap_inflateEnd(z_streamp stream) {
    --decompressors;
    return __real_inflateEnd(stream);
}
}

using namespace hawser;
using namespace support;

namespace {

constexpr DeflateOptions alone{.server_no_context_takeover = true, .client_no_context_takeover = true};
const std::string content(3000, 'c');
/// "Hello", as RFC 7692, section 7.2.3.1, has it.
const std::string hello("\xF2\x48\xCD\xC9\xC9\x07\x00", 7);

/// A server that compresses so, with so many peers.
struct Peers {
    Peers(const DeflateOptions& options, std::size_t count) {
        compressions = 0;
        world.server->add_middleware(std::make_shared<CompressionExtension>(options));
        for (std::size_t i = 0; i < count; ++i) {
            peers.push_back(world.raw_client());
            peers.back().shake_hands("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n");
            world.settle();
            REQUIRE(peers.back().take_head().find("permessage-deflate") != std::string::npos);
        }
    }
    void broadcast() {
        CHECK(world.server->text(content) == peers.size());
        world.settle();
        for (SimPeer& peer : peers) CHECK(peer.socket().take().starts_with('\xC1'));
    }
    void all_say_hello() {
        for (SimPeer& peer : peers) peer.send(peer.frame(0xC1, hello));
        world.settle();
        CHECK(world.at_server.count("text Hello") == peers.size());
    }
    SimWorld world;
    std::vector<SimPeer> peers;
};

}  // namespace

TEST_CASE("compression: the counters count") {
    z_stream stream{};
    REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, -9, 1, Z_DEFAULT_STRATEGY) == Z_OK);
    CHECK(compressors == 1);
    deflateEnd(&stream);
    REQUIRE(inflateInit2(&stream, -9) == Z_OK);
    CHECK(decompressors == 1);
    inflateEnd(&stream);
    CHECK(compressors + decompressors == 0);
}

TEST_CASE("compression: a connection that has said nothing holds nothing") {
    Peers peers(GENERATE(false, true) ? alone : DeflateOptions{}, 10);
    CHECK(compressors == 0);
    CHECK(decompressors == 0);
}

TEST_CASE("compression: without context takeover connections at rest share one compressor, and hold no decompressor of their own") {
    {
        Peers peers(alone, 10);
        peers.broadcast();
        peers.all_say_hello();
        for (const ConnectionPtr& connection : peers.world.server->connections()) connection->text(content);
        peers.world.settle();
        CHECK(compressors == 1);
        // One is borrowed at a time, and kept for the next.
        CHECK(decompressors == 1);
        // Within a message each needs its own.
        for (SimPeer& peer : peers.peers) peer.send(peer.frame(0x41, hello.substr(0, 3)));
        peers.world.settle();
        CHECK(decompressors == 10);
        for (SimPeer& peer : peers.peers) peer.send(peer.frame(0x80, hello.substr(3)));
        peers.world.settle();
        CHECK(peers.world.at_server.count("text Hello") == 20);
        CHECK(decompressors == 4);
    }
    CHECK(compressors + decompressors == 0);
}

TEST_CASE("compression: with context takeover each connection has its own, until it ends") {
    Peers peers({}, 10);
    peers.broadcast();
    peers.all_say_hello();
    CHECK(compressors == 10);
    CHECK(decompressors == 10);
    const ConnectionPtr kept = peers.world.newest();
    kept->disconnect();
    peers.world.settle();
    CHECK(compressors == 9);
    CHECK(decompressors == 9);
    peers.world.kept = 1;
    peers.world.end();
    CHECK(compressors + decompressors == 0);
}

TEST_CASE("compression: a broadcast is compressed once for all connections that can share it") {
    Peers together(alone, 10);
    together.broadcast();
    CHECK(compressions == 1);
    together.broadcast();
    CHECK(compressions == 2);
    // Another window is another form.
    SimPeer smaller = together.world.raw_client();
    smaller.shake_hands("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n");
    together.world.settle();
    CHECK(together.world.server->text(content) == 11);
    CHECK(compressions == 4);
    Peers each({}, 10);
    each.broadcast();
    CHECK(compressions == 10);
}

TEST_CASE("compression: what is short, or exempted, is not compressed") {
    Peers peers({.server_no_context_takeover = true, .threshold = 100}, 2);
    const auto send = [&](Message message) {
        peers.world.server->send(message);
        peers.world.newest()->send(message);
        return compressions;
    };
    CHECK(send(Text(std::string(99, 'x'))) == 0);
    Text exempted(std::string(100, 'x'));
    exempted.set_compress(false);
    CHECK(send(exempted) == 0);
    CHECK(send(Text(std::string(100, 'x'))) == 2);
    CHECK(send(Text(std::string(101, 'x'))) == 4);
}

TEST_CASE("compression: a connection whose message was lost half way sends nothing that refers to it") {
    SimWorld world;
    for (const bool at_server : {true, false}) {
        const auto compression = std::make_shared<CompressionExtension>();
        at_server ? void(world.server->add_middleware(compression)) : void(world.client->add_middleware(compression));
    }
    world.join();
    world.settle();
    world.newest()->text(content);
    world.settle();
    runs_out_of_memory = true;
    const bool in_callback = GENERATE(false, true);
    if (in_callback) {
        world.at_server.then = [&](std::string_view, Connection* connection) { connection->text(content + "lost"); };
        world.client->text("go");
        world.settle();
        CHECK(world.at_server.has("error callback_failed"));
        world.at_server.then = {};
    } else {
        CHECK_THROWS_AS(world.newest()->text(content + "lost"), std::bad_alloc);
    }
    CHECK(world.server->text("lost " + content) == 0);
    world.settle();
    CHECK(world.at_client.count("text") == 1);
    CHECK_FALSE(world.at_client.has("error protocol_error"));
    CHECK(world.at_client.count("disconnect 1006") == 1);
    CHECK(world.at_server.count("disconnect 1006") == 1);
}
