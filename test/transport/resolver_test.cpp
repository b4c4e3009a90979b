#include "transport/resolver.hpp"

#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/dns_server.hpp"
#include "support/run_until.hpp"

using namespace hawser;
using support::DnsServer;
using transport::Address;
using transport::Resolver;
using transport::ResolverOptions;

namespace {

struct Fixture {
    ResolverOptions options() const { return {dns.str(), wait, 1}; }
    void start(const std::string& host) {
        resolver = Resolver::resolve(
            core, host, 9001, [this](Resolver::Result found) { ++calls, result = std::move(found); }, options());
    }
    std::set<std::string> shown(const std::string& host) {
        start(host);
        REQUIRE(support::run_until(core, [&] { return calls > 0; }));
        support::run_ready(core);
        REQUIRE(calls == 1);
        CHECK(result->addresses.empty() == !result->failure.empty());
        std::set<std::string> all;
        for (const Address& address : result->addresses) all.insert(address.str());
        return all;
    }

    reactor::Core core{reactor::make_ev_loop()};
    DnsServer dns{core};
    Seconds wait{20};  // for the server: short where it does not answer
    int calls = 0;
    std::optional<Resolver::Result> result;
    std::unique_ptr<Resolver> resolver;
};

using Names = std::set<std::string>;

// A name of the hosts file that is no matter of course; empty if there is none.
std::string name_in_hosts_file() {
    std::ifstream file("/etc/hosts");
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line.substr(0, line.find('#')));
        std::string address, name;
        if (words >> address >> name && transport::known_addresses(name, 1).empty()) return name;
    }
    return {};
}

}  // namespace

TEST_CASE("resolver: known addresses need no look-up") {
    const auto shown = [](const std::string& host) {
        std::string all;
        for (const Address& address : transport::known_addresses(host, 80)) all += address.str() + " ";
        return all;
    };
    CHECK(shown("127.0.0.1") == "127.0.0.1:80 ");
    CHECK(shown("::1") == "[::1]:80 ");
    for (const char* name : {"localhost", "LocalHost", "localhost.", "a.localhost", "a.b.localhost."})
        CHECK(shown(name) == "[::1]:80 127.0.0.1:80 ");
    for (const char* name : {"", ".", ".localhost", "notlocalhost", "localhost.example", "localhos"}) CHECK(shown(name).empty());
}

TEST_CASE("resolver: literals and localhost are answered without a question, but not at once") {
    Fixture f;
    SECTION("a literal") { CHECK((f.start("::1"), f.calls) == 0); }
    SECTION("localhost") { CHECK((f.start("localhost"), f.calls) == 0); }
    REQUIRE(support::run_until(f.core, [&] { return f.calls > 0; }));
    CHECK(f.result->addresses.front() == Address::literal("::1", 9001));
    CHECK(f.dns.questions() == 0);
}

TEST_CASE("resolver: finds the addresses of both families") {
    Fixture f;
    f.dns["both.test"] = {DnsServer::Answer::addresses, {"127.0.0.1", "127.0.0.2"}, {"::1"}};
    CHECK(f.shown("both.test") == Names{"127.0.0.1:9001", "127.0.0.2:9001", "[::1]:9001"});
    CHECK(f.dns.questions() == 2);
}

TEST_CASE("resolver: one family is enough") {
    Fixture f;
    f.dns["four.test"] = {DnsServer::Answer::addresses, {"127.0.0.1"}, {}};
    f.dns["six.test"] = {DnsServer::Answer::addresses, {}, {"::1"}};
    SECTION("IPv4") { CHECK(f.shown("four.test") == Names{"127.0.0.1:9001"}); }
    SECTION("IPv6") { CHECK(f.shown("six.test") == Names{"[::1]:9001"}); }
}

