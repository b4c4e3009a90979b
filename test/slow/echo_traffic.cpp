#include "slow/echo_traffic.hpp"

#include <algorithm>

namespace support {

using namespace hawser;

EchoTraffic::EchoTraffic(Reactor& reactor, const std::string& uri, std::size_t clients) {
    for (std::size_t i = 0; i < clients; ++i) {
        Talker& talker = *talkers_.emplace_back(std::make_unique<Talker>());
        talker.number = i << 32;
        talker.client = std::make_unique<Client>(reactor, uri);
        const auto heard = [this, &talker](Connection& connection, MessageView message) { this->heard(talker, connection, message); };
        talker.client->on_text(heard)
            .on_binary(heard)
            .on_handshake([this, &talker](Connection& connection, const Request&, const Response&) { say(talker, connection); })
            .on_error([this](Connection*, const Error& error) { failures_.emplace_back(error.what()); })
            .on_disconnect([this](Connection&, const Disconnect& ending) {
                ++over_;
                if (!ending.clean) failures_.emplace_back("ended uncleanly");
            });
        talker.client->connect();
    }
}

void EchoTraffic::say(Talker& talker, Connection& connection) {
    talker.sent = Clock::now();
    connection.send(corpus_.message(talker.number));
}

void EchoTraffic::heard(Talker& talker, Connection& connection, const MessageView& message) {
    const MessageView expected = corpus_.message(talker.number);
    if (message.opcode != expected.opcode || message.content != expected.content) failures_.emplace_back("a wrong echo");
    longest_ = std::max(longest_, std::chrono::duration<double>(Clock::now() - talker.sent).count());
    ++echoes_;
    ++talker.number;
    if (is_finishing_)
        connection.close();
    else
        say(talker, connection);
}

}  // namespace support
