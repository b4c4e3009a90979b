#include "transport/tls_records.hpp"

#include "support/raw_peer.hpp"

using namespace support::tls;
using namespace std::string_literals;
using support::Authority;
using support::PipeLane;

namespace {

std::string record(unsigned char type, const std::string& content) {
    return std::string{static_cast<char>(type), 3, 3, static_cast<char>(content.size() >> 8), static_cast<char>(content.size())} + content;
}

std::map<std::string, OptionValue> own_options(TlsRole role, const char* version) {
    const Authority& authority = Authority::instance();
    std::map<std::string, OptionValue> options = {{"crypto_method", version}};
    if (role == TlsRole::client) return options.emplace("cafile", authority.root_file), options;
    return options.emplace("local_cert", authority.leaf_file), options.emplace("local_pk", authority.key_file), options;
}

struct Open {
    Open(TlsRole of_ours, const char* version)
        : peer(make_tls_context(of_ours == TlsRole::client ? TlsRole::server : TlsRole::client,
                                context_of(own_options(of_ours == TlsRole::client ? TlsRole::server : TlsRole::client, version))),
               make_tls_context(of_ours, context_of(own_options(of_ours, version)))) {
        REQUIRE(peer.shake_hands());
        read_all(*peer.ours);
        peer.write("x");  // tickets count from here on
        CHECK(read_all(*peer.ours).first == "x");
    }
    RawPeer peer;
};

const std::string nothing_text = "more than 32 in a row brought nothing";

}  // namespace

TEST_CASE("tls records: wherever they are split, what brings nothing is counted, and forgotten once something came") {
    const std::size_t at_once = GENERATE(as<std::size_t>(), 1, 2, 5, 7, 4096);
    TlsRecords records;
    const auto take = [&](const std::string& bytes) {
        for (std::size_t i = 0; i < bytes.size(); i += at_once) records.take(std::string_view(bytes).substr(i, at_once));
    };
    records.end_handshake();
    for (unsigned i = 0; i < TlsRecords::max_idle; ++i) take(i % 2 ? record(21, "ab") : record(23, ""));
    CHECK_FALSE(records.is_idle_too_long());
    records.set_useful();
    for (unsigned i = 0; i < TlsRecords::max_idle; ++i) take(record(23, "a"));
    CHECK_FALSE(records.is_idle_too_long());
    take(record(23, "a"));
    CHECK(records.is_idle_too_long());
}

TEST_CASE("tls records: in the handshake what is of it, or long, is not counted") {
    TlsRecords records;
    for (unsigned i = 0; i < 2 * TlsRecords::max_idle; ++i) records.take(record(22, "m") + record(23, std::string(65, 'c')));
    CHECK_FALSE(records.is_idle_too_long());
    for (unsigned i = 0; i < TlsRecords::max_idle; ++i) records.take(record(21, "\1\x5a") + record(22, "m"));
    CHECK_FALSE(records.is_idle_too_long());
    records.take(record(23, std::string(64, 'c')));
    CHECK(records.is_idle_too_long());
}

TEST_CASE("tls records: certificates that are sent in the clear are found wherever records and reads split them") {
    const std::size_t at_once = GENERATE(as<std::size_t>(), 1, 3, 100);
    const std::string stream = record(22, "\1\0\0\2ab\x0b\0"s) + record(21, "\1\x5a") + record(22, ""s) + record(22, "\0\3"s) +
                               record(22, "xyz\x10\0\0\1c"s) + record(20, "\1");
    TlsRecords records;
    std::string found;
    for (std::size_t i = 0; i < stream.size(); i += at_once) {
        records.take(std::string_view(stream).substr(i, at_once));
        found += records.take_certificates();
    }
    CHECK(found == "xyz");
    CHECK(records.handshake_size() == stream.size());
    CHECK(records.first_bytes() == stream.substr(0, 9));
    CHECK(records.hidden_size() == 0);
    records.take(record(23, std::string(9, 'h')) + record(23, std::string(12, 'h')));
    CHECK(records.hidden_size() == 3);
}

TEST_CASE("tls: a peer whose records bring nothing is ended, beyond a number in a row") {
    const TlsRole role = GENERATE(TlsRole::client, TlsRole::server);
    for (const char* version : versions()) {
        CAPTURE(version);
        Open open(role, version);
        RawPeer& peer = open.peer;
        for (int round = 0; round < 3; ++round) {
            for (unsigned i = 0; i < TlsRecords::max_idle; ++i) peer.warn();
            peer.write("content");
            CHECK(read_all(*peer.ours).first == "content");
        }
        // Of empty ones mbedTLS itself takes no more than three in a row.
        for (unsigned i = 0; i < TlsRecords::max_idle; ++i) i % 2 ? peer.warn() : peer.write("");
        CHECK(read_all(*peer.ours).second.status == Status::would_block);
        peer.warn();
        CHECK(read_all(*peer.ours).second.status == Status::failed);
        CHECK(peer.ours->tls_failure().find(nothing_text) != std::string::npos);
        CHECK(peer.alert() == MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE);
    }
}

TEST_CASE("tls: a close_notify behind many records that bring nothing is one") {
    Open open(TlsRole::server, "TLSv1.2");
    for (unsigned i = 0; i < TlsRecords::max_idle; ++i) open.peer.warn();
    mbedtls_ssl_close_notify(&open.peer.ssl());
    CHECK(read_all(*open.peer.ours).second.status == Status::end);
}

TEST_CASE("tls: a handshake of nothing but warnings is ended, in either role") {
    const TlsRole role = GENERATE(TlsRole::client, TlsRole::server);
    const bool is_too_long = GENERATE(false, true);
    const TlsRole other = role == TlsRole::client ? TlsRole::server : TlsRole::client;
    RawPeer peer(make_tls_context(other, context_of(own_options(other, "TLSv1.2"))),
                 make_tls_context(role, context_of(own_options(role, "TLSv1.2"))));
    char byte = 0;
    // A client's hello, and a server's answer to it, are the first words.
    peer.step();
    peer.ours->read({&byte, 1});
    for (unsigned i = 0; i < TlsRecords::max_idle + is_too_long; ++i) peer.to_ours->bytes += record(21, "\1\x5a");
    peer.to_ours->total += peer.to_ours->bytes.size();
    peer.ours->read({&byte, 1});
    CHECK(peer.ours->is_handshaking() != is_too_long);
    CHECK((peer.ours->tls_failure().find(nothing_text) != std::string::npos) == is_too_long);
    if (is_too_long) CHECK(peer.from_ours->bytes.ends_with("\2\x0a"));
    if (!is_too_long) CHECK(peer.shake_hands());
}

TEST_CASE("tls: one read takes a bounded number of bytes from the socket, whatever they bring") {
    Open open(TlsRole::server, "TLSv1.2");
    for (int i = 0; i < 20'000; ++i) open.peer.write("x");
    std::string room(64 * 1024, '\0');
    const std::size_t before = open.peer.to_ours->bytes.size();
    const IoResult result = open.peer.ours->read(room);
    CHECK(result.status == Status::done);
    const std::size_t taken = before - open.peer.to_ours->bytes.size();
    CHECK(taken >= 100 * 1024);
    CHECK(taken <= 120 * 1024);
    std::size_t size = result.bytes;
    size += read_all(*open.peer.ours).first.size();
    CHECK(size == 20'000);
}