TEST_CASE("resolver: a failure says why") {
    Fixture f;
    f.dns["empty.test"] = {};
    f.dns["silent.test"].answer = DnsServer::Answer::none;
    f.dns["garbage.test"].answer = DnsServer::Answer::garbage;
    const auto why = [&](const std::string& host) {
        CHECK(f.shown(host).empty());
        return f.result->failure;
    };
    SECTION("no such name") { CHECK(why("nowhere.test") == "Domain name not found"); }
    SECTION("no address") { CHECK(why("empty.test") == "DNS server returned answer with no data"); }
    SECTION("no answer") {
        f.wait = Seconds(0.05);
        CHECK(why("silent.test") == "Timeout while contacting DNS servers");
    }
    SECTION("a server that is not in its mind") {
        f.wait = Seconds(0.05);
        CHECK_FALSE(why("garbage.test").empty());
    }
    SECTION("an empty name") { CHECK(why("") == "Misformatted domain name"); }
    SECTION("a NUL in the name") { CHECK(why(std::string("both.test\0.evil", 15)) == "Misformatted domain name"); }
    SECTION("a label that is too long") {
        CHECK_FALSE(why("a-label-of-64-characters-that-is-one-more-than-a-name-may-have-x.test").empty());
    }
}

TEST_CASE("resolver: a server list that is none is a failure") {
    reactor::Core core(reactor::make_ev_loop());
    std::string failure;
    const auto resolver =
        Resolver::resolve(core, "a.test", 1, [&](Resolver::Result found) { failure = found.failure; }, {"no server", Seconds(0), 0});
    CHECK(failure.empty());
    REQUIRE(support::run_until(core, [&] { return !failure.empty(); }));
}

TEST_CASE("resolver: reads the hosts file") {
    Fixture f;
    const std::string name = name_in_hosts_file();
    if (name.empty()) return;
    CHECK_FALSE(f.shown(name).empty());
    CHECK(f.dns.questions() == 0);
}

TEST_CASE("resolver: calls nobody from within resolve()") {
    Fixture f;
    for (const char* host : {"localhost", "127.0.0.1", "", "nowhere.test"}) {
        f.start(host);
        CHECK(f.calls == 0);
    }
}

TEST_CASE("resolver: destroying it cancels") {
    Fixture f;
    f.dns["silent.test"].answer = DnsServer::Answer::none;
    const std::size_t before = support::open_descriptors();
    SECTION("before a server was asked") { f.start("silent.test"); }
    SECTION("while a server is silent") {
        f.start("silent.test");
        REQUIRE(support::run_until(f.core, [&] { return f.dns.questions() == 2; }));
        CHECK(support::open_descriptors() > before);
    }
    SECTION("when the result waits to be told") { f.start("localhost"); }
    f.resolver.reset();
    CHECK(support::open_descriptors() == before);
    support::run_ready(f.core);
    CHECK(f.calls == 0);
}

TEST_CASE("resolver: may be destroyed by what it calls") {
    Fixture f;
    f.dns["one.test"] = {DnsServer::Answer::addresses, {"127.0.0.1"}, {}};
    const std::size_t before = support::open_descriptors();
    const auto marker = std::make_shared<int>(0);
    for (const char* host : {"one.test", "nowhere.test", "localhost"}) {
        bool is_done = false;
        f.resolver = Resolver::resolve(
            f.core, host, 1,
            [&is_done, &f, marker](Resolver::Result) {
                f.resolver.reset();
                is_done = marker.use_count() > 1;  // what it captured is still there
            },
            f.options());
        REQUIRE(support::run_until(f.core, [&] { return is_done; }));
        CHECK(marker.use_count() == 1);
    }
    CHECK(support::open_descriptors() == before);
}

TEST_CASE("resolver: look-ups do not meet") {
    Fixture f;
    f.dns["a.test"] = {DnsServer::Answer::addresses, {"127.0.0.1"}, {}};
    f.dns["b.test"] = {DnsServer::Answer::addresses, {"127.0.0.2"}, {}};
    std::vector<std::unique_ptr<Resolver>> resolvers;
    std::set<std::string> found;
    for (const std::string host : {"a.test", "b.test", "a.test", "b.test"}) {
        const auto tell = [&found, host](Resolver::Result result) { found.insert(host + " " + result.addresses.at(0).str()); };
        resolvers.push_back(Resolver::resolve(f.core, host, 1, tell, f.options()));
    }
    resolvers.pop_back();
    REQUIRE(support::run_until(f.core, [&] { return found.size() == 2; }));
    CHECK(found == Names{"a.test 127.0.0.1:1", "b.test 127.0.0.2:1"});
}
