#include "protocol/deflate_negotiation.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

using namespace hawser::protocol;
using hawser::DeflateOptions;
using hawser::Headers;

namespace {

const DeflateOptions large{.server_max_window_bits = 15, .client_max_window_bits = 15};

/// An extension written out again, or "malformed".
std::string parsed(std::string_view element) {
    const auto extension = parse_extension(element);
    if (!extension) return "malformed";
    std::string text = extension->name;
    for (const auto& [name, value] : extension->parameters) text += " " + name + (value ? "=" + *value : "");
    return text;
}

std::string described(const std::optional<DeflateAgreement>& agreed) {
    if (!agreed) return "none";
    return std::string(agreed->server_no_context_takeover ? "alone " : "on ") + std::to_string(agreed->server_max_window_bits) +
           (agreed->client_no_context_takeover ? " alone " : " on ") + std::to_string(agreed->client_max_window_bits);
}

struct Answer {
    std::string field;
    std::string agreed;
};

/// What a server answers, and what that means to it: each end's takeover and window, the server's first.
Answer answer(const std::string& offer, const DeflateOptions& options = large) {
    Headers request{{"Sec-WebSocket-Extensions", offer}};
    Headers response;
    const auto agreed = answer_deflate(request, response, options);
    return {std::string(response.get("Sec-WebSocket-Extensions").value_or("")), described(agreed)};
}

/// What an answer means to the client, or "refused".
std::string accepted(const std::string& answer, const DeflateOptions& options = large) {
    std::optional<DeflateAgreement> agreed;
    const auto problem = check_extensions({{"Sec-WebSocket-Extensions", answer}}, &options, agreed);
    return problem ? "refused" : described(agreed);
}

std::string offer(const DeflateOptions& options) {
    Headers request;
    offer_deflate(request, options);
    return std::string(request.get("Sec-WebSocket-Extensions").value());
}

}  // namespace

TEST_CASE("deflate negotiation: an extension is a token with parameters, whose values are tokens, in quotes or not") {
    CHECK(parsed("foo") == "foo");
    CHECK(parsed("foo;a;b=1;c=\"2\"") == "foo a b=1 c=2");
    CHECK(parsed(" foo ; a = 1\t;\tb = \"x\" ") == "foo a=1 b=x");
    CHECK(parsed("foo; a=\"1\\0\"") == "foo a=10");
    const std::string element =
        GENERATE(as<std::string>(), "", " ", ";", "foo;", "foo;;a", "foo a", "foo; a b", "foo; =1", "foo; a=", "foo; a=;b", "foo; a==1",
                 "foo; a=1 2", "foo; a=\"\"", "foo; a=\"1 2\"", "foo; a=\"1", "foo; a=\"1\\", "foo; a=\"1\"2", "foo; a=\"1;2\"", "foo=1",
                 "\"foo\"", "f@o", "foo; a\"=1", "foo; a=\xC3\xA4");
    CAPTURE(element);
    CHECK(parsed(element) == "malformed");
    CHECK_FALSE(are_extensions({{"Sec-WebSocket-Extensions", "ok, " + (element.find_first_not_of(' ') < 99 ? element : "=")}}));
}

TEST_CASE("deflate negotiation: several extensions stand in one field or in several") {
    CHECK(are_extensions({}));
    CHECK(are_extensions({{"Sec-WebSocket-Extensions", "a; b=\"c\", d"}, {"Sec-WebSocket-Extensions", "e"}}));
    CHECK_FALSE(are_extensions({{"Sec-WebSocket-Extensions", "a"}, {"Sec-WebSocket-Extensions", "b c"}}));
    Headers request{{"Sec-WebSocket-Extensions", "other"}, {"Sec-WebSocket-Extensions", "permessage-deflate; x, permessage-deflate"}};
    Headers response;
    CHECK(answer_deflate(request, response, large));
    CHECK(response.get("Sec-WebSocket-Extensions") == "permessage-deflate");
}

