// Two sessions back to back: what one sends, in whatever pieces it comes, the other is told.

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/session_pair.hpp"

using namespace hawser::protocol;
using hawser::Configuration;
using hawser::Opcode;
using hawser::PreparedMessage;
using hawser::SendStatus;
using support::SessionPair;
using support::SessionPeer;
using Told = std::vector<std::string>;

namespace {

/// Random steps of two sessions.
class RandomPair : public SessionPair {
public:
    RandomPair(unsigned seed, const Configuration& settings) : SessionPair(settings, settings, seed), random_(seed) { client.peer.start(); }

    std::size_t direct() const noexcept { return direct_; }
    /// From here on nobody stops reading.
    void close() {
        closes_ = true;
        for (End* end : {&client, &server}) end->peer.session.set_reading(true, end->peer.now);
    }

    /// Bytes move, reading stops or resumes, or a message is sent.
    void step() {
        End& end = random_() % 2 == 0 ? client : server;
        collect();
        // Stopped behind a Close of its own, it would lose messages.
        if (random_() % 8 == 0) end.peer.session.set_reading(random_() % 2 == 0 || closes_, end.peer.now);
        if (random_() % 3 == 0) send_some(end);
        direct_ += deliver(end, random_() % 4 == 0 ? random_() % 8 : random_() % 100'000);
    }
    void settle() {
        SessionPair::settle([this] { return 1 + random_() % 100'000; });
    }

private:
    void send_some(End& end) {
        constexpr std::array kinds = {Opcode::text, Opcode::binary, Opcode::ping, Opcode::pong};
        const Opcode kind = kinds[random_() % kinds.size()];
        std::string content(hawser::is_control(kind) ? random_() % 126 : random_() % (random_() % 10 == 0 ? 150'000 : 300), '\0');
        std::generate(content.begin(), content.end(), [&] { return static_cast<char>('a' + random_() % 26); });
        const PreparedMessage prepared({kind, content});
        send(end, prepared.view(), random_() % 2 == 0 ? &prepared : nullptr);
    }

    std::mt19937 random_;
    std::size_t direct_ = 0;
    bool closes_ = false;
};

/// What was told of messages: what came before "open" is left out.
Told messages_of(const SessionPeer& peer) {
    const auto open = std::find(peer.events.begin(), peer.events.end(), "open");
    REQUIRE(open != peer.events.end());
    return {open + 1, peer.events.end()};
}

Configuration some_settings(unsigned seed) {
    constexpr std::array<std::size_t, 5> frame_sizes = {1, 100, 4096, 40'000, 1'000'000};
    Configuration settings;
    settings.frame_size = frame_sizes[seed % frame_sizes.size()];
    settings.max_fragment_count = 1'000'000;
    return settings;
}

}  // namespace

TEST_CASE("session: two of them exchange random messages whole, once and in order, in whatever pieces") {
    std::size_t direct = 0;
    for (unsigned seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        RandomPair pair(seed, some_settings(seed));
        for (int i = 0; i < 200; ++i) pair.step();
        pair.settle();
        CHECK(pair.client.sent.size() > 10);
        CHECK(pair.server.sent.size() > 10);
        REQUIRE((messages_of(pair.server.peer) == pair.client.sent));
        REQUIRE((messages_of(pair.client.peer) == pair.server.sent));
        CHECK(pair.client.peer.session.is_writable());
        CHECK(pair.server.peer.session.is_writable());
        direct += pair.direct();
    }
    CHECK(direct > 0);
}

TEST_CASE("session: two of them close cleanly, whoever begins, and lose nothing that was sent before") {
    for (unsigned seed = 1; seed <= 30; ++seed) {
        CAPTURE(seed);
        RandomPair pair(seed, some_settings(seed));
        for (SessionPair::End* end : {&pair.client, &pair.server})
            end->peer.reaction = [end](const std::string& event) {
                if (!event.starts_with("close")) return;
                if (end->peer.close() == SendStatus::ok) end->sent.emplace_back("close 1000");
            };
        for (int i = 0; i < 100; ++i) pair.step();
        pair.close();
        // One of them begins, or both at once.
        for (SessionPair::End* end : {&pair.client, &pair.server}) {
            const bool begins = seed % 3 == 2 || (seed % 3 == 0) == (end == &pair.client);
            if (begins && end->peer.close() == SendStatus::ok) end->sent.emplace_back("close 1000");
        }
        for (int i = 0; i < 100; ++i) pair.step();
        pair.settle();
        REQUIRE((messages_of(pair.server.peer) == pair.client.sent));
        REQUIRE((messages_of(pair.client.peer) == pair.server.sent));
        for (const SessionPair::End* end : {&pair.client, &pair.server}) {
            CHECK(end->sent.back() == "close 1000");
            CHECK(end->peer.session.ending().clean);
            CHECK(end->peer.session.is_over());
            CHECK_FALSE(end->peer.session.ending().error);
        }
    }
}

TEST_CASE("session: two of them that shut their write halves tell each other everything") {
    for (unsigned seed = 1; seed <= 10; ++seed) {
        CAPTURE(seed);
        Configuration settings = some_settings(seed);
        settings.allow_half_open = true;
        RandomPair pair(seed, settings);
        for (int i = 0; i < 50; ++i) pair.step();
        pair.client.peer.session.close_write();
        pair.settle();
        CHECK(pair.server.peer.session.read_half() == Half::closed);
        CHECK(pair.client.peer.session.write_half() == Half::closed);
        for (int i = 0; i < 50; ++i) pair.step();
        pair.server.peer.session.close_write();
        pair.settle();
        REQUIRE((messages_of(pair.server.peer) == pair.client.sent));
        REQUIRE((messages_of(pair.client.peer) == pair.server.sent));
        CHECK(pair.client.peer.session.is_over());
        CHECK(pair.server.peer.session.is_over());
    }
}
