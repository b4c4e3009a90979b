#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "check/sources.hpp"
#include "support/accept_failures.hpp"
#include "support/catch.hpp"
#include "support/sim_loop.hpp"

using namespace hawser::check;

namespace {

/// The number that the next descriptor has.
int lowest_free_descriptor() {
    const int descriptor = dup(STDIN_FILENO);
    close(descriptor);
    return descriptor;
}

/// A run of three cases for clients that come by themselves. Time is virtual.
struct World {
    ~World() { close(client); }

    /// A client comes, and never says anything.
    void come() {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const std::string url = source.url();
        address.sin_port = htons(static_cast<in_port_t>(std::stoul(url.substr(url.rfind(':') + 1))));
        REQUIRE(connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        support::SimLoop& loop = support::sim_loop(reactor);
        loop.set_ready(listener, hawser::Readiness::readable);
        reactor.run_once();
        loop.set_ready(listener, hawser::Readiness::none);
    }

    hawser::Reactor reactor{support::make_sim_core()};
    Subject subject{.role = Role::client};
    std::vector<Case> cases{{.id = "a.first"}, {.id = "a.second"}, {.id = "b.third"}};
    Run run{reactor, subject, cases};
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int listener = lowest_free_descriptor();
    ClientSource source{reactor, run, "0", ""};
};

}  // namespace

TEST_CASE("clients to check: when one has stayed away for a minute, the cases that are left have failed") {
    World world;
    std::vector<std::string> judged;
    world.run.on_result = [&](const Result& result) { judged.push_back(result.a_case->id); };
    world.come();
    support::run_for(world.reactor, hawser::Seconds(59.5));
    CHECK(judged == std::vector<std::string>{"a.first"});
    support::run_for(world.reactor, hawser::Seconds(0.5));
    CHECK(judged == std::vector<std::string>{"a.first", "a.second", "b.third"});
    const std::vector<Result> results = world.run.results();
    REQUIRE(results.size() == 3);
    for (const Result& result : results) CHECK(result.judgement.verdict == Verdict::failed);
    CHECK(results[0].judgement.detail == "the opening handshake did not succeed: the connection stayed open (no Close)");
    CHECK(results[1].judgement.detail == "no client has connected for 60 seconds");
    CHECK(results[2].judgement.detail == "no client has connected for 60 seconds");
}

TEST_CASE("clients to check: when none has ever come, there is nothing to judge") {
    World world;
    CHECK_THROWS_WITH(world.reactor.run(), "no client has connected for 60 seconds");
    CHECK(world.run.results().empty());
}

TEST_CASE("clients to check: a client that has gone again is no failure") {
    support::accept_failures = {GENERATE(EAGAIN, ECONNABORTED, EINTR)};
    World world;
    world.come();
    CHECK(support::accept_failures.empty());
    CHECK(world.run.running() == 0);
}

TEST_CASE("clients to check: when no connection can be accepted, the run ends and says why") {
    World world;
    support::accept_failures = {EMFILE};
    CHECK_THROWS_WITH(world.come(), "cannot accept a connection: Too many open files");
}
