#include <hawser/context.hpp>

#include <hawser/error.hpp>

#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "types/option_table.hpp"

using namespace hawser;
using support::contains;
using namespace std::string_literals;

namespace {

using List = std::vector<std::string>;
using Map = std::map<std::string, std::string>;

template <typename Function>
std::string refusal_of(Function&& function) {
    try {
        function();
        return {};
    } catch (const Error& error) {
        CHECK(error.errc() == Errc::invalid_option);
        return error.what();
    }
}

std::string refusal(std::string_view wrapper, std::string_view name, OptionValue value) {
    return refusal_of([&] { Context().set_option(wrapper, name, std::move(value)); });
}

const OptionValue one_of_each_type[] = {{}, true, std::int64_t{1}, "x"s, List{"x: y"}, Map{{"x", "y"}}};

}  // namespace

TEST_CASE("context: an option that was set is read again, the others have their defaults") {
    Context context;
    CHECK(context.get_option_or<std::int64_t>("socket", "backlog", 1) == 4096);
    CHECK(context.get_option_or("socket", "tcp_nodelay", false));
    CHECK_FALSE(context.get_option_or("socket", "ipv6_v6only", true));
    CHECK_FALSE(context.get_option_or("socket", "so_reuseport", true));
    CHECK(context.get_option("socket", "so_keepalive") == nullptr);
    CHECK(context.get_option_or("http", "user_agent", "none"s) == "none");
    CHECK(context.options().empty());

    context.set_option("socket", "backlog", 7);
    context.set_option("socket", "tcp_nodelay", false);
    context.set_option("http", "user_agent", "me/1");
    context.set_option("http", "header", List{"A: b"});
    CHECK(context.get_option_or<std::int64_t>("socket", "backlog", 1) == 7);
    CHECK_FALSE(context.get_option_or("socket", "tcp_nodelay", true));
    CHECK(context.get_option_or("http", "user_agent", "none"s) == "me/1");
    CHECK(context.get_option_or("http", "header", List{}) == List{"A: b"});
    CHECK(context.options().at("socket").size() == 2);
    context.set_option("socket", "backlog", 8);
    CHECK(context.get_option_or<std::int64_t>("socket", "backlog", 1) == 8);
    CHECK_THROWS_AS(context.get_option_or("socket", "backlog", "text"s), std::bad_variant_access);
}

TEST_CASE("context: an unknown option is refused with the nearest known one") {
    CHECK(refusal("socket", "tcp_nodlay", true) ==
          R"(there is no "socket" option "tcp_nodlay", the nearest known one is "socket" option "tcp_nodelay")");
    CHECK(refusal("sockets", "backlog", 1) ==
          R"(there is no "sockets" option "backlog", the nearest known one is "socket" option "backlog")");
    CHECK(contains(refusal("ssl", "sni_enable", true), R"(the nearest known one is "ssl" option "SNI_enabled")"));
    CHECK(contains(refusal("tls", "verify_peer", true), R"(the nearest known one is "ssl" option "verify_peer")"));
    CHECK(contains(refusal("http", "headers", List{}), R"(the nearest known one is "http" option "header")"));
    CHECK(contains(refusal("socket", "verify_peer_name", true), R"("ssl" option "verify_peer_name")"));
    CHECK(contains(refusal("", "", true), "there is no \"\" option \"\""));
    CHECK(refusal(std::string(100'000, 'x'), std::string(100'000, '\n'), true).size() < 2000);
}

TEST_CASE("context: reading an unknown option is refused too") {
    const Context context;
    CHECK(contains(refusal_of([&] { context.get_option("socket", "nodelay"); }),
                   R"(the nearest known one is "socket" option "tcp_nodelay")"));
    CHECK(contains(refusal_of([&] { context.get_option_or("tcp", "backlog", true); }), R"(there is no "tcp" option)"));
}

TEST_CASE("context: an option takes its own type alone") {
    const char* const type_names[] = {"an empty value", "a bool", "an integer", "a string", "a list of strings", "a map of strings"};
    for (const Option& option : known_options()) {
        if (!option.refusal.empty()) continue;
        const std::string label = std::string(option.wrapper) + " option \"" + std::string(option.name) + "\" ";
        for (const OptionValue& value : one_of_each_type) {
            if (option.takes(value)) continue;
            CAPTURE(label, value.index());
            const std::string other = option.other_type ? " or "s + type_names[static_cast<std::size_t>(*option.other_type)] : ""s;
            CHECK(refusal(option.wrapper, option.name, value) ==
                  label + "takes " + type_names[static_cast<std::size_t>(option.type)] + other + ", not " + type_names[value.index()]);
        }
    }
}

