// Two sessions back to back: what one sends, in whatever pieces it comes, the other is told.

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/session_peer.hpp"

using namespace hawser::protocol;
using hawser::Configuration;
using hawser::Opcode;
using hawser::PreparedMessage;
using hawser::Seconds;
using hawser::SendStatus;
using support::SessionPeer;
using Step = Session::Step;
using Told = std::vector<std::string>;

namespace {

/// One end, and what is on its way to it.
struct End {
    explicit End(Role role, const Configuration& settings, unsigned seed) : peer(role, settings, seed) {}
    SessionPeer peer;
    std::string incoming;
    Told sent;
    bool has_shut = false;   // its write half: no more will come from it
    bool has_ended = false;  // it was told of the other's end
};

class Pair {
public:
    Pair(unsigned seed, const Configuration& settings)
        : random_(seed), client_(Role::client, settings, seed), server_(Role::server, settings, seed + 1) {
        client_.peer.start();
    }

    End& client() noexcept { return client_; }
    End& server() noexcept { return server_; }
    std::size_t direct() const noexcept { return direct_; }

    /// One random step: bytes move, reading stops or resumes, or a message is sent.
    void step(bool sends) {
        End& end = random_() % 2 == 0 ? client_ : server_;
        collect();
        if (random_() % 8 == 0) end.peer.session.set_reading(random_() % 2 == 0, end.peer.now);
        if (sends && random_() % 3 == 0) send(end);
        deliver(end, random_() % 4 == 0 ? random_() % 8 : random_() % 100'000);
    }
    /// Everything that is on its way arrives; what the sessions ask for is done.
    void settle() {
        for (int quiet = 0; quiet < 3; ++quiet) {
            for (End* end : {&client_, &server_}) {
                collect();
                end->peer.session.set_reading(true, end->peer.now);
                end->peer.resume();
                while (!end->incoming.empty() && !end->peer.session.is_over()) {
                    deliver(*end, 1 + random_() % 100'000);
                    quiet = 0;
                }
                collect();
                obey(*end);
            }
        }
    }

private:
    End& other(const End& end) noexcept { return &end == &client_ ? server_ : client_; }

    void collect() {
        server_.incoming += client_.peer.output.take();
        client_.incoming += server_.peer.output.take();
    }
    void deliver(End& end, std::size_t most) {
        const std::string_view bytes = end.incoming;
        std::size_t size = end.peer.feed_direct(bytes, most);
        direct_ += size;
        if (size == 0 && end.peer.session.wants_input()) end.peer.feed(bytes.substr(0, size = std::min(most, bytes.size())));
        end.incoming.erase(0, size);
    }
    /// Does what the session asks for, all that it sent having left; tells it of the other's end.
    void obey(End& end) {
        if (end.peer.flush() != Step::none) end.has_shut = true;
        const bool is_at_end = other(end).has_shut && end.incoming.empty() && end.peer.tail().empty();
        if (is_at_end && !std::exchange(end.has_ended, true)) end.peer.session.receive_end();
    }
    void send(End& end) {
        constexpr std::array kinds = {Opcode::text, Opcode::binary, Opcode::ping, Opcode::pong};
        const Opcode kind = kinds[random_() % kinds.size()];
        std::string content(hawser::is_control(kind) ? random_() % 126 : random_() % (random_() % 10 == 0 ? 150'000 : 300), '\0');
        std::generate(content.begin(), content.end(), [&] { return static_cast<char>('a' + random_() % 26); });
        const PreparedMessage prepared({kind, content});
        const bool as_prepared = random_() % 2 == 0;
        if (end.peer.session.send(prepared.view(), end.peer.now, as_prepared ? &prepared : nullptr) != SendStatus::ok) return;
        end.sent.push_back(support::described(prepared.view()));
    }

    std::mt19937 random_;
    End client_;
    End server_;
    std::size_t direct_ = 0;
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
        Pair pair(seed, some_settings(seed));
        for (int i = 0; i < 200; ++i) pair.step(true);
        pair.settle();
        CHECK(pair.client().sent.size() > 10);
        CHECK(pair.server().sent.size() > 10);
        REQUIRE((messages_of(pair.server().peer) == pair.client().sent));
        REQUIRE((messages_of(pair.client().peer) == pair.server().sent));
        CHECK(pair.client().peer.session.is_writable());
        CHECK(pair.server().peer.session.is_writable());
        direct += pair.direct();
    }
    CHECK(direct > 0);
}

TEST_CASE("session: two of them close cleanly, whoever begins, and lose nothing that was sent before") {
    for (unsigned seed = 1; seed <= 30; ++seed) {
        CAPTURE(seed);
        Pair pair(seed, some_settings(seed));
        for (End* end : {&pair.client(), &pair.server()})
            end->peer.reaction = [end](const std::string& event) {
                if (!event.starts_with("close")) return;
                if (end->peer.close() == SendStatus::ok) end->sent.emplace_back("close 1000");
            };
        for (int i = 0; i < 100; ++i) pair.step(true);
        // One of them begins, or both at once.
        for (End* end : {&pair.client(), &pair.server()}) {
            const bool begins = seed % 3 == 2 || (seed % 3 == 0) == (end == &pair.client());
            if (begins && end->peer.close() == SendStatus::ok) end->sent.emplace_back("close 1000");
        }
        for (int i = 0; i < 100; ++i) pair.step(true);
        pair.settle();
        REQUIRE((messages_of(pair.server().peer) == pair.client().sent));
        REQUIRE((messages_of(pair.client().peer) == pair.server().sent));
        for (const End* end : {&pair.client(), &pair.server()}) {
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
        Pair pair(seed, settings);
        for (int i = 0; i < 50; ++i) pair.step(true);
        pair.client().peer.session.close_write();
        pair.settle();
        CHECK(pair.server().peer.session.read_half() == Half::closed);
        CHECK(pair.client().peer.session.write_half() == Half::closed);
        for (int i = 0; i < 50; ++i) pair.step(true);
        pair.server().peer.session.close_write();
        pair.settle();
        REQUIRE((messages_of(pair.server().peer) == pair.client().sent));
        REQUIRE((messages_of(pair.client().peer) == pair.server().sent));
        CHECK(pair.client().peer.session.is_over());
        CHECK(pair.server().peer.session.is_over());
    }
}
