#include <charconv>
#include <chrono>
#include <memory>

#include "call.hpp"
#include "commands.hpp"
#include "input.hpp"

namespace hawser::command {

namespace {

constexpr std::size_t longest_reason = 123;  // RFC 6455, section 5.5.1
constexpr const char* about_connect =
    "Each line of standard input is sent as a text message, and what comes in is printed: a text as a line, a binary\n"
    "message as a hex dump. At the end of the input the connection is closed; what the server sends until it has\n"
    "answered that is still printed. With --binary, bytes pass as they are: what each read gives is sent as a binary\n"
    "message, and messages are written without line ends and dumps.";

struct ConnectOptions {
    CallOptions call{};
    bool binary = false;
    Option ping{};
    std::string ping_content{};
    std::string close = "1000";

    CloseCode close_code() const;
    std::string close_reason() const;
};

/// The number in front of the colon, or 0.
CloseCode parse_code(std::string_view text) {
    std::uint16_t code = 0;
    const std::string_view digits = text.substr(0, text.find(':'));
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code);
    return error == std::errc() && end == digits.data() + digits.size() ? static_cast<CloseCode>(code) : CloseCode::none;
}

std::string parse_reason(const std::string& text) {
    const std::size_t colon = text.find(':');
    return colon == std::string::npos ? "" : text.substr(colon + 1);
}

std::string check_close(const std::string& text) {
    if (!is_sendable(parse_code(text))) return "\"" + text + "\" has no status that may be sent: 1000-1003, 1007-1014 or 3000-4999";
    if (parse_reason(text).size() > longest_reason) return "the reason is longer than " + bytes_text(longest_reason);
    return {};
}

CloseCode ConnectOptions::close_code() const { return parse_code(close); }
std::string ConnectOptions::close_reason() const { return parse_reason(close); }

/// A connection between standard input and output.
class Connect {
public:
    explicit Connect(const ConnectOptions& options);
    int run() { return call_.run(); }

private:
    void begin();
    void send(std::string_view piece);

    const ConnectOptions& options_;
    Call call_;
    Input input_;
    bool interactive_ = false;
    TimePoint ping_begin_{};
};

Connect::Connect(const ConnectOptions& options)
    : options_(options),
      call_(options.call, options.binary),
      input_(call_.reactor(), options.binary ? Input::Pieces::chunks : Input::Pieces::lines, options.call.common.max_message) {
    const auto show = [this](Connection& connection, const MessageView& message) { call_.show(connection, message); };
    call_.client()
        .on_text(show)
        .on_binary(show)
        .on_pong([this](Connection&, const MessageView& pong) {
            call_.terminal().note("pong \"" + std::string(pong.content) + "\" after " + milliseconds(ping_begin_));
        })
        .on_drain([this](Connection&) { input_.resume(); })
        .on_close([this](Connection&, const MessageView&) { input_.stop(); });
    input_.on_piece = [this](std::string_view piece) { send(piece); };
    input_.on_end = [this] { call_.close(options_.close_code(), options_.close_reason()); };
    call_.on_open = [this] { begin(); };
}

void Connect::begin() {
    interactive_ = call_.terminal().start_prompt();
    if (options_.ping.count() > 0) {
        ping_begin_ = std::chrono::steady_clock::now();
        call_.client().ping(options_.ping_content);
    }
    input_.resume();
}

void Connect::send(std::string_view piece) {
    const SendStatus status = call_.client().send(MessageView{options_.binary ? Opcode::binary : Opcode::text, piece});
    if (status == SendStatus::backpressure) input_.pause();
    if (interactive_) call_.terminal().renew_prompt();
}

}  // namespace

Command make_connect(CommandLine& line) {
    Subcommand subcommand = line.add_subcommand("connect", "Connect standard input and output, a terminal or pipes, to a server");
    const auto options = std::make_shared<ConnectOptions>();
    options->call.add_to(subcommand);
    subcommand.add_flag("--binary", options->binary, "Pass bytes as they are (see below)");
    options->ping = subcommand.add_option("--ping", options->ping_content, "Send a ping first, and show the pong on standard error")
                        .value_is_optional()
                        .check(check_ping)
                        .type_name("[TEXT]");
    subcommand.add_option("--close", options->close, "How to close at the end of the input (1000)")
        .check(check_close)
        .type_name("CODE[:REASON]");
    subcommand.footer(about_connect);
    return {subcommand, [options] { return Connect(*options).run(); }};
}

}  // namespace hawser::command
