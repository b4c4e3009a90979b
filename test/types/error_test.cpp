#include <hawser/error.hpp>

#include <set>
#include <type_traits>
#include <utility>

#include "support/catch.hpp"

using namespace hawser;

static_assert(std::is_nothrow_copy_constructible_v<Error>);
static_assert(std::is_nothrow_copy_assignable_v<Error>);

namespace {

constexpr int first_code = static_cast<int>(Errc::bad_opcode);
constexpr int last_code = static_cast<int>(Errc::reconnect_requested);

}  // namespace

TEST_CASE("error: each code has a message of its own") {
    std::set<std::string> messages;
    for (int code = first_code; code <= last_code; ++code) messages.insert(error_category().message(code));
    CHECK(messages.size() == last_code);
    CHECK(messages.count("unknown error") == 0);
    CHECK(error_category().message(0) == "unknown error");
    CHECK(error_category().message(last_code + 1) == "unknown error");
    CHECK(std::string(error_category().name()) == "hawser");
}

TEST_CASE("error: a code converts to std::error_code") {
    const std::error_code code = Errc::tls_failed;
    CHECK(&code.category() == &error_category());
    CHECK(code == Errc::tls_failed);
    CHECK(code != Errc::bad_uri);
}

TEST_CASE("error: what follows from each code") {
    const std::pair<Errc, ErrorLevel> levels[] = {
        {Errc::bad_opcode, ErrorLevel::message},
        {Errc::connection_timeout, ErrorLevel::message},
        {Errc::message_encoding, ErrorLevel::message},
        {Errc::message_too_big, ErrorLevel::message},
        {Errc::connection_closed, ErrorLevel::connection},
        {Errc::ping_timeout, ErrorLevel::connection},
        {Errc::connection_failure, ErrorLevel::connection},
        {Errc::handshake_failed, ErrorLevel::connection},
        {Errc::tls_failed, ErrorLevel::connection},
        {Errc::protocol_error, ErrorLevel::connection},
        {Errc::client_failed, ErrorLevel::connection},
        {Errc::callback_failed, ErrorLevel::connection},
        {Errc::bad_uri, ErrorLevel::handler},
        {Errc::server_failed, ErrorLevel::handler},
        {Errc::reentrant, ErrorLevel::handler},
        {Errc::invalid_option, ErrorLevel::handler},
        {Errc::close_requested, ErrorLevel::control},
        {Errc::reconnect_requested, ErrorLevel::control},
    };
    CHECK(std::size(levels) == last_code);
    for (const auto& [code, level] : levels) {
        CAPTURE(static_cast<int>(code));
        CHECK(level_of(code) == level);
        CHECK(Error(code, "x").level() == level);
    }
}

TEST_CASE("error: what() is the sentence that was given") {
    const Error error(Errc::client_failed, "cannot connect to ws://a/");
    CHECK(std::string(error.what()) == "cannot connect to ws://a/");
    CHECK(error.errc() == Errc::client_failed);
    CHECK(error.code() == Errc::client_failed);
    CHECK_FALSE(error.cause());
    CHECK(error.response() == nullptr);
}

TEST_CASE("error: a cause is added to the sentence") {
    const std::error_code refused = std::make_error_code(std::errc::connection_refused);
    const Error error(Errc::client_failed, "cannot connect to 127.0.0.1:9", refused);
    CHECK(error.what() == "cannot connect to 127.0.0.1:9: " + refused.message());
    CHECK(error.cause() == refused);
    CHECK(std::string(Error(Errc::client_failed, "no cause", std::error_code()).what()) == "no cause");
}

TEST_CASE("error: a cause of which the sentence tells already is carried without words") {
    const Error error(Errc::handshake_failed, "refused", Response{403, "Forbidden", {}, "no"});
    const std::error_code reset = std::make_error_code(std::errc::connection_reset);
    const Error same = error.with_cause(reset);
    CHECK(same.cause() == reset);
    CHECK(same.errc() == Errc::handshake_failed);
    CHECK(std::string(same.what()) == "refused");
    REQUIRE(same.response());
    CHECK(same.response()->status == 403);
    CHECK_FALSE(error.cause());
    CHECK(same.with_cause({}).cause() == reset);
}

TEST_CASE("error: a refused handshake carries the response") {
    const Error error(Errc::handshake_failed, "refused", Response{403, "Forbidden", {{"Retry-After", "3"}}, "no"});
    REQUIRE(error.response());
    CHECK(error.response()->status == 403);
    CHECK(error.response()->headers.get("retry-after") == "3");
    CHECK(error.response()->body == "no");
    CHECK(std::string(error.what()) == "refused");
}

TEST_CASE("error: an error that was moved from is whole") {
    Error error(Errc::handshake_failed, "refused", Response{});
    const Error other = std::move(error);
    CHECK(std::string(error.what()) == "refused");
    CHECK(error.response() == other.response());
}

TEST_CASE("error: a copy outlives its original, and is caught as std::system_error") {
    try {
        const Error original(Errc::bad_uri, "gone");
        throw original;
    } catch (const std::system_error& error) {
        CHECK(std::string(error.what()) == "gone");
    }
}

TEST_CASE("error: a close request names status and reason") {
    const CloseRequested plain;
    CHECK(plain.status() == CloseCode::normal);
    CHECK(plain.reason().empty());
    CHECK(std::string(plain.what()) == "a callback asked to close the connection with status 1000");
    const CloseRequested full(static_cast<CloseCode>(4001), "go\n");
    CHECK(full.status() == static_cast<CloseCode>(4001));
    CHECK(full.reason() == "go\n");
    CHECK(full.errc() == Errc::close_requested);
    CHECK(std::string(full.what()) == R"(a callback asked to close the connection with status 4001 and reason "go\x0a")");
}

TEST_CASE("error: a reconnect request names the URI") {
    const ReconnectRequested plain;
    CHECK(plain.uri().empty());
    CHECK(std::string(plain.what()) == "a callback asked to connect anew");
    const ReconnectRequested full("ws://b/");
    CHECK(full.uri() == "ws://b/");
    CHECK(full.errc() == Errc::reconnect_requested);
    CHECK(std::string(full.what()) == R"(a callback asked to connect anew, to "ws://b/")");
    CHECK_FALSE(full.response());
    const ReconnectRequested redirect("/c", Response{307, {}, {}, {}});
    CHECK(redirect.uri() == "/c");
    CHECK(redirect.response()->status == 307);
}
