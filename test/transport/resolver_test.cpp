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
    ResolverOptions options() const { return {dns.str(), wait, tries, system_file, latest_answer}; }
    void start(const std::string& host) {
        resolver = Resolver::resolve(
            core, host, 9001, [this](Resolver::Result found) { take(std::move(found)); }, options());
    }
    void take(Resolver::Result found) {
        ++calls;
        for (const Address& address : found.addresses) told.push_back(address.str());
        const bool is_first = !result;
        if (is_first) result = found;
        is_over = found.is_last;
        if (is_first) CHECK(found.addresses.empty() == !found.failure.empty());
    }
    std::set<std::string> shown(const std::string& host) {
        start(host);
        REQUIRE(support::run_until(core, [&] { return is_over; }));
        const int before = calls;
        support::run_ready(core);
        REQUIRE(calls == before);
        return {told.begin(), told.end()};
    }

    reactor::Core core{reactor::make_ev_loop()};
    DnsServer dns{core};
    Seconds wait{20};  // for the server: short where it does not answer
    int tries = 1;
    std::string system_file = "/nonexistent/resolv.conf";
    Seconds latest_answer{20};
    int calls = 0;
    bool is_over = false;
    std::vector<std::string> told;           // addresses, in the order in which they came
    std::optional<Resolver::Result> result;  // the first
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
    CHECK(f.told.front() == "[::1]:9001");
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

TEST_CASE("resolver: a family that the server does not answer for does not hold up the other") {
    Fixture f;
    f.wait = Seconds(1000);
    const auto began = std::chrono::steady_clock::now();
    const auto first_of = [&](const std::string& host) {
        f.start(host);
        REQUIRE(support::run_until(f.core, [&] { return f.calls > 0; }));
        CHECK_FALSE(f.is_over);
        return f.told;
    };
    SECTION("IPv6") {
        f.dns["host.test"] = {DnsServer::Answer::addresses, {"127.0.0.1"}, {}, DnsServer::Answer::none};
        f.latest_answer = Seconds(0.01);
        CHECK(first_of("host.test") == std::vector<std::string>{"127.0.0.1:9001"});
        // RFC 8305, section 3
        CHECK(std::chrono::steady_clock::now() - began >= std::chrono::milliseconds(50));
        // Nor does it for ever, when nothing of IPv4 can be reached.
        REQUIRE(support::run_until(f.core, [&] { return f.is_over; }));
        CHECK(f.calls == 2);
        CHECK(f.told.size() == 1);
    }
    SECTION("IPv4") {
        f.dns["host.test"] = {DnsServer::Answer::none, {}, {"::1"}, DnsServer::Answer::addresses};
        CHECK(first_of("host.test") == std::vector<std::string>{"[::1]:9001"});
    }
}

TEST_CASE("resolver: an answer that comes later is told too") {
    Fixture f;
    f.wait = Seconds(0.1);
    f.tries = 5;
    f.dns["host.test"] = {DnsServer::Answer::addresses, {"127.0.0.1"}, {"::1"}, DnsServer::Answer::none};
    f.start("host.test");
    REQUIRE(support::run_until(f.core, [&] { return f.calls > 0; }));
    f.dns["host.test"].to_v6.reset();
    REQUIRE(support::run_until(f.core, [&] { return f.is_over; }));
    CHECK(f.told == std::vector<std::string>{"127.0.0.1:9001", "[::1]:9001"});
}

TEST_CASE("resolver: no such name of IPv4 ends it, no such name of IPv6 does not") {
    Fixture f;
    f.wait = Seconds(1000);
    SECTION("IPv4") {
        f.dns["host.test"] = {DnsServer::Answer::no_such_name, {}, {}, DnsServer::Answer::none};
        CHECK(f.shown("host.test").empty());
        CHECK(f.result->failure == "Domain name not found");
    }
    SECTION("IPv6") {
        f.dns["host.test"] = {DnsServer::Answer::addresses, {"127.0.0.1"}, {}, DnsServer::Answer::no_such_name};
        CHECK(f.shown("host.test") == Names{"127.0.0.1:9001"});
    }
}

TEST_CASE("resolver: IPv6 stands first when both are there") {
    Fixture f;
    f.dns["both.test"] = {DnsServer::Answer::addresses, {"127.0.0.1"}, {"::1"}};
    f.shown("both.test");
    CHECK(f.told == std::vector<std::string>{"[::1]:9001", "127.0.0.1:9001"});
}

TEST_CASE("resolver: resolv.conf says how long and how often a server is asked") {
    Fixture f;
    const support::TemporaryDirectory directory;
    f.system_file = directory.file("resolv.conf");
    std::ofstream(f.system_file) << "options timeout:1 attempts:1\n";
    f.dns["silent.test"].answer = DnsServer::Answer::none;
    SECTION("both") {
        f.wait = Seconds(0);
        f.tries = 0;
    }
    SECTION("how often") {
        f.wait = Seconds(0.05);
        f.tries = 0;
    }
    SECTION("how long") { f.wait = Seconds(0); }
    CHECK(f.shown("silent.test").empty());
    CHECK(f.result->failure == "Timeout while contacting DNS servers");
    CHECK(f.dns.questions() == 2);
}

