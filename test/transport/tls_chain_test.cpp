#include "transport/tls_chain.hpp"

#include "support/made_up.hpp"
#include "support/raw_peer.hpp"
#include "transport/authorities.hpp"

using namespace support::tls;
using namespace support;

namespace {

using Chain = std::vector<std::string>;

std::string number(std::size_t value) { return {static_cast<char>(value >> 16), static_cast<char>(value >> 8), static_cast<char>(value)}; }

/// TLS 1.2's message, without its header.
std::string message_of(const Chain& chain) {
    std::string list;
    for (const std::string& one : chain) list += number(one.size()) + one;
    return number(list.size()) + list;
}

/// What is said of it, the same whichever way it comes.
std::string excess(const Chain& chain, const VerifyRules& rules = {}, const Authorities& trusted = Authorities({})) {
    mbedtls::Certificates parsed;
    for (const std::string& one : chain)
        REQUIRE(mbedtls_x509_crt_parse_der(parsed.get(), reinterpret_cast<const unsigned char*>(one.data()), one.size()) == 0);
    const std::string text = excess_of(*parsed.get(), rules, trusted);
    CHECK(excess_of(message_of(chain), rules, trusted) == text);
    return text;
}

Chain of_key(const std::string& key) { return {made_up_certificate("leaf", "I", key)}; }

const std::string& p256() {
    static const std::string key = made_up_ec(MBEDTLS_ECP_DP_SECP256R1);
    return key;
}

/// Each is the issuer of the one before.
Chain row(std::size_t length) {
    Chain chain;
    for (std::size_t i = 0; i < length; ++i)
        chain.push_back(made_up_certificate("I" + std::to_string(i), "I" + std::to_string(i + 1), p256()));
    return chain;
}

/// A leaf whose key its peer has, and so many expired issuers of one name.
Chain namesakes(const std::string& leaf_key, const std::string& key, int count) {
    Chain chain = {made_up_certificate("leaf", "I", leaf_key, false, false)};
    for (int i = 0; i < count; ++i) chain.push_back(made_up_certificate("I", i % 2 ? "I" : "i", key, true));
    return chain;
}

}  // namespace

TEST_CASE("tls chain: RSA keys are bounded in their size and their exponent") {
    CHECK(excess(of_key(made_up_rsa(4096))).empty());
    CHECK(contains(excess(of_key(made_up_rsa(4104))),
                   "the server's certificate \"CN=leaf\" has an RSA key of 4104 bits, and no more than 4096 are taken "
                   "(ssl option \"max_rsa_bits\")"));
    VerifyRules rules;
    rules.max_rsa_bits = 4104;
    CHECK(excess(of_key(made_up_rsa(4104)), rules).empty());
    CHECK(contains(excess(of_key(made_up_rsa(4112)), rules), "max_rsa_bits"));
    CHECK(excess(of_key(made_up_rsa(2048, 31))).empty());
    CHECK(excess(of_key(made_up_rsa(2048, 32))).empty());
    CHECK(contains(excess(of_key(made_up_rsa(2048, 33))), "has an RSA key with an exponent of 33 bits, and no more than 32 are taken"));
}

TEST_CASE("tls chain: the key of every certificate counts, not only the first one's") {
    Chain chain = row(3);
    chain.push_back(made_up_certificate("I3", "I4", made_up_rsa(8192)));
    VerifyRules rules;
    rules.is_server = true;
    CHECK(contains(excess(chain, rules), "certificate 3 of the chain, \"CN=I3\", has an RSA key of 8192 bits"));
}

TEST_CASE("tls chain: curves other than P-256 and P-384 need an option") {
    CHECK(excess(of_key(p256())).empty());
    CHECK(excess(of_key(made_up_ec(MBEDTLS_ECP_DP_SECP384R1))).empty());
    VerifyRules rules;
    rules.allow_all_curves = true;
    for (const auto& [curve, name] :
         {std::pair(MBEDTLS_ECP_DP_SECP521R1, "secp521r1"), std::pair(MBEDTLS_ECP_DP_BP256R1, "brainpoolP256r1"),
          std::pair(MBEDTLS_ECP_DP_BP512R1, "brainpoolP512r1")}) {
        const Chain chain = of_key(made_up_ec(curve));
        CHECK(contains(excess(chain), std::string("has a key on the curve ") + name));
        CHECK(contains(excess(chain), "(ssl option \"allow_all_curves\")"));
        CHECK(excess(chain, rules).empty());
    }
}

