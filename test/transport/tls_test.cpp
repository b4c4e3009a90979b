#include "transport/tls.hpp"

#include "support/tls_pair.hpp"

using namespace support::tls;
using support::Authority;
using support::PipeLane;

TEST_CASE("tls: a record that is not complete yet shows nothing, but that bytes came") {
    Pair pair;
    pair.shake_hands();
    const std::string sent = pattern(1000);
    REQUIRE(write(*pair.client, sent).bytes == sent.size());
    const std::string record = std::exchange(pair.to_server->bytes, {});
    pair.to_server->total -= record.size();
    for (std::size_t at = 0; at + 1 < record.size(); at += 400) {
        const std::string piece = record.substr(at, std::min<std::size_t>(400, record.size() - 1 - at));
        pair.to_server->bytes += piece;
        pair.to_server->total += piece.size();
        const auto [shown, result] = read_all(*pair.server);
        CHECK(shown.empty());
        CHECK(result.bytes == piece.size());
        CHECK(read_all(*pair.server).second.bytes == 0);
    }
    pair.to_server->bytes += record.back();
    pair.to_server->total += 1;
    CHECK(read_all(*pair.server).first == sent);
}

TEST_CASE("tls: bytes pass in both directions, however small the pieces are that the socket gives and takes") {
    for (const std::size_t chunk : {1UL, 2UL, 3UL, 5UL, 7UL, 64UL, 1000UL}) {
        CAPTURE(chunk);
        Pair pair;
        for (const auto& lane : {pair.to_client, pair.to_server}) {
            lane->chunk = chunk;
            lane->capacity = chunk;
        }
        pair.shake_hands();
        const std::string sent = pattern(3000);
        CHECK(write(*pair.client, sent).bytes == 3000);
        std::string received;
        for (int i = 0; i < 10'000 && received.size() < sent.size(); ++i) {
            received += read_all(*pair.server).first;
            pair.client->write({});
        }
        CHECK(received == sent);
    }
}

TEST_CASE("tls: records are put together wherever they are split") {
    for (const char* version : versions()) {
        Pair pair(client_context(version));
        pair.shake_hands();
        // Two records, as they pass: the second one is cut as well as the first.
        write(*pair.client, "first record");
        const std::size_t both = 2 * pair.to_server->bytes.size();
        CHECK(read_all(*pair.server).first == "first record");
        for (std::size_t cut = 0; cut <= both; ++cut) {
            CAPTURE(version, cut);
            write(*pair.client, "first record");
            write(*pair.client, "other record");
            REQUIRE(pair.to_server->bytes.size() == both);
            pair.to_server->gate = pair.to_server->total - both + cut;
            const auto [before, result] = read_all(*pair.server);
            REQUIRE(result.status == Status::would_block);
            REQUIRE_FALSE(pair.server->pending());
            CHECK(before.size() == (cut == both ? 24 : cut >= both / 2 ? 12 : 0));
            pair.to_server->gate = PipeLane().gate;
            CHECK(before + read_all(*pair.server).first == "first recordother record");
        }
    }
}

TEST_CASE("tls: the handshake goes on wherever its bytes are split, a full one and a resumed one") {
    const auto shake = [](const std::shared_ptr<TlsContext>& at_client, const std::shared_ptr<TlsContext>& at_server,
                          std::shared_ptr<PipeLane> Pair::*lane, std::size_t cut) {
        Pair pair(at_client, at_server);
        (pair.*lane)->gate = cut;
        // More is not needed by either side when nothing is held back.
        for (int i = 0; i < 6; ++i) {
            Pair::step(*pair.client);
            Pair::step(*pair.server);
        }
        (pair.*lane)->gate = PipeLane().gate;
        pair.shake_hands();
        const std::size_t total = (pair.*lane)->total;
        write(*pair.client, "hello");
        CHECK(read_all(*pair.server).first == "hello");
        return total;
    };
    for (const char* version : versions()) {
        for (const bool no_ticket : {false, true}) {
            const auto at_client = client_context(version, no_ticket), at_server = server_context();
            for (const auto lane : {&Pair::to_client, &Pair::to_server}) {
                CAPTURE(version, no_ticket, lane == &Pair::to_client);
                const std::size_t total = shake(at_client, at_server, lane, PipeLane().gate);
                std::size_t cut = 1;
                while (cut < total) shake(at_client, at_server, lane, cut++);
                CHECK(cut > 200);
            }
        }
    }
}

TEST_CASE("tls: after the socket was full, other bytes may be written than before, and none is lost or sent twice") {
    Pair pair;
    pair.shake_hands();
    pair.to_server->capacity = 10;
    CHECK(write(*pair.client, "abcd").bytes == 4);
    CHECK(pair.client->holds_output());
    CHECK(write(*pair.client, "12345678").status == Status::would_block);
    CHECK(write(*pair.client, "wxyz").status == Status::would_block);
    pair.to_server->capacity = 1000;
    CHECK(write(*pair.client, "efghijkl").bytes == 8);
    CHECK_FALSE(pair.client->holds_output());
    CHECK(read_all(*pair.server).first == "abcdefghijkl");
}

