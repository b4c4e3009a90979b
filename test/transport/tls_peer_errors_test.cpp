#include "support/tls_pair.hpp"

using namespace support::tls;
using support::Authority;
using support::contains;
using support::PipeLane;

namespace {

std::string record(const std::string& content, unsigned char type = 22) {
    const auto size = static_cast<unsigned>(content.size());
    return std::string{static_cast<char>(type), 3, 3, static_cast<char>(size >> 8), static_cast<char>(size)} + content;
}
std::string handshake_message(unsigned char type, const std::string& body) {
    const auto size = static_cast<unsigned>(body.size());
    return std::string{static_cast<char>(type), static_cast<char>(size >> 16), static_cast<char>(size >> 8), static_cast<char>(size)} +
           body;
}

/// What one side makes of these bytes as the other's first ones.
std::string failure_of(Pair& pair, std::unique_ptr<Transport> Pair::*side, std::shared_ptr<PipeLane> Pair::*lane,
                       const std::string& bytes) {
    char byte = 0;
    (pair.*side)->read({&byte, 1});
    (pair.*lane)->bytes += bytes;
    (pair.*lane)->total += bytes.size();
    for (int i = 0; i < 4; ++i) (pair.*side)->read({&byte, 1});
    return (pair.*side)->tls_failure();
}

/// A server's hello of TLS 1.2, and these certificates behind it.
std::string flight(const std::vector<std::string>& certificates) {
    using namespace std::string_literals;
    const std::string hello = "\x03\x03"s + std::string(32, 'r') + "\0\xcc\xa9\0\0\x05\xff\x01\0\x01\0"s;
    const auto counted = [](const std::string& bytes) { return handshake_message(0, bytes).substr(1); };
    std::string chain;
    for (const std::string& one : certificates) chain += counted(one);
    return record(handshake_message(2, hello)) + record(handshake_message(11, counted(chain)));
}

}  // namespace

TEST_CASE("tls: it is handshaking until the handshake is complete") {
    Pair pair;
    CHECK(pair.client->is_handshaking());
    CHECK(pair.server->is_handshaking());
    pair.shake_hands();
    CHECK_FALSE(pair.client->is_handshaking());
    CHECK_FALSE(pair.server->is_handshaking());
}

TEST_CASE("tls: a server that wants TLS 1.3 is told to, where the library has none") {
    Pair pair;
    CHECK(pair.client->is_handshaking());
    const std::string text = failure_of(pair, &Pair::client, &Pair::to_client, record("\x02\x46", 21));
    CHECK(text.find("the server ended it with the alert protocol_version (70)") != std::string::npos);
    CHECK((text.find("has no TLS 1.3") != std::string::npos) != mbedtls::has_tls13());
    CHECK_FALSE(pair.client->is_handshaking());
}

TEST_CASE("tls: a client that speaks TLS 1.3 alone is told to a server that does not") {
    const Authority& authority = Authority::instance();
    const auto at_server = make_tls_context(
        TlsRole::server,
        context_of({{"local_cert", authority.leaf_file}, {"local_pk", authority.key_file}, {"max_proto_version", "TLSv1.2"}}));
    const auto text = [&](const std::string& suites) {
        using namespace std::string_literals;
        Pair pair(client_context(), at_server);
        const std::string hello = "\x03\x03"s + std::string(32, 'r') + "\0\0"s + static_cast<char>(suites.size()) + suites + "\1\0"s;
        return failure_of(pair, &Pair::server, &Pair::to_server, record(handshake_message(1, hello)));
    };
    for (const char* only_tls13 : {"\x13\x01", "\x13\x02\x13\x03", "\x3a\x3a\x13\x01\x56\x00"}) {
        const std::string suites(only_tls13, only_tls13[0] == '\x3a' ? 6 : std::string(only_tls13).size());
        CHECK(text(suites).find("the client speaks TLS 1.3 alone, which ") != std::string::npos);
    }
    for (const std::string& suites : {std::string("\x13\x01\xc0\x01"), std::string("\x01\x13")}) {
        CHECK(text(suites).find("no ciphersuite in common with the client") != std::string::npos);
    }
}