TEST_CASE("resolver: an address whose zone is no interface is not asked of DNS") {
    Fixture f;
    for (const auto& [host, reason] : {std::pair{"fe80::1%nope", R"(this host has no interface "nope")"},
                                       {"fe80::1%0", R"(this host has no interface "0")"},
                                       {"2001:db8::1%", R"(this host has no interface "")"},
                                       {"::g", "it is no IPv6 address"}}) {
        CAPTURE(host);
        f.result.reset();
        f.is_over = false;
        CHECK(f.shown(host).empty());
        CHECK(f.result->failure == reason);
    }
    CHECK(f.dns.questions() == 0);
    CHECK(transport::no_address_reason("fe80::1%lo").empty() == !transport::Address::literal("fe80::1%lo", 0).empty());
    CHECK(transport::no_address_reason("a.test").empty());
}

TEST_CASE("resolver: of the search list one name is asked at a time, for both families") {
    Fixture f;
    const support::TemporaryDirectory directory;
    f.system_file = directory.file("resolv.conf");
    std::ofstream(f.system_file) << "search a.corp b.corp\n";
    const auto addresses = DnsServer::Answer::addresses;
    const auto none = DnsServer::Answer::none;
    SECTION("the name itself has IPv4 alone") {
        f.dns["www.example"] = {addresses, {"127.0.0.1"}, {}};
        f.dns["www.example.a.corp"] = {addresses, {}, {"::1"}};
        CHECK(f.shown("www.example") == Names{"127.0.0.1:9001"});
        CHECK_FALSE(f.dns.was_asked("www.example.a.corp"));
    }
    SECTION("the name itself has IPv6 alone, and none of IPv4") {
        f.dns["www.example"] = {DnsServer::Answer::no_such_name, {}, {"::1"}, addresses};
        f.dns["www.example.a.corp"] = {addresses, {"127.0.0.1"}, {}};
        CHECK(f.shown("www.example") == Names{"[::1]:9001"});
        CHECK_FALSE(f.dns.was_asked("www.example.a.corp"));
    }
    SECTION("a short name has IPv4 in the first domain, IPv6 in the second") {
        f.dns["foo.a.corp"] = {addresses, {"127.0.0.1"}, {}, DnsServer::Answer::no_such_name};
        f.dns["foo.b.corp"] = {addresses, {}, {"::1"}};
        CHECK(f.shown("foo") == Names{"127.0.0.1:9001"});
        CHECK_FALSE(f.dns.was_asked("foo.b.corp"));
    }
    SECTION("a short name is in the second domain, the first has the name without an address") {
        f.dns["foo.a.corp"] = {};
        f.dns["foo.b.corp"] = {addresses, {"127.0.0.1"}, {"::1"}};
        CHECK(f.shown("foo") == Names{"127.0.0.1:9001", "[::1]:9001"});
        CHECK_FALSE(f.dns.was_asked("foo"));
        CHECK(f.dns.questions() == 4);
    }
    SECTION("a short name is in no domain") {
        f.dns["foo"] = {addresses, {"127.0.0.1"}, {}};
        CHECK(f.shown("foo") == Names{"127.0.0.1:9001"});
        CHECK(f.dns.questions() == 6);
    }
    SECTION("nothing is there") {
        CHECK(f.shown("www.example").empty());
        CHECK(f.result->failure == "Domain name not found");
        CHECK(f.dns.questions() == 6);
    }
    SECTION("a question for IPv6 is dropped for a name that is not there") {
        f.wait = Seconds(1000);
        f.dns["foo.a.corp"] = {DnsServer::Answer::no_such_name, {}, {}, none};
        f.dns["foo.b.corp"] = {addresses, {"127.0.0.1"}, {"::1"}};
        CHECK(f.shown("foo") == Names{"127.0.0.1:9001", "[::1]:9001"});
    }
    SECTION("what is not answered is not said to be nowhere") {
        f.wait = Seconds(0.05);
        f.dns["www.example.a.corp"] = {addresses, {"127.0.0.1"}, {"::1"}};
        SECTION("IPv4, none of IPv6") { f.dns["www.example"] = {none, {}, {}, addresses}; }
        SECTION("IPv6, none of IPv4") { f.dns["www.example"] = {addresses, {}, {}, none}; }
        SECTION("both") { f.dns["www.example"] = {none}; }
        CHECK(f.shown("www.example").empty());
        CHECK(f.result->failure == "Timeout while contacting DNS servers");
        CHECK_FALSE(f.dns.was_asked("www.example.a.corp"));
    }
    SECTION("a full name is asked alone") {
        f.dns["foo.a.corp"] = {addresses, {"127.0.0.1"}, {"::1"}};
        CHECK(f.shown("foo.").empty());
        CHECK(f.dns.questions() == 2);
    }
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
        const auto tell = [&found, host](const Resolver::Result& result) {
            for (const Address& address : result.addresses) found.insert(host + " " + address.str());
        };
        resolvers.push_back(Resolver::resolve(f.core, host, 1, tell, f.options()));
    }
    resolvers.pop_back();
    REQUIRE(support::run_until(f.core, [&] { return found.size() == 2; }));
    CHECK(found == Names{"a.test 127.0.0.1:1", "b.test 127.0.0.2:1"});
}
