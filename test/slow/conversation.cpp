#include "slow/conversation.hpp"

#include <charconv>
#include <utility>

namespace support {

using namespace hawser;

namespace {

/// In milliseconds.
Seconds moment(Random& random, std::size_t most) { return std::chrono::milliseconds(random.up_to(most)); }

}  // namespace

void Ledger::after(Seconds delay, std::function<void()> function) {
    ++waiting;
    reactor.after(delay, [this, function = std::move(function)] {
        --waiting;
        function();
    });
}

Conversation::Conversation(Ledger& ledger, std::uint64_t number)
    : ledger_(ledger),
      number_(number),
      random_(ledger.seed ^ (number << 20)),
      seed_(random_.next()),
      ending_(static_cast<Ending>(random_.up_to(ending_count - 1))),
      ender_(random_.chance(2) ? client : server) {
    for (End& end : ends_) end.quota = random_.up_to(random_.chance(4) ? 100 : 12);
    ++ledger_.conversations;
    ++ledger_.endings[static_cast<std::size_t>(ending_)];
}

bool Conversation::is_ended_by_server() const noexcept {
    return ender_ == server && (ending_ == Ending::close || ending_ == Ending::half_close || ending_ == Ending::disconnect);
}

void Conversation::expect(bool condition, Side side, std::string_view what) {
    if (condition) return;
    ledger_.failures.push_back("conversation " + std::to_string(number_) + ", ending " + std::to_string(static_cast<int>(ending_)) +
                               (side == client ? ", client: " : ", server: ") + std::string(what));
}

void Conversation::opened(Side side, Connection& connection) {
    End& end = ends_[side];
    expect(++end.openings == 1, side, "a second on_handshake");
    end.connection = connection.handle();
    if (ending_ == Ending::half_close_both) {
        Configuration configuration = connection.configuration();
        configuration.allow_half_open = true;
        connection.set_configuration(configuration);
    }
    talk(side);
}

void Conversation::received(Side side, Connection& connection, const MessageView& message) {
    End& end = ends_[side];
    expect(end.disconnects == 0, side, "a message behind on_disconnect");
    const Side from = side == client ? server : client;
    const MessageView expected = ledger_.corpus.message(key(from, end.received));
    const bool is_right = message.opcode == expected.opcode && message.content == expected.content;
    expect(is_right, side, "message " + std::to_string(end.received) + " is not the one that was sent");
    ++end.received;
    end.received_bytes += message.length();
    if (random_.chance(20)) pause(connection.handle());
    if (random_.chance(6)) talk(side);
}

void Conversation::pause(const ConnectionPtr& connection) {
    connection->pause();
    ledger_.after(moment(random_, 20), [connection] { connection->resume(); });
}

/// Pongs may be left out when newer ones follow (RFC 6455, section 5.5.3), but keep their order.
void Conversation::ponged(Side side, std::string_view content) {
    End& end = ends_[side];
    std::uint64_t number = 0;
    std::from_chars(content.data(), content.data() + content.size(), number);
    expect(number > end.last_pong && number <= end.pings, side, "a pong without its ping: " + std::string(content));
    end.last_pong = number;
    ++ledger_.pongs;
}

void Conversation::failed(Side side, const Error& error) {
    const std::string_view what = error.what();
    if (what.ends_with(std::make_error_code(std::errc::connection_reset).message())) ++ledger_.resets;
    expect(!is_kept(), side, error.what());
}

void Conversation::ended(Side side, const Disconnect& how) {
    End& end = ends_[side];
    expect(++end.disconnects == 1 && end.openings == 1, side, "on_disconnect without its on_handshake");
    end.is_clean = how.clean;
    expect(!is_kept() || !how.error, side, "ended with an error");
    end.connection.reset();
}

/// Sends some messages, and comes back for the others.
void Conversation::talk(Side side) {
    End& end = ends_[side];
    for (std::size_t burst = 1 + random_.up_to(5); burst > 0 && end.sent < end.quota; --burst)
        if (!say(side)) return;
    if (random_.chance(3) && !ping(side)) return;
    if (end.sent == end.quota) return finish(side);
    if (std::exchange(end.is_scheduled, true)) return;
    ledger_.after(moment(random_, 10), [self = shared_from_this(), side] {
        self->ends_[side].is_scheduled = false;
        self->talk(side);
    });
}

/// False when no more may be sent now: on_drain goes on, or nothing does.
bool Conversation::say(Side side) {
    End& end = ends_[side];
    const ConnectionPtr connection = end.connection;
    if (!connection) return false;
    if (random_.chance(10)) connection->set_frame_size(16 + random_.up_to(9'000));
    const MessageView message = ledger_.corpus.message(key(side, end.sent));
    const SendStatus status = connection->send(message);
    if (status == SendStatus::closed) return false;
    expect(status == SendStatus::ok || status == SendStatus::backpressure, side, "a message was not taken");
    ++end.sent;
    end.sent_bytes += message.length();
    return status == SendStatus::ok;
}

bool Conversation::ping(Side side) {
    End& end = ends_[side];
    const ConnectionPtr connection = end.connection;
    if (!connection) return false;
    const SendStatus status = connection->ping(std::to_string(end.pings + 1));
    if (status == SendStatus::closed) return false;
    ++end.pings;
    ++ledger_.pings;
    return status == SendStatus::ok;
}

void Conversation::finish(Side side) {
    End& end = ends_[side];
    const bool is_for_both = ending_ == Ending::close_both || ending_ == Ending::half_close_both;
    if (!end.connection || (side != ender_ && !is_for_both) || std::exchange(end.is_finished, true)) return;
    const ConnectionPtr connection = end.connection;
    switch (ending_) {
        case Ending::close:
        case Ending::close_both: connection->close(CloseCode::normal, "all was said"); break;
        case Ending::half_close:
        case Ending::half_close_both: connection->close_write(); break;
        case Ending::disconnect: connection->disconnect(); break;
        case Ending::reset:
            connection->pause();
            ledger_.after(moment(random_, 20), [connection] { connection->disconnect(); });
            break;
        case Ending::early: break;  // who connects does it
    }
}

void Conversation::settle() {
    settle_way(client, server);
    settle_way(server, client);
    for (const Side side : {client, server}) expect(!is_kept() || ends_[side].disconnects == 1, side, "it never was");
    if (ending_ != Ending::close && ending_ != Ending::close_both) return;
    for (const Side side : {client, server}) expect(ends_[side].is_clean, side, "a Close was not answered");
}

void Conversation::settle_way(Side from, Side to) {
    const End& sender = ends_[from];
    const End& receiver = ends_[to];
    const std::uint64_t lost = sender.sent - receiver.received;
    expect(receiver.received <= sender.sent, to, "more than was sent");
    expect(!is_kept() || (lost == 0 && sender.sent_bytes == receiver.received_bytes), to, std::to_string(lost) + " messages were lost");
    expect(lost == 0 || sender.disconnects == 1, from, "was not told that the connection broke");
    ledger_.sent_messages += sender.sent;
    ledger_.sent_bytes += sender.sent_bytes;
    ledger_.received_messages += receiver.received;
    ledger_.received_bytes += receiver.received_bytes;
    ledger_.lost_messages += lost;
    ledger_.lost_bytes += sender.sent_bytes - receiver.received_bytes;
}

}  // namespace support