TEST_CASE("tls: a long write goes on until the socket is full, and says how far it came") {
    Pair pair;
    pair.shake_hands();
    const std::string sent = pattern(100'000);
    CHECK(write(*pair.client, sent).bytes == sent.size());
    CHECK(read_all(*pair.server).first == sent);
    pair.to_server->capacity = 40'000;
    const IoResult result = write(*pair.client, sent);
    const std::size_t record_size = pair.client->tls()->version == "TLSv1.3" ? 16'383 : 16'384;
    CHECK(result.bytes == 4 * record_size);
    CHECK(pair.client->holds_output());
    std::string received = read_all(*pair.server).first;
    CHECK(write(*pair.client, std::string_view(sent).substr(result.bytes)).bytes > 0);
    received += read_all(*pair.server).first;
    CHECK(received.size() > 3 * 16'384);
    CHECK(sent.compare(0, received.size(), received) == 0);
}

TEST_CASE("tls: slices are put together in one record") {
    Pair pair;
    pair.shake_hands();
    const std::size_t before = pair.to_server->total;
    std::string one = "ab", two, three = "cdef";
    const std::array slices = {iovec{one.data(), one.size()}, iovec{two.data(), 0}, iovec{three.data(), three.size()}};
    CHECK(pair.client->write(slices).bytes == 6);
    // One record's head and tag; in TLS 1.3 mbedTLS fills the content up to 16 bytes.
    CHECK(pair.to_server->total - before <= 5 + 16 + 16);
    CHECK(read_all(*pair.server).first == "abcdef");
}

TEST_CASE("tls: what is left of a record is pending, though the socket is silent") {
    Pair pair;
    pair.shake_hands();
    write(*pair.client, pattern(3000));
    std::array<char, 100> room;
    CHECK(pair.server->read(room).bytes == 100);
    CHECK(pair.to_server->bytes.empty());
    CHECK(pair.server->pending());
    CHECK(read_all(*pair.server, 100).first.size() == 2900);
    CHECK_FALSE(pair.server->pending());
}

TEST_CASE("tls: what has arrived is received at once, however many records it is") {
    Pair pair;
    pair.shake_hands();
    for (const char* text : {"one", "two", "three"}) write(*pair.client, text);
    const std::size_t before = pair.to_server->reads;
    std::array<char, 100> room;
    CHECK(pair.server->read(room).bytes == 11);
    CHECK(std::string_view(room.data(), 11) == "onetwothree");
    CHECK(pair.to_server->reads == before + 1);
    CHECK_FALSE(pair.server->pending());
}

TEST_CASE("tls: records that were received, and not asked for yet, are pending, though the socket is silent") {
    Pair pair;
    pair.shake_hands();
    for (const char* text : {"one", "two", "three"}) write(*pair.client, text);
    std::array<char, 3> room;
    for (const char* text : {"one", "two", "thr"}) {
        CAPTURE(text);
        REQUIRE(pair.server->read(room).bytes == 3);
        CHECK(std::string_view(room.data(), 3) == text);
        CHECK(pair.to_server->bytes.empty());
        CHECK(pair.server->pending());
    }
    CHECK(pair.server->read(room).bytes == 2);
    CHECK_FALSE(pair.server->pending());
}

TEST_CASE("tls: the beginning of a record that is left over is put before what comes later") {
    Pair pair;
    pair.shake_hands();
    write(*pair.client, "one");
    const std::size_t one = pair.to_server->bytes.size();
    write(*pair.client, "two");
    for (std::size_t cut = 0; cut < one; ++cut) {
        CAPTURE(cut);
        pair.to_server->gate = pair.to_server->total - one + cut;
        std::array<char, 3> room;
        REQUIRE(pair.server->read(room).bytes == 3);
        CHECK(pair.server->pending() == (cut != 0));
        CHECK(pair.server->read(room).status == Status::would_block);
        CHECK_FALSE(pair.server->pending());
        pair.to_server->gate = PipeLane().gate;
        REQUIRE(pair.server->read(room).bytes == 3);
        CHECK(std::string_view(room.data(), 3) == "two");
        write(*pair.client, "one");
        write(*pair.client, "two");
    }
}

TEST_CASE("tls: the records of one write leave two of the longest at a time") {
    Pair pair;
    pair.shake_hands();
    const std::size_t record_size = pair.client->tls()->version == "TLSv1.3" ? 16'383 : 16'384;
    for (const auto& [size, writes] : {std::pair(1UL, 1UL), {2 * record_size, 1}, {2 * record_size + 1, 2}, {4 * record_size, 2}}) {
        CAPTURE(size);
        const std::size_t before = pair.to_server->writes;
        CHECK(write(*pair.client, pattern(size)).bytes == size);
        CHECK(pair.to_server->writes == before + writes);
        CHECK(read_all(*pair.server).first == pattern(size));
    }
}

TEST_CASE("tls: one read gives no more than its budget, for the others' sake") {
    Pair pair;
    pair.shake_hands();
    write(*pair.client, pattern(300'000));
    std::string room(1 << 20, '\0');
    const IoResult result = pair.server->read(room);
    CHECK(result.bytes >= 64 * 1024);
    CHECK(result.bytes < 2 * 64 * 1024);
}

TEST_CASE("tls: close_notify ends a half, and the other one goes on") {
    for (const char* version : versions()) {
        CAPTURE(version);
        Pair pair(client_context(version));
        pair.shake_hands();
        CHECK(pair.client->tls()->version == version);
        write(*pair.client, "last");
        CHECK(pair.client->shutdown_write().status == Status::done);
        const auto [received, end] = read_all(*pair.server);
        CHECK(received == "last");
        CHECK(end.status == Status::end);
        CHECK(pair.server->tls_failure().empty());
        CHECK_FALSE(pair.server->pending());
        CHECK(write(*pair.server, "answer").bytes == 6);
        CHECK(read_all(*pair.client).first == "answer");
        CHECK(pair.server->shutdown_write().status == Status::done);
        CHECK(read_all(*pair.client).second.status == Status::end);
    }
}

TEST_CASE("tls: close_notify waits for the record before it, and is sent then") {
    Pair pair;
    pair.shake_hands();
    pair.to_server->capacity = 10;
    write(*pair.client, "last");
    CHECK(pair.client->shutdown_write().status == Status::would_block);
    CHECK(pair.client->shutdown_write().status == Status::would_block);
    CHECK_FALSE(pair.to_server->ended);
    pair.to_server->capacity = 1000;
    CHECK(pair.client->shutdown_write().status == Status::done);
    CHECK(pair.to_server->ended);
    const auto [received, end] = read_all(*pair.server);
    CHECK(received == "last");
    CHECK(end.status == Status::end);
}

TEST_CASE("tls: close() says close_notify; an end without it is a truncation") {
    for (const char* version : versions()) {
        for (const bool cut_off : {false, true}) {
            CAPTURE(version, cut_off);
            Pair pair(client_context(version));
            pair.shake_hands();
            write(*pair.client, "last");
            if (cut_off)
                pair.to_server->ended = true;
            else
                pair.client->close();
            const auto [received, end] = read_all(*pair.server);
            CHECK(received == "last");
            CHECK(end.status == (cut_off ? Status::failed : Status::end));
            CHECK(pair.server->tls_failure().empty() == !cut_off);
            if (cut_off) CHECK(pair.server->tls_failure().find("without TLS's close_notify") != std::string::npos);
        }
    }
}

TEST_CASE("tls: a record that was cut in the middle is a truncation too") {
    Pair pair;
    pair.shake_hands();
    write(*pair.client, "lost");
    pair.to_server->bytes.resize(pair.to_server->bytes.size() - 1);
    pair.to_server->ended = true;
    const auto [received, end] = read_all(*pair.server);
    CHECK(received.empty());
    CHECK(end.status == Status::failed);
    CHECK(pair.server->tls_failure().find("cut off") != std::string::npos);
}

TEST_CASE("tls: a changed record is refused, and the peer learns it") {
    Pair pair;
    pair.shake_hands();
    write(*pair.client, "genuine");
    pair.to_server->bytes.back() ^= 1;
    CHECK(read_all(*pair.server).second.status == Status::failed);
    CHECK(pair.server->tls_failure().find("a TLS record from the peer was refused") == 0);
    CHECK(read_all(*pair.client).second.status == Status::failed);
    CHECK(pair.client->tls_failure() == "the peer ended TLS with the alert bad_record_mac (20)");
    CHECK(write(*pair.server, "x").status == Status::failed);
}

TEST_CASE("tls: a handshake takes no more than its bytes") {
    Pair pair;
    // Warnings, which mbedTLS passes over without end.
    for (int i = 0; i < 20'000; ++i) pair.to_server->bytes += std::string("\x15\x03\x03\x00\x02\x01\x64", 7);
    IoResult result = IoResult::would_block();
    char byte = 0;
    for (int i = 0; i < 20'000 && result.status == Status::would_block; ++i) result = pair.server->read({&byte, 1});
    CHECK(result.status == Status::failed);
    CHECK(pair.server->tls_failure().find("the TLS handshake failed: ") == 0);
}

TEST_CASE("tls: a silent end before the handshake is no failure, on a server") {
    Pair pair;
    pair.to_server->ended = true;
    char byte = 0;
    CHECK(pair.server->read({&byte, 1}).status == Status::end);
    CHECK(pair.server->tls_failure().empty());
    Pair other;
    other.to_client->ended = true;
    CHECK(other.client->read({&byte, 1}).status == Status::failed);
    CHECK(other.client->tls_failure() == "the TLS handshake failed: the peer closed the connection");
}

TEST_CASE("tls: what it came to stays readable after the end") {
    Pair pair;
    CHECK_FALSE(pair.client->tls());
    pair.shake_hands();
    pair.client->close();
    pair.client->close();
    REQUIRE(pair.client->tls());
    CHECK(pair.client->tls()->version.starts_with("TLSv1."));
    CHECK_FALSE(pair.client->tls()->cipher.empty());
    CHECK(write(*pair.client, "x").status == Status::failed);
    CHECK(pair.client->name() == "pipe");
}
