#include "support/loopback.hpp"

using namespace support;

namespace {

/// A server that judges tokens with `judge`, and the status that a client with this header gets.
std::string status_for(const std::string& header, TokenAuth::Judge judge) {
    Loopback loop;
    loop.server
        .add_middleware(std::make_shared<TokenAuth>([&](Connection& connection, std::string_view token, TokenAuth::Verdict verdict) {
            judge(connection, token, std::move(verdict));
        }))
        .start();
    Client client(loop.reactor, loop.uri());
    if (!header.empty()) client.add_header("Authorization", header);
    std::string result;
    client.on_handshake([&](Connection&, const Request&, const Response&) { result = "101"; })
        .on_error(
            [&](Connection*, const Error& error) { result = error.response() ? std::to_string(error.response()->status) : error.what(); });
    client.connect();
    loop.until([&] { return !result.empty(); });
    return result;
}

void judge_at_once(Connection&, std::string_view token, TokenAuth::Verdict verdict) { verdict(token == "good"); }

}  // namespace

TEST_CASE("token auth: the judge decides at once") {
    CHECK(status_for("Bearer good", judge_at_once) == "101");
    CHECK(status_for("bearer good", judge_at_once) == "101");
    CHECK(status_for("Bearer bad", judge_at_once) == "401");
    CHECK(status_for("Basic good", judge_at_once) == "401");
    CHECK(status_for("Bearer", judge_at_once) == "401");
    CHECK(status_for("", judge_at_once) == "401");
}

TEST_CASE("token auth: the judge decides later") {
    const auto later = [](Connection& connection, std::string_view token, TokenAuth::Verdict verdict) {
        connection.reactor().post([good = token == "good", verdict = std::move(verdict)] {
            verdict(good);
            verdict(!good);  // the first word counts
        });
    };
    CHECK(status_for("Bearer good", later) == "101");
    CHECK(status_for("Bearer bad", later) == "401");
}

TEST_CASE("token auth: a verdict for a connection that has gone does nothing") {
    Loopback loop;
    TokenAuth::Verdict kept;
    loop.server
        .add_middleware(std::make_shared<TokenAuth>([&](Connection& connection, std::string_view, TokenAuth::Verdict verdict) {
            kept = std::move(verdict);
            connection.disconnect();
        }))
        .start();
    Client client(loop.reactor, loop.uri());
    client.add_header("Authorization", "Bearer x").connect();
    loop.until([&] { return kept && !client.is_connected() && client.connection(); });
    kept(true);
    run_ready(loop.reactor.core());
    CHECK(loop.server.connection_count() == 0);
    CHECK_THROWS_AS(TokenAuth(nullptr), Error);
}
