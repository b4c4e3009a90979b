#include "transport/tls_context.hpp"

#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/error_of.hpp"
#include "support/tls_pair.hpp"
#include "transport/tls_pool.hpp"

using namespace hawser;
using namespace hawser::transport;
using support::Authority;
using support::contains;
using support::tls::refusal;

TEST_CASE("tls context: a server needs a certificate and the key that belongs to it") {
    const Authority& authority = Authority::instance();
    const support::Files files;
    const std::string garbage = files.write("garbage", "-----BEGIN CERTIFICATE-----\nxxxx\n-----END CERTIFICATE-----\n");
    const std::string other_key = files.write("other.key", support::make_certificate({}).key);
    CHECK(contains(refusal(TlsRole::server, {}), "a server of wss needs a certificate: give ssl option \"local_cert\""));
    CHECK(contains(refusal(TlsRole::server, {{"local_cert", files.path("missing")}}), "ssl option \"local_cert\": cannot read \""));
    CHECK(contains(refusal(TlsRole::server, {{"local_cert", garbage}}), "is no chain of certificates"));
    CHECK(contains(refusal(TlsRole::server, {{"local_cert", authority.leaf_file}}),
                   "ssl option \"local_cert\": \"" + authority.leaf_file + "\" gives no private key: "));
    CHECK(contains(refusal(TlsRole::server, {{"local_cert", authority.leaf_file}, {"local_pk", other_key}}),
                   "ssl option \"local_pk\": the key in \"" + other_key + "\" does not belong to the first certificate in"));
    CHECK(contains(refusal(TlsRole::server, {{"local_cert", authority.leaf_file}, {"local_pk", files.path("missing")}}),
                   "ssl option \"local_pk\": cannot read"));
    CHECK(contains(refusal(TlsRole::server, {{"SNI_server_certs", std::map<std::string, std::string>{{"a", files.path("missing")}}}}),
                   "ssl option \"SNI_server_certs\": cannot read"));
}

TEST_CASE("tls context: a wrong passphrase is named, whatever it makes of the key") {
    const support::Files files;
    const std::string key = files.write("encrypted.key",
                                        "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
                                        "DEK-Info: AES-256-CBC,000102030405060708090A0B0C0D0E0F\n\n"
                                        "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=\n-----END EC PRIVATE KEY-----\n");
    // With the last one the first byte is that of a key.
    for (const char* wrong : {"", "wrong", "916"}) {
        CAPTURE(wrong);
        CHECK(contains(refusal(TlsRole::server,
                               {{"local_cert", Authority::instance().leaf_file}, {"local_pk", key}, {"passphrase", std::string(wrong)}}),
                       "ssl option \"passphrase\": \"" + key + "\" gives no private key: "));
    }
}

TEST_CASE("tls context: a server that verifies needs to know by whom") {
    const Authority& authority = Authority::instance();
    CHECK(contains(refusal(TlsRole::server, {{"local_cert", authority.leaf_file}, {"local_pk", authority.key_file}, {"verify_peer", true}}),
                   "needs ssl option \"cafile\" or \"capath\""));
}

TEST_CASE("tls context: a client has no session to offer before it kept one") {
    Context context;
    context.set_option("ssl", "verify_peer", false);
    TlsPool pool;
    TlsContext client(TlsRole::client, TlsSettings::read(context, false), pool);
    mbedtls::Ssl ssl;
    REQUIRE(mbedtls_ssl_setup(ssl.get(), &client.config()) == 0);
    client.offer_session("a:1", *ssl.get());
    client.keep_session("", *ssl.get());
    client.forget_session("a:1");
    CHECK_FALSE(client.take_ticket_accepted());
    CHECK(client.role() == TlsRole::client);
}
