#include "support/loopback.hpp"

using namespace support;

namespace {

/// Connects with these credentials in the URI; returns the status, and the user that the server knows then.
std::string connect_as(const std::string& credentials, const std::string& header = {}) {
    Loopback loop;
    std::string user = "?";
    loop.server
        .add_middleware(
            std::make_shared<BasicAuth>(std::map<std::string, std::string, std::less<>>{{"anna", "se:cret"}, {"empty", ""}}, "here"))
        .on_handshake([&](Connection& connection, const Request&, const Response&) { user = *connection.meta<std::string>("user"); })
        .start();
    Client client(loop.reactor, "ws://" + credentials + loop.server.name() + "/");
    if (!header.empty()) client.add_header("Authorization", header);
    std::string result;
    client.on_handshake([&](Connection&, const Request&, const Response& response) { result = std::to_string(response.status); })
        .on_error([&](Connection*, const Error& error) {
            result = std::to_string(error.response()->status) + " " +
                     std::string(error.response()->headers.get("WWW-Authenticate").value_or(""));
        });
    client.connect();
    loop.until([&] { return !result.empty(); });
    return result + " " + user;
}

const std::string refused = "401 Basic realm=\"here\", charset=\"UTF-8\" ?";

}  // namespace

TEST_CASE("basic auth: the right user and password pass, and the user is known then") {
    CHECK(connect_as("anna:se%3Acret@") == "101 anna");
    CHECK(connect_as("", "basic YW5uYTpzZTpjcmV0") == "101 anna");
    CHECK(connect_as("", "Basic ZW1wdHk6") == "101 empty");
}

TEST_CASE("basic auth: anything else is answered with 401 and a challenge") {
    for (const char* credentials : {"", "anna:wrong@", "anna:se:cre@", "anna:se:crett@", "anna@", "bob:se:cret@", "empty:x@"}) {
        INFO(credentials);
        CHECK(connect_as(credentials) == refused);
    }
    for (const char* header : {"Basic", "Basic !!!", "Basic YW5uYQ==", "Bearer YW5uYTpzZTpjcmV0", "BasicYW5uYTpzZTpjcmV0"}) {
        INFO(header);
        CHECK(connect_as("", header) == refused);
    }
}

TEST_CASE("basic auth: a realm that would break the challenge is refused") {
    CHECK_THROWS_AS(BasicAuth({}, "a\"b"), Error);
    CHECK_THROWS_AS(BasicAuth({}, "a\r\nb"), Error);
}