TEST_CASE("context: {} among several options is refused, and not taken for false") {
    Context context;
    CHECK(contains(refusal_of([&] { context.set_options({{"ssl", {{"verify_peer", {}}}}}); }), "takes a bool, not an empty value"));
    CHECK(context.options().empty());
}

TEST_CASE("context: a default is of the option's type and is accepted by it") {
    for (const Option& option : known_options()) {
        if (!option.standard) continue;
        CAPTURE(option.name);
        CHECK(option.standard->index() == static_cast<std::size_t>(option.type));
        if (option.refusal.empty()) CHECK(refusal(option.wrapper, option.name, *option.standard).empty());
    }
}

TEST_CASE("context: an integer keeps within its range") {
    const std::tuple<const char*, const char*, std::int64_t, std::int64_t> ranges[] = {
        {"socket", "backlog", 1, 65535},     {"socket", "tcp_keepidle", 1, 32767},      {"socket", "tcp_keepintvl", 1, 32767},
        {"socket", "tcp_keepcnt", 1, 127},   {"socket", "so_rcvbuf", 1, 1'073'741'823}, {"socket", "so_sndbuf", 1, 1'073'741'823},
        {"http", "timeout", 1, 86'400},      {"ssl", "verify_depth", 0, 100},           {"ssl", "security_level", 0, 5},
        {"ssl", "max_rsa_bits", 1024, 8192}, {"http", "max_redirects", 0, 1000},
    };
    for (const auto& [wrapper, name, least, most] : ranges) {
        CAPTURE(name);
        CHECK(refusal(wrapper, name, least).empty());
        CHECK(refusal(wrapper, name, least + 1).empty());
        CHECK(refusal(wrapper, name, most - 1).empty());
        CHECK(refusal(wrapper, name, most).empty());
        for (const std::int64_t wrong : {least - 1, most + 1, INT64_MIN, INT64_MAX}) {
            CHECK(refusal(wrapper, name, wrong) == wrapper + " option \""s + name + "\" is " + std::to_string(wrong) + ", must be " +
                                                       std::to_string(least) + " to " + std::to_string(most));
        }
    }
}

TEST_CASE("context: what this version cannot honour is refused with the reason, whatever the value") {
    for (const OptionValue& value : one_of_each_type) {
        CHECK(refusal("socket", "so_broadcast", value) == R"(socket option "so_broadcast" is refused: a TCP stream has no broadcast)");
    }
}

TEST_CASE("context: every ssl option is known") {
    const char* const names[] = {
        "peer_name",      "verify_peer",         "verify_peer_name",   "allow_self_signed", "cafile",
        "capath",         "verify_depth",        "local_cert",         "local_pk",          "passphrase",
        "SNI_enabled",    "SNI_server_certs",    "peer_fingerprint",   "capture_peer_cert", "capture_peer_cert_chain",
        "ciphers",        "crypto_method",       "min_proto_version",  "max_proto_version", "security_level",
        "alpn_protocols", "disable_compression", "honor_cipher_order", "no_ticket",         "reneg_limit",
        "reneg_window",   "max_rsa_bits",        "allow_all_curves"};
    for (const char* name : names) CHECK_NOTHROW(Context().get_option("ssl", name));
}

TEST_CASE("context: bindto is an address and a port") {
    for (const char* text : {"127.0.0.1:0", "0.0.0.0:65535", "[::1]:0", "[::]:80", "[::ffff:1.2.3.4]:1", "[fe80::1%eth0]:1"}) {
        CAPTURE(text);
        CHECK(refusal("socket", "bindto", text).empty());
    }
    CHECK(refusal("socket", "bindto", "localhost:0") ==
          R"(socket option "bindto" is "localhost:0", expected "ip:port" or "[ip]:port"; port 0 lets the system pick one)");
    for (const std::string& text : {""s,
                                    ":"s,
                                    ":80"s,
                                    "127.0.0.1"s,
                                    "127.0.0.1:"s,
                                    "127.0.0.1:65536"s,
                                    "127.0.0.1:-1"s,
                                    "127.0.0.1:+1"s,
                                    "127.0.0.1:8x"s,
                                    "127.0.0.1: 8"s,
                                    "::1:80"s,
                                    "[::1]"s,
                                    "[::1]80"s,
                                    "[]:80"s,
                                    "[127.0.0.1]:80"s,
                                    "[::1:80"s,
                                    "::1]:80"s,
                                    "[::1%]:80"s,
                                    "[%eth0]:80"s,
                                    "1.2.3:80"s,
                                    "256.0.0.1:80"s,
                                    "127.0.0.1\0:80"s,
                                    "[::1%a\0]:80"s,
                                    " 127.0.0.1:80"s}) {
        CAPTURE(text);
        CHECK(contains(refusal("socket", "bindto", text), "expected \"ip:port\""));
    }
}

TEST_CASE("context: each line of header is a header field") {
    for (const List& fields : {List{}, List{"A: b"}, List{"A:b", "X-Y:", "Z:\t c  d \xC3\xA4 "}})
        CHECK(refusal("http", "header", fields).empty());
    CHECK(refusal("http", "header", List{"A: b", "secret"}) == R"(http option "header" has no colon in field 2, expected "Name: value")");
    CHECK(refusal("http", "header", List{"A b: secret"}) == R"(http option "header" has "A b" in field 1, which is not a field name)");
    CHECK(refusal("http", "header", List{"A: secret\r\nB: c"}) == R"(http option "header" has a control character in the value of "A")");
    for (const std::string& field : {""s, ":"s, ": b"s, "A : b"s, " A: b"s, "A\r\n: b"s, "A: b\n"s, "A: b\0"s, "A: \x7F"s}) {
        CAPTURE(field);
        CHECK_FALSE(refusal("http", "header", List{field}).empty());
    }
}

TEST_CASE("context: user_agent is a header field's value") {
    CHECK(refusal("http", "user_agent", "me/1.0 (x)").empty());
    CHECK(refusal("http", "user_agent", "") == R"(http option "user_agent" is empty; leave it out to send none)");
    CHECK(refusal("http", "user_agent", "a\r\nB: c") == R"(http option "user_agent" is "a\x0d\x0aB: c", which has a control character)");
    for (const std::string& value : {" "s, " a"s, "a "s, "a\t"s})
        CHECK(refusal("http", "user_agent", value) == "http option \"user_agent\" is " +
                                                          (value == "a\t" ? R"("a\x09")" : '"' + value + '"') +
                                                          ", which begins or ends with white space");
}

TEST_CASE("context: the protocol version is 1.1") {
    CHECK(refusal("http", "protocol_version", "1.1").empty());
    CHECK(refusal("http", "protocol_version", "2") ==
          R"(http option "protocol_version" is "2", must be "1.1": the opening handshake has no other)");
}

TEST_CASE("context: a proxy is a URI, which is not repeated in the error") {
    CHECK(refusal("http", "proxy", "http://me:secret@127.0.0.1:3128").empty());
    CHECK(refusal("http", "proxy", "socks5://proxy.example:1080").empty());
    for (const char* text : {"socks5h://127.0.0.1:1080", "http://proxy.example", "socks5://127.0.0.1", "socks5h://user:pw@proxy.example"})
        CHECK(refusal("http", "proxy", text).empty());
    CHECK(refusal("http", "proxy", "https://me:secret@a:1") ==
          R"(http option "proxy" is no URI of a proxy, expected "http://[user:password@]host[:port]" or the like with socks5 or socks5h)");
}

TEST_CASE("context: the names of secret fields are field names") {
    CHECK(refusal("http", "secret_header", List{}).empty());
    CHECK(refusal("http", "secret_header", List{"X-Mine", "token"}).empty());
    for (const char* name : {"", "X Mine", "X-Mine: secret", "X-Mine\n"}) {
        CAPTURE(name);
        CHECK(contains(refusal("http", "secret_header", List{"X-Mine", name}), "which is not a field name"));
    }
}

TEST_CASE("context: a refused value leaves the old one") {
    Context context;
    context.set_option("socket", "backlog", 7);
    CHECK_THROWS_AS(context.set_option("socket", "backlog", 0), Error);
    CHECK(context.get_option_or<std::int64_t>("socket", "backlog", 1) == 7);
    CHECK_THROWS_AS(context.set_option("http", "header", List{"bad"}), Error);
    CHECK(context.options().size() == 1);
}

TEST_CASE("context: several options are all taken or none") {
    Context context;
    context.set_options({{"socket", {{"backlog", 7}, {"tcp_nodelay", false}}}, {"http", {{"user_agent", "me"s}}}});
    CHECK(context.get_option_or<std::int64_t>("socket", "backlog", 1) == 7);
    CHECK(context.get_option_or("http", "user_agent", ""s) == "me");
    const Context::Options before = context.options();
    CHECK_THROWS_AS(context.set_options({{"http", {{"user_agent", "you"s}}}, {"socket", {{"backlog", 9}, {"tcp_nodelay", 1}}}}), Error);
    CHECK(context.options() == before);
    context.set_options({{"socket", {{"backlog", 9}}}});
    CHECK_FALSE(context.get_option_or("socket", "tcp_nodelay", true));
    CHECK(context.get_option_or<std::int64_t>("socket", "backlog", 1) == 9);
}

TEST_CASE("context: an option is set from text, by its type") {
    Context context;
    context.parse_option("ssl", "verify_peer", "false");
    context.parse_option("ssl", "verify_depth", "3");
    context.parse_option("ssl", "peer_name", "a=b");
    context.parse_option("socket", "tcp_nodelay", "true");
    CHECK_FALSE(context.get_option_or("ssl", "verify_peer", true));
    CHECK(context.get_option_or<std::int64_t>("ssl", "verify_depth", 0) == 3);
    CHECK(context.get_option_or("ssl", "peer_name", ""s) == "a=b");
    context.parse_option("http", "header", "A: b, c=d");
    context.parse_option("http", "header", "E: f");
    CHECK(context.get_option_or("http", "header", List{}) == List{"A: b, c=d", "E: f"});
    context.parse_option("ssl", "SNI_server_certs", "a.example=a.pem,a.key");
    context.parse_option("ssl", "SNI_server_certs", "b.example=b=.pem");
    CHECK(context.get_option_or("ssl", "SNI_server_certs", Map{}) == Map{{"a.example", "a.pem,a.key"}, {"b.example", "b=.pem"}});
}

TEST_CASE("context: an option that takes a string or a map is told by text which of them") {
    Context context;
    const std::string sha256(64, 'a'), sha1(40, 'b');
    context.parse_option("ssl", "peer_fingerprint", sha256);
    CHECK(context.get_option_or("ssl", "peer_fingerprint", ""s) == sha256);
    context.parse_option("ssl", "peer_fingerprint", "sha256=" + sha256);
    context.parse_option("ssl", "peer_fingerprint", "sha1=" + sha1);
    CHECK(context.get_option_or("ssl", "peer_fingerprint", Map{}) == Map{{"sha1", sha1}, {"sha256", sha256}});
}

TEST_CASE("context: text that is no value of the option is refused, and changes nothing") {
    Context context;
    const auto parsing = [&](std::string_view wrapper, std::string_view name, std::string_view text) {
        return refusal_of([&] { context.parse_option(wrapper, name, text); });
    };
    CHECK(parsing("ssl", "verify_peer", "1") == "ssl option \"verify_peer\" is \"1\", expected true or false");
    CHECK(parsing("ssl", "verify_peer", "") == "ssl option \"verify_peer\" is \"\", expected true or false");
    CHECK(parsing("ssl", "verify_depth", "3x") == "ssl option \"verify_depth\" is \"3x\", expected an integer");
    CHECK(parsing("ssl", "verify_depth", "99999999999999999999") ==
          "ssl option \"verify_depth\" is \"99999999999999999999\", expected an integer");
    CHECK(contains(parsing("ssl", "verify_depth", "101"), "must be 0 to 100"));
    CHECK(parsing("ssl", "SNI_server_certs", "a.pem") == "ssl option \"SNI_server_certs\" is \"a.pem\", expected \"key=value\"");
    CHECK(contains(parsing("http", "header", "no colon"), "no colon"));
    CHECK(contains(parsing("ssl", "verify_pear", "true"), R"(the nearest known one is "ssl" option "verify_peer")"));
    CHECK(contains(parsing("socket", "so_broadcast", "true"), "is refused: "));
    CHECK(contains(parsing("ssl", "reneg_window", "x"), "is refused: "));
    CHECK(context.options().empty());
}
