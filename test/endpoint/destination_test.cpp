#include "endpoint/destination.hpp"

#include "support/catch.hpp"
#include "support/error_of.hpp"

using namespace hawser;
using endpoint::Destination;

namespace {

ReconnectRequested redirect(int status, const std::string& location) {
    return ReconnectRequested(location, Response{status, {}, {{"Location", location}}, {}});
}

}  // namespace

TEST_CASE("destination: only 301 and 308 hold for later attempts") {
    for (const auto& [status, home] : {std::pair{301, "ws://b/"}, {302, "ws://a/"}, {303, "ws://a/"}, {307, "ws://a/"}, {308, "ws://b/"}}) {
        CAPTURE(status);
        Destination destination(Uri("ws://a/"));
        CHECK_FALSE(destination.go_home());
        destination.follow(redirect(status, "ws://b/"), false);
        CHECK(destination.uri().str() == "ws://b/");
        CHECK(destination.home().str() == home);
        CHECK(destination.go_home());
        CHECK(destination.uri().str() == home);
        CHECK_FALSE(destination.go_home());
    }
}

TEST_CASE("destination: a permanent redirect behind a temporary one is for that attempt") {
    Destination destination(Uri("ws://a/"));
    destination.follow(redirect(301, "ws://b/"), false);
    destination.follow(redirect(302, "ws://c/"), false);
    destination.follow(redirect(301, "ws://d/"), false);
    CHECK(destination.uri().str() == "ws://d/");
    CHECK(destination.home().str() == "ws://b/");
    destination.go_home();
    destination.follow(redirect(308, "ws://e/"), false);
    CHECK(destination.home().str() == "ws://e/");
}

TEST_CASE("destination: where the application goes is home from then on; without a URI it goes home") {
    Destination destination(Uri("ws://a/x"));
    destination.follow(redirect(302, "ws://b/"), false);
    destination.follow(ReconnectRequested(), false);
    CHECK(destination.uri().str() == "ws://a/x");
    destination.follow(redirect(302, "ws://b/x"), false);
    destination.follow(ReconnectRequested("y"), false);
    CHECK(destination.uri().str() == "ws://b/y");
    CHECK(destination.home().str() == "ws://b/y");
    CHECK_FALSE(destination.go_home());
}

TEST_CASE("destination: a redirect with an empty Location leads to where it came from") {
    Destination destination(Uri("ws://a/x"));
    destination.follow(redirect(302, "ws://b/y"), false);
    destination.follow(redirect(302, ""), false);
    CHECK(destination.uri().str() == "ws://b/y");
    CHECK(destination.home().str() == "ws://a/x");
}

TEST_CASE("destination: credentials are for the given origin, and count there again") {
    Destination destination(Uri("ws://me:secret@a/"));
    destination.follow(redirect(302, "http://a/x"), false);
    CHECK(destination.uri().password() == "secret");
    for (const char* elsewhere : {"ws://b/", "ws://a:81/", "wss://a/", "wss://a:80/"}) {
        CAPTURE(elsewhere);
        destination.go_home();
        destination.follow(redirect(302, elsewhere), false);
        CHECK_FALSE(destination.uri().has_credentials());
    }
    destination.go_home();
    CHECK(destination.uri().password() == "secret");
    destination.follow(redirect(302, "ws://b/"), false);
    destination.follow(redirect(302, "//a/y"), false);
    CHECK(destination.uri().str() == "ws://a/y");
    CHECK(destination.uri().password() == "secret");
    destination.follow(redirect(302, "//you:own@a/y"), false);
    CHECK(destination.uri().password() == "own");
}

TEST_CASE("destination: secret fields are for the given origin, those that the application names too") {
    Destination destination(Uri("ws://a/"));
    Context context;
    context.set_option("http", "secret_header", std::vector<std::string>{"X-Mine"});
    const auto left = [&] {
        Headers headers;
        for (const char* name :
             {"Authorization", "COOKIE", "Proxy-Authorization", "x-api-key", "X-Auth-Token", "x-mine", "Host", "X-Plain"})
            headers.add(name, "v");
        destination.remove_foreign(headers, context);
        return headers.size();
    };
    CHECK(left() == 8);
    destination.follow(redirect(302, "/elsewhere"), false);
    CHECK(left() == 8);
    for (const char* elsewhere : {"ws://b/", "ws://a:81/", "wss://a/"}) {
        CAPTURE(elsewhere);
        destination.go_home();
        destination.follow(redirect(302, elsewhere), false);
        CHECK(left() == 1);
    }
    destination.follow(redirect(301, "wss://a:82/"), false);
    destination.go_home();
    CHECK(left() == 8);
    destination.follow(redirect(301, "ws://b/"), false);
    destination.go_home();
    CHECK(left() == 1);
    context = {};
    CHECK(left() == 2);
}

TEST_CASE("destination: what it cannot follow leaves it where it is") {
    Destination destination(Uri("wss://a/x"));
    const auto refusal = [&](Errc code, const std::string& location, bool is_bound = false) {
        const std::string what = support::error_of(code, [&] { destination.follow(redirect(302, location), is_bound); });
        CHECK(destination.uri().str() == "wss://a/x");
        CHECK_FALSE(destination.go_home());
        return what;
    };
    CHECK(refusal(Errc::bad_uri, "ftp://b/") == R"(bad URI "ftp://b/": the scheme is "ftp", expected ws or wss)");
    CHECK(refusal(Errc::bad_uri, "https:b/") == R"(bad URI "wss:b/": there is no "//" behind the scheme)");
    CHECK(refusal(Errc::handshake_failed, "ws://a/") == "ws://a/: it would give up encryption");
    CHECK(refusal(Errc::handshake_failed, "wss://b/", true) == "wss://b/: the Unix socket leads to a alone");
    CHECK(refusal(Errc::handshake_failed, "wss://a:444/", true) == "wss://a:444/: the Unix socket leads to a alone");
    destination.follow(redirect(302, "/y"), true);
    CHECK(destination.uri().str() == "wss://a/y");
    // The application knows what it does.
    destination.follow(ReconnectRequested("wss://b/"), true);
    CHECK(destination.uri().str() == "wss://b/");
}