TEST_CASE("tls: a chain of certificates that is too long for a message is told to be") {
    using namespace std::string_literals;
    Pair pair(client_context("TLSv1.2"));
    const std::string hello = "\x03\x03"s + std::string(32, 'r') + "\0\xcc\xa9\0\0\x05\xff\x01\0\x01\0"s;
    const std::string chain = handshake_message(11, std::string(17'000, 'c'));
    const std::string text =
        failure_of(pair, &Pair::client, &Pair::to_client,
                   record(handshake_message(2, hello)) + record(chain.substr(0, 16'000)) + record(chain.substr(16'000)));
    CHECK(text.find("the server sent a message of 17004 bytes (its certificates, most likely) which is too long: ") != std::string::npos);
}

TEST_CASE("tls: a client's first message that is too long, or comes in parts, is told to be that") {
    using namespace std::string_literals;
    const auto text = [](const std::string& bytes) {
        Pair pair;
        return failure_of(pair, &Pair::server, &Pair::to_server, bytes);
    };
    const auto hello = [](std::size_t size) {
        std::string bytes;
        const std::string message = handshake_message(1, "\x03\x03"s + std::string(size - 6, 'r'));
        for (std::size_t at = 0; at < size; at += 10'000) bytes += record(message.substr(at, 10'000));
        return bytes;
    };
    CHECK(contains(text(hello(20'000)), "the client's first message (ClientHello) has 20000 bytes, and mbedTLS "));
    CHECK(contains(text(hello(16'385)), "(ClientHello) has 16385 bytes"));
    CHECK_FALSE(contains(text(hello(16'384)), "(ClientHello) has "));
    if (mbedtls::has_tls13()) return;  // newer ones put parts together
    CHECK(contains(text(hello(16'384)), "(ClientHello) comes in several records, which mbedTLS "));
    CHECK(contains(text(record("\x01") + record("\0\0\x02xx"s)), "(ClientHello) comes in several records, which mbedTLS "));
}

TEST_CASE("tls: what a peer speaks instead is told, with how it begins") {
    const auto text = [](std::unique_ptr<Transport> Pair::*side, const std::string& bytes) {
        Pair pair;
        return failure_of(pair, side, side == &Pair::client ? &Pair::to_client : &Pair::to_server, bytes);
    };
    const std::string failed = "the TLS handshake failed: the server does not speak TLS on this port: it begins with ";
    CHECK(text(&Pair::client, "SSH-2.0-OpenSSH_9.2p1\r\n") == failed + "\"SSH-2.0-OpenSSH_9.2p1\"");
    CHECK(text(&Pair::client, "220 mail.example ESMTP\r\n") == failed + "\"220 mail.example ESMTP\"");
    CHECK(text(&Pair::client, "+OK a\\b\n") == failed + R"("+OK a\\b")");
    CHECK(text(&Pair::client, std::string(5000, 'x')).size() < 200);
    CHECK(contains(text(&Pair::client, "HTTP/1.1 400 Bad Request\r\n"), "plain HTTP"));
    CHECK(contains(text(&Pair::server, "\x80\x2e\x01\x03\x01 and so on"), "a hello of SSL 2"));
    CHECK(contains(text(&Pair::server, "SSH-2.0-PuTTY\r\n"), "it begins with \"SSH-2.0-PuTTY\""));
}

TEST_CASE("tls: which certificate of a chain cannot be read is told, and why") {
    const Authority& authority = Authority::instance();
    const support::Certificate middle = support::make_authority("Middle", &authority.root),
                               leaf = support::make_certificate({.dns = {"localhost"}}, &middle);
    const std::string odd = support::der_of_pem(support::with_unknown_signature(middle).pem);
    const auto text = [&](const std::vector<std::string>& certificates) {
        Pair pair(client_context("TLSv1.2"));
        return failure_of(pair, &Pair::client, &Pair::to_client, flight(certificates));
    };
    const std::string issued = "is issued by \"CN=Middle\", which is neither trusted nor among the certificates sent that could be read",
                      unread = " of the chain cannot be read: its key or its signature is of a kind that mbedTLS ";
    const std::string second = text({support::der_of_pem(leaf.pem), odd}),
                      third = text({support::der_of_pem(leaf.pem), support::der_of_pem(authority.root.pem), odd});
    CHECK(contains(second, issued));
    CHECK(contains(second, "; certificate 1" + unread));
    CHECK(contains(third, "; certificate 2" + unread));
    CHECK_FALSE(contains(text({support::der_of_pem(leaf.pem)}), "cannot be read"));
    // One that is no certificate at all ends the handshake by itself.
    CHECK(contains(text({support::der_of_pem(leaf.pem), std::string(200, 'g')}),
                   "the TLS handshake failed: certificate 1 of the chain cannot be read: "));
    CHECK(contains(text({std::string(200, 'g')}), "the TLS handshake failed: the server's certificate cannot be read: "));
}