TEST_CASE("tls chain: it has ten certificates at most") {
    CHECK(excess(row(9)).empty());
    CHECK(excess(row(10)).empty());
    CHECK(contains(excess(row(11)), "the server's chain of certificates has 11 certificates, and no more than 10 are taken"));
}

TEST_CASE("tls chain: the signatures that it needs are counted by names, whatever letters they are in") {
    // Of a leaf and n issuers of one name: n, and n - 1, and so on.
    CHECK(excess(namesakes(p256(), p256(), 2)).empty());
    CHECK(excess(namesakes(p256(), p256(), 3)).empty());
    CHECK(contains(excess(namesakes(p256(), p256(), 4)), "needs 10 signatures to be checked, and no more than 7 are taken"));
}

TEST_CASE("tls chain: those who are trusted count too, but that they share a name is not the peer's doing") {
    const Files files;
    std::string roots;
    for (int i = 0; i < 6; ++i) roots += make_authority("R").pem;
    const Authorities one({{files.write("one.pem", make_authority("R").pem), "one"}});
    const Authorities six({{files.write("six.pem", roots), "six"}});
    const auto chain_of = [](int length) { return Chain(static_cast<std::size_t>(length), made_up_certificate("leaf", "R", p256())); };
    CHECK(excess(chain_of(1), {}, six).empty());
    CHECK(contains(excess(chain_of(3), {}, six), "needs 18 signatures to be checked, and no more than 11 are taken"));
    CHECK(excess(chain_of(10), {}, one).empty());
    Chain row_below = row(9);
    for (std::string& certificate : row_below) certificate = made_up_certificate("R", "R", p256());
    CHECK(contains(excess(row_below, {}, one), "needs 45 signatures"));
}

TEST_CASE("tls chain: a message that makes no sense is left to mbedTLS") {
    for (const std::string& message :
         {std::string(), std::string("\0", 1), std::string(3, '\0'), std::string(6, '\xff'), std::string("\0\0\4\0\0\1x", 7)})
        CHECK(excess_of(message, VerifyRules(), Authorities({})).empty());
}

namespace {

/// A chain of a leaf that its peer has the key of, and what is to be said of it.
struct Attack {
    std::string chain{}, key{}, refusal{};
};

std::vector<Attack> attacks() {
    const Certificate issuer = make_authority("I");
    const Certificate leaf = make_certificate({.dns = {"localhost"}}, &issuer);
    const auto behind_leaf = [&](const std::string& key, int count) {
        Chain chain = namesakes(p256(), key, count);
        chain.erase(chain.begin());
        return leaf.pem + as_pem(chain);
    };
    return {
        {behind_leaf(made_up_ec(MBEDTLS_ECP_DP_BP512R1), 9), leaf.key, "allow_all_curves"},
        {behind_leaf(made_up_rsa(4096, 4094), 9), leaf.key, "has an RSA key with an exponent of 4094 bits"},
        {behind_leaf(made_up_rsa(8192, 8190), 4), leaf.key, "max_rsa_bits"},
        {behind_leaf(p256(), 9), leaf.key, "needs 45 signatures to be checked"},
        {behind_leaf(p256(), 10), leaf.key, "has 11 certificates"},
    };
}

std::map<std::string, OptionValue> with_identity(const Attack& attack, const Files& files) {
    return {{"local_cert", files.write("chain.pem", attack.chain)}, {"local_pk", files.write("own.key", attack.key)}};
}

void check_refused(const Attack& attack, RawPeer& peer, const char* version) {
    CAPTURE(attack.refusal, version);
    CHECK_FALSE(peer.shake_hands());
    INFO(peer.ours->tls_failure());
    CHECK(contains(peer.ours->tls_failure(), attack.refusal));
    // Of a client of TLS 1.3 see include/guide/tls.md.
    if (version == std::string("TLSv1.2")) CHECK(peer.alert() == MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN);
}

}  // namespace

