#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "simulation/random_world.hpp"
#include "support/catch.hpp"

// HAWSER_SIM_SEED replays the one seed that a failure has printed, HAWSER_SIM_RUNS tries so many of them; 0 goes on until it is stopped.

using namespace hawser;
using namespace support;

namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* value = std::getenv(variable);
    return value ? std::strtoull(value, nullptr, 10) : otherwise;
}

using Lines = std::vector<std::string>;

/// Both ends say what a seed makes them say, in their handshakes and in answer to each other, and one closes.
std::pair<Lines, Lines> conversation(std::uint64_t seed, const WireOptions& options) {
    std::mt19937_64 random(seed);
    const auto up_to = [&](std::size_t most) { return static_cast<std::size_t>(random() % (most + 1)); };
    std::vector<Message> script;
    for (std::size_t i = 1 + up_to(20); i > 0; --i) {
        const std::size_t size = up_to(up_to(3) == 0 ? 70'000 : 300);
        const Opcode kinds[] = {Opcode::text, Opcode::binary, Opcode::ping};
        const Opcode kind = kinds[up_to(2)];
        script.emplace_back(kind, std::string(is_control(kind) ? std::min<std::size_t>(size, 125) : size, static_cast<char>('a' + i)));
    }
    Configuration configuration;
    configuration.frame_size = 1 + up_to(5000);
    // Each ping is answered by its own pong only while there is room for all.
    configuration.max_queued_pongs = 100;
    SimWorld world(configuration, configuration);
    world.loop.limit_iterations(2'000'000);
    world.at_server.then = [&](std::string_view line, Connection* connection) {
        if (line.starts_with("text")) connection->text(line);
        if (line == "binary") connection->close(CloseCode::normal, "an empty one");
    };
    world.at_client.then = [&](std::string_view line, Connection* connection) {
        if (line != "handshake") return;
        for (const Message& message : script) connection->send(message);
        connection->binary({});
    };
    world.join(options);
    world.pass(Seconds(60));
    return {world.at_server.lines(), world.at_client.lines()};
}

/// How the wire cuts and stalls never changes what is told.
void check_conversation(std::uint64_t seed) {
    const auto whole = conversation(seed, {.capacity = 10'000'000});
    REQUIRE(whole.second.back() == "disconnect 1000 clean");
    CHECK((conversation(seed, {.capacity = 5000, .seed = seed}) == whole));
    const auto record = static_cast<std::size_t>(1 + seed * 37 % 3000);
    CHECK((conversation(seed, {.capacity = 100'000, .seed = seed, .record = record}) == whole));
}

}  // namespace

// Both for each seed, as the first alone may go on until it is stopped.
TEST_CASE("simulation: messages arrive whole, once and in order, or on_disconnect tells; the wire never changes what is told",
          "[simulation]") {
    const bool is_replay = std::getenv("HAWSER_SIM_SEED") != nullptr;
    const std::uint64_t runs = is_replay ? 1 : number_from("HAWSER_SIM_RUNS", 300);
    const std::uint64_t first = number_from("HAWSER_SIM_SEED", 1);
    for (std::uint64_t seed = first; runs == 0 || seed < first + runs; ++seed) {
        if (seed % 10'000 == 0) std::cout << "seed " << seed << std::endl;
        INFO("replay with HAWSER_SIM_SEED=" << seed);
        RandomWorld(seed).run();
        check_conversation(seed);
    }
}
