#include "transport/tls_output.hpp"

#include "support/catch.hpp"
#include "support/pipe_transport.hpp"

using namespace hawser::transport;
using support::PipeLane;

namespace {

struct Socket {
    explicit Socket(std::size_t capacity) { lane->capacity = capacity; }
    std::shared_ptr<PipeLane> lane = std::make_shared<PipeLane>();
    support::PipeTransport pipe{std::make_shared<PipeLane>(), lane};
    TlsOutput output{pipe};
};

}  // namespace

TEST_CASE("tls output: what the socket does not take is kept, and leaves first") {
    Socket socket(4);
    CHECK(socket.output.take("abcdef"));
    CHECK_FALSE(socket.output.has_room());
    CHECK(socket.output.take("gh"));
    CHECK(socket.lane->bytes == "abcd");
    CHECK_FALSE(socket.output.flush());
    socket.lane->capacity = 7;
    CHECK_FALSE(socket.output.flush());
    socket.lane->capacity = 8;
    CHECK(socket.output.flush());
    CHECK(socket.lane->bytes == "abcdefgh");
    CHECK(socket.output.has_room());
}

TEST_CASE("tls output: a batch leaves in one write") {
    Socket socket(1000);
    RecordBatch batch;
    {
        const Lent lent(socket.output.batch(), batch);
        CHECK(socket.output.take("one"));
        CHECK(socket.output.take("two"));
        CHECK(socket.lane->writes == 0);
        socket.output.flush_batch();
    }
    CHECK(socket.lane->bytes == "onetwo");
    CHECK(socket.lane->writes == 1);
}

TEST_CASE("tls output: it keeps no more than its bound, and no more after a failure") {
    constexpr std::size_t most = 128 * 1024;
    for (const std::size_t size : {most - 1, most, most + 1}) {
        Socket socket(0);
        CHECK(socket.output.take(std::string(size, 'x')) == (size <= most));
        CHECK(socket.output.is_empty() == (size > most));
        CHECK((socket.output.error() == std::errc::no_buffer_space) == (size > most));
    }
    Socket socket(10);
    socket.lane->ended = true;
    CHECK_FALSE(socket.output.take("x"));
    CHECK(socket.output.error() == std::errc::broken_pipe);
    CHECK(socket.output.is_empty());
    CHECK_FALSE(socket.output.has_room());
}
