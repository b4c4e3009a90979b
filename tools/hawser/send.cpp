#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "call.hpp"
#include "commands.hpp"
#include "format.hpp"

namespace hawser::command {

namespace {

constexpr const char* about_send =
    "Messages and pings are sent in the order given, each when the one before was answered: a message by a message,\n"
    "a ping by its pong. Replies are printed on standard output: a text as a line, a binary message as a hex dump.\n"
    "At the end the connection is closed with 1000. A message that begins with - goes behind --.";

struct SendOptions {
    CallOptions call{};
    double wait = 5;
    Subcommand subcommand{};
    Option messages{};
    Option text{};
    Option binary{};
    Option pings{};

    void add_options();
    std::vector<Message> parse_messages() const;
};

void SendOptions::add_options() {
    call.add_to(subcommand);
    messages = subcommand.add_list("MESSAGE", "What to send").type_name("");
    binary = subcommand.add_flag("--binary", "The messages behind it are binary").take_all();
    text = subcommand.add_flag("--text", "The messages behind it are text again").take_all();
    pings = subcommand.add_option("--ping", "Send a ping, here in the order (repeatable)").value_is_optional().take_all();
    pings.check(check_ping).type_name("[TEXT]");
    subcommand.add_option("--wait", wait, "How long to wait for each reply; 0: not at all (5)").check(check_seconds).type_name("SECONDS");
    subcommand.footer(about_send);
}

std::vector<Message> SendOptions::parse_messages() const {
    std::vector<Message> parsed;
    Opcode opcode = Opcode::text;
    std::size_t message = 0, ping = 0;
    for (const Option option : subcommand.parse_order()) {
        if (option == binary) opcode = Opcode::binary;
        if (option == text) opcode = Opcode::text;
        if (option == messages) parsed.emplace_back(opcode, messages.results()[message++]);
        if (option == pings) parsed.emplace_back(Opcode::ping, pings.results()[ping++]);
    }
    if (parsed.empty()) throw WrongUsage("MESSAGE, or --ping, is required");
    return parsed;
}

std::string describe(const MessageView& message) {
    std::string text(message.opcode_name());
    if (is_control(message.opcode)) return text + " \"" + std::string(message.content) + "\"";
    return text + " (" + bytes_text(message.length()) + ")";
}

/// Sends messages one after the other, each when the one before was answered.
class Send {
public:
    explicit Send(const SendOptions& options);
    int run() { return call_.run(); }

private:
    void send_next();
    void send_all();
    void on_reply(Connection& connection, const MessageView& reply);
    void on_late();
    bool is_answer(const MessageView& reply) const;

    const std::vector<Message> messages_;
    const Seconds wait_;
    Call call_;
    std::size_t sent_ = 0;
    bool waiting_ = false;
    TimerId timer_ = 0;
    TimePoint sent_at_{};
};

Send::Send(const SendOptions& options) : messages_(options.parse_messages()), wait_(options.wait), call_(options.call) {
    const auto on_reply = [this](Connection& connection, const MessageView& reply) { this->on_reply(connection, reply); };
    call_.client().on_text(on_reply).on_binary(on_reply).on_pong(on_reply);
    call_.client().on_close([this](Connection&, const MessageView&) {
        if (!std::exchange(waiting_, false)) return;
        call_.fail(call_.client().uri().str() + ": no reply to message " + std::to_string(sent_) + ": the connection was closed");
    });
    call_.on_open = [this] { wait_ > Seconds(0) ? send_next() : send_all(); };
}

void Send::send_next() {
    if (sent_ == messages_.size()) return call_.close();
    const Message& message = messages_[sent_++];
    sent_at_ = std::chrono::steady_clock::now();
    // Refused, as text that is not UTF-8: that has been told.
    if (call_.client().send(message) == SendStatus::refused) return call_.close();
    waiting_ = true;
    timer_ = call_.reactor().after(wait_, [this] { on_late(); });
}

void Send::send_all() {
    for (const Message& message : messages_) call_.client().send(message);
    call_.close();
}

void Send::on_reply(Connection& connection, const MessageView& reply) {
    if (!is_control(reply.opcode)) call_.show(connection, reply);
    if (!waiting_ || !is_answer(reply)) return;
    waiting_ = false;
    call_.reactor().cancel(timer_);
    const std::string round_trip =
        "sent " + describe(messages_[sent_ - 1]) + ", received " + describe(reply) + " in " + milliseconds(sent_at_);
    if (reply.opcode == Opcode::pong)
        call_.terminal().note(round_trip);
    else
        call_.tell(round_trip);
    send_next();
}

bool Send::is_answer(const MessageView& reply) const {
    const Message& message = messages_[sent_ - 1];
    const bool is_pong = reply.opcode == Opcode::pong;
    return message.opcode() == Opcode::ping ? is_pong && reply.content == message.content() : !is_pong;
}

void Send::on_late() {
    waiting_ = false;
    call_.fail(call_.client().uri().str() + ": no reply to message " + std::to_string(sent_) + " within " + formatted("%g", wait_.count()) +
               " s (wait longer with --wait, or not at all with --wait 0)");
    call_.close();
}

}  // namespace

Command make_send(CommandLine& line) {
    const auto options = std::make_shared<SendOptions>();
    options->subcommand = line.add_subcommand("send", "Send messages, print the replies, and close");
    options->add_options();
    return {options->subcommand, [options] { return Send(*options).run(); }};
}

}  // namespace hawser::command