TEST_CASE(
    "deflate negotiation: a client offers what its options say, a fallback for a window that cannot be had, and what asks for nothing") {
    CHECK(offer(large) == "permessage-deflate; client_max_window_bits, permessage-deflate");
    CHECK(offer({.server_max_window_bits = 15, .client_max_window_bits = 10}) ==
          "permessage-deflate; client_max_window_bits=10, permessage-deflate; client_max_window_bits, permessage-deflate");
    CHECK(offer({.server_no_context_takeover = true, .client_no_context_takeover = true, .server_max_window_bits = 15}) ==
          "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits=12, "
          "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits, permessage-deflate");
    CHECK(offer({}) ==
          "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12, "
          "permessage-deflate; server_no_context_takeover; client_max_window_bits, permessage-deflate");
    CHECK(offer({.server_max_window_bits = 9, .client_max_window_bits = 15}) ==
          "permessage-deflate; server_max_window_bits=9; client_max_window_bits, "
          "permessage-deflate; server_no_context_takeover; client_max_window_bits, permessage-deflate");
}

TEST_CASE("deflate negotiation: a server answers with no more than was offered") {
    const auto check = [](const std::string& offer, const std::string& field, const std::string& agreed) {
        CAPTURE(offer);
        const Answer answered = answer(offer);
        CHECK(answered.field == field);
        CHECK(answered.agreed == agreed);
    };
    check("permessage-deflate", "permessage-deflate", "on 15 on 15");
    check("permessage-deflate; client_max_window_bits", "permessage-deflate", "on 15 on 15");
    check("permessage-deflate; client_max_window_bits=15", "permessage-deflate", "on 15 on 15");
    check("permessage-deflate; client_max_window_bits=\"9\"", "permessage-deflate; client_max_window_bits=9", "on 15 on 9");
    check("permessage-deflate; client_max_window_bits=8", "permessage-deflate; client_max_window_bits=8", "on 15 on 8");
    check("permessage-deflate; server_max_window_bits=15", "permessage-deflate; server_max_window_bits=15", "on 15 on 15");
    check("permessage-deflate; server_max_window_bits=9", "permessage-deflate; server_max_window_bits=9", "on 9 on 15");
    check("permessage-deflate; server_no_context_takeover", "permessage-deflate; server_no_context_takeover", "alone 15 on 15");
    check("permessage-deflate; client_no_context_takeover", "permessage-deflate; client_no_context_takeover", "on 15 alone 15");
    check(
        "permessage-deflate; client_max_window_bits=11; server_max_window_bits=10; client_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11",
        "alone 10 alone 11");
}