TEST_CASE("tls chain: a server refuses an expensive one before it checks a signature, whatever it wants certificates for") {
    const Authority& authority = Authority::instance();
    const std::map<std::string, OptionValue> wants[] = {
        {{"verify_peer", true}, {"cafile", authority.root_file}},
        {{"capture_peer_cert", true}},
        {{"peer_fingerprint", std::string(64, '0')}},
    };
    for (const Attack& attack : attacks()) {
        for (auto options : wants) {
            for (const char* version : versions()) {
                const Files files;
                auto raw = with_identity(attack, files);
                raw["cafile"] = authority.root_file;
                raw["crypto_method"] = version;
                options["local_cert"] = authority.leaf_file;
                options["local_pk"] = authority.key_file;
                RawPeer peer(make_tls_context(TlsRole::client, context_of(raw)), make_tls_context(TlsRole::server, context_of(options)));
                check_refused(attack, peer, version);
            }
        }
    }
}

TEST_CASE("tls chain: a client refuses an expensive one before it checks a signature, whether it verifies or not") {
    for (const Attack& attack : attacks()) {
        for (const bool verifies : {true, false}) {
            for (const char* version : versions()) {
                const Files files;
                auto raw = with_identity(attack, files);
                raw["crypto_method"] = version;
                const auto options = context_of({{"cafile", Authority::instance().root_file}, {"verify_peer", verifies}});
                RawPeer peer(make_tls_context(TlsRole::server, context_of(raw)), make_tls_context(TlsRole::client, options));
                check_refused(attack, peer, version);
            }
        }
    }
}

TEST_CASE("tls chain: where no signature counts, none is asked for: any certificate will do, and none at all") {
    const Authority& authority = Authority::instance();
    const Files files;
    const Certificate own = make_certificate({.dns = {"localhost"}});
    const auto at_server = make_tls_context(
        TlsRole::server, context_of({{"local_cert", authority.leaf_file}, {"local_pk", authority.key_file}, {"capture_peer_cert", true}}));
    for (const char* version : versions()) {
        for (const bool shows : {true, false}) {
            CAPTURE(version, shows);
            std::map<std::string, OptionValue> options = {{"cafile", authority.root_file}, {"crypto_method", version}};
            if (shows) options.insert({{"local_cert", files.write("own.pem", own.pem)}, {"local_pk", files.write("own.key", own.key)}});
            Pair pair(make_tls_context(TlsRole::client, context_of(options)), at_server);
            pair.shake_hands();
            CHECK(pair.server->tls()->peer_certificate == (shows ? own.pem : std::string()));
        }
    }
}

TEST_CASE("tls: a session that was made without a pin, or with another, is not resumed past it") {
    const Authority& authority = Authority::instance();
    const auto at_server = server_context();
    for (const char* version : versions()) {
        CAPTURE(version);
        const std::map<std::string, OptionValue> options = {{"cafile", authority.root_file}, {"crypto_method", version}};
        for (const bool is_pinned : {true, false}) {
            RawPeer first(make_tls_context(TlsRole::client, context_of(options)), at_server);
            REQUIRE(first.shake_hands());
            first.take_tickets();
            auto with_pin = options;
            with_pin["peer_fingerprint"] = is_pinned ? hex_fingerprint(authority.leaf, MBEDTLS_MD_SHA256) : std::string(64, '0');
            const auto at_client = make_tls_context(TlsRole::client, context_of(with_pin));
            at_client->keep_session("localhost:1", first.ssl());
            Pair second(at_client, at_server);
            char byte = 0;
            for (int i = 0; i < 100 && second.client->is_handshaking(); ++i) {
                second.client->read({&byte, 1});
                second.server->read({&byte, 1});
            }
            INFO(second.client->tls_failure());
            REQUIRE((second.client->tls() != nullptr) == is_pinned);
            if (is_pinned) CHECK(second.client->tls()->resumed);
            CHECK(contains(second.client->tls_failure(), "peer_fingerprint") != is_pinned);
        }
    }
}