TEST_CASE("deflate negotiation: a server's own limits are told only to clients that know of them") {
    const DeflateOptions small{.server_max_window_bits = 10, .client_max_window_bits = 11};
    const auto check = [&](const std::string& offer, const std::string& field, const std::string& agreed) {
        CAPTURE(offer);
        const Answer answered = answer(offer, small);
        CHECK(answered.field == field);
        CHECK(answered.agreed == agreed);
    };
    // Our own window may be smaller than what was agreed on; the client's is done without.
    check("permessage-deflate", "permessage-deflate; client_no_context_takeover", "on 10 alone 15");
    check("permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits=11", "on 10 on 11");
    check("permessage-deflate; client_max_window_bits=12", "permessage-deflate; client_max_window_bits=11", "on 10 on 11");
    check("permessage-deflate; client_max_window_bits=11", "permessage-deflate; client_max_window_bits=11", "on 10 on 11");
    check("permessage-deflate; client_max_window_bits=10", "permessage-deflate; client_max_window_bits=10", "on 10 on 10");
    check("permessage-deflate; server_max_window_bits=11; client_max_window_bits",
          "permessage-deflate; server_max_window_bits=10; client_max_window_bits=11", "on 10 on 11");
    check("permessage-deflate; server_max_window_bits=9; client_max_window_bits",
          "permessage-deflate; server_max_window_bits=9; client_max_window_bits=11", "on 9 on 11");
    const DeflateOptions alone{.server_no_context_takeover = true, .client_no_context_takeover = true, .server_max_window_bits = 15};
    const Answer answered = answer("permessage-deflate", alone);
    CHECK(answered.field == "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
    CHECK(answered.agreed == "alone 15 alone 15");
}

TEST_CASE("deflate negotiation: a server declines an offer that is wrong, and takes the next") {
    const std::string parameters =
        GENERATE(as<std::string>(), "foo", "foo=1", "server_max_window_bits", "server_max_window_bits=0", "server_max_window_bits=7",
                 "server_max_window_bits=8", "server_max_window_bits=16", "server_max_window_bits=9x", "server_max_window_bits=09",
                 "server_max_window_bits=+9", "server_max_window_bits=99999999999", "client_max_window_bits=0", "client_max_window_bits=7",
                 "client_max_window_bits=16", "client_max_window_bits=9x", "client_max_window_bits=010", "server_no_context_takeover=1",
                 "client_no_context_takeover=true", "server_no_context_takeover; server_no_context_takeover",
                 "client_no_context_takeover; client_no_context_takeover", "server_max_window_bits=10; server_max_window_bits=10",
                 "client_max_window_bits; client_max_window_bits=10", "SERVER_NO_CONTEXT_TAKEOVER");
    CAPTURE(parameters);
    const std::string wrong = "permessage-deflate; " + parameters;
    CHECK(answer(wrong).agreed == "none");
    CHECK(answer(wrong).field.empty());
    CHECK(answer(wrong + ", permessage-deflate; client_max_window_bits=10").field == "permessage-deflate; client_max_window_bits=10");
}

TEST_CASE("deflate negotiation: other extensions are not answered") {
    CHECK(answer("x-webkit-deflate-frame, permessage-deflates, permessage").agreed == "none");
    CHECK(answer("x-webkit-deflate-frame, permessage-deflate").field == "permessage-deflate");
    CHECK(answer("").agreed == "none");
}

TEST_CASE("deflate negotiation: a client accepts what fits one of its offers") {
    CHECK(accepted("") == "none");
    CHECK(accepted("permessage-deflate") == "on 15 on 15");
    CHECK(accepted("permessage-deflate; server_no_context_takeover") == "alone 15 on 15");
    CHECK(accepted("permessage-deflate; client_no_context_takeover") == "on 15 alone 15");
    CHECK(accepted("permessage-deflate; server_max_window_bits=8") == "on 8 on 15");
    CHECK(accepted("permessage-deflate; client_max_window_bits=8; server_max_window_bits=\"15\"") == "on 15 on 8");
    const DeflateOptions small{.server_max_window_bits = 10, .client_max_window_bits = 11};
    CHECK(accepted("permessage-deflate; server_max_window_bits=10", small) == "on 10 on 11");
    CHECK(accepted("permessage-deflate; server_max_window_bits=9; client_max_window_bits=9", small) == "on 9 on 9");
    // More than was preferred is not made use of.
    CHECK(accepted("permessage-deflate; server_no_context_takeover; client_max_window_bits=12", small) == "alone 15 on 11");
    CHECK(accepted("permessage-deflate; server_no_context_takeover", small) == "alone 15 on 11");
    CHECK(accepted("permessage-deflate; server_no_context_takeover; server_max_window_bits=11", small) == "alone 11 on 11");
    const DeflateOptions alone{.server_no_context_takeover = true, .client_no_context_takeover = true, .server_max_window_bits = 15};
    CHECK(accepted("permessage-deflate; server_no_context_takeover", alone) == "alone 15 alone 12");
}

TEST_CASE("deflate negotiation: the window that a client offers for itself is a hint, whatever the answer is it uses no larger one") {
    for (int hint = 9; hint <= 15; ++hint)
        for (int bits = 8; bits <= 15; ++bits) {
            const DeflateOptions options{.server_max_window_bits = 12, .client_max_window_bits = hint};
            CAPTURE(hint, bits);
            const std::string used = std::to_string(std::min(hint, bits));
            CHECK(accepted("permessage-deflate; server_max_window_bits=12; client_max_window_bits=" + std::to_string(bits), options) ==
                  "on 12 on " + used);
            CHECK(accepted("permessage-deflate; server_no_context_takeover; client_max_window_bits=" + std::to_string(bits), options) ==
                  "alone 15 on " + used);
        }
}

TEST_CASE("deflate negotiation: a client is content with a server that knows no parameter") {
    const DeflateOptions small{.server_max_window_bits = 10, .client_max_window_bits = 11};
    CHECK(accepted("permessage-deflate", small) == "on 15 on 11");
    CHECK(accepted("permessage-deflate; server_max_window_bits=11", small) == "on 11 on 11");
    CHECK(accepted("permessage-deflate; client_no_context_takeover", small) == "on 15 alone 11");
    const DeflateOptions alone{.server_no_context_takeover = true, .client_no_context_takeover = true, .server_max_window_bits = 15};
    CHECK(accepted("permessage-deflate", alone) == "on 15 alone 12");
}

TEST_CASE("deflate negotiation: a client refuses an answer that fits none of its offers") {
    // The client's window is named where its offer names it, which asks for more.
    const DeflateOptions small{.server_max_window_bits = 10, .client_max_window_bits = 11};
    CHECK(accepted("permessage-deflate; client_max_window_bits=11", small) == "refused");
    CHECK(accepted("permessage-deflate; server_max_window_bits=11; client_max_window_bits=11", small) == "refused");
    const DeflateOptions alone{.server_no_context_takeover = true, .server_max_window_bits = 15};
    CHECK(accepted("permessage-deflate; client_no_context_takeover; client_max_window_bits=12", alone) == "refused");
}

TEST_CASE("deflate negotiation: a client refuses an answer that is wrong") {
    const std::string wrong = GENERATE(
        as<std::string>(), "permessage-deflate; foo", "permessage-deflate; client_max_window_bits",
        "permessage-deflate; client_max_window_bits=0", "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=16", "permessage-deflate; client_max_window_bits=9x",
        "permessage-deflate; server_max_window_bits", "permessage-deflate; server_max_window_bits=0",
        "permessage-deflate; server_max_window_bits=7", "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=9x", "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover", "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate, permessage-deflate", "permessage-deflate, other", "other", "permessage-deflate; =");
    CAPTURE(wrong);
    CHECK(accepted(wrong) == "refused");
}

TEST_CASE("deflate negotiation: a client that offered nothing refuses every extension") {
    std::optional<DeflateAgreement> agreed;
    CHECK(check_extensions({{"Sec-WebSocket-Extensions", "permessage-deflate"}}, nullptr, agreed).value().find("not offered") !=
          std::string::npos);
    CHECK_FALSE(check_extensions({}, nullptr, agreed));
    CHECK_FALSE(agreed);
}

TEST_CASE("deflate negotiation: whatever two ends are set to, they agree, and the windows are no larger than both allow") {
    const std::vector<int> bits = {9, 12, 15};
    for (int flags = 0; flags < 16; ++flags)
        for (const int a : bits)
            for (const int b : bits)
                for (const int c : bits)
                    for (const int d : bits) {
                        const DeflateOptions client{(flags & 1) != 0, (flags & 2) != 0, a, b};
                        const DeflateOptions server{(flags & 4) != 0, (flags & 8) != 0, c, d};
                        CAPTURE(flags, a, b, c, d);
                        Headers request, response;
                        offer_deflate(request, client);
                        const auto at_server = answer_deflate(request, response, server);
                        std::optional<DeflateAgreement> at_client;
                        REQUIRE_FALSE(check_extensions(response, &client, at_client));
                        REQUIRE(at_server->server_max_window_bits == std::min(a, c));
                        // The client is not told of a limit that it did not ask for.
                        REQUIRE(at_client->server_max_window_bits == (a == 15 ? 15 : std::min(a, c)));
                        at_client->server_max_window_bits = at_server->server_max_window_bits;
                        REQUIRE((at_client == at_server));
                        REQUIRE(at_server->client_max_window_bits == std::min(b, d));
                        REQUIRE(at_server->server_no_context_takeover == ((flags & 5) != 0));
                        REQUIRE(at_server->client_no_context_takeover == ((flags & 10) != 0));
                    }
}
