#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "fuzz/deflate_options.hpp"
#include "support/session_pair.hpp"

// What is sent, by two sessions back to back: the opening handshake arrives as it was sent, and messages whole, once and in order,
// whatever their kinds and sizes, the frames, the compression and the pieces they come in, and however it ends.

using namespace hawser;
using protocol::DeflatePool;
using support::SessionPair;
using End = SessionPair::End;

namespace {

/// How much is sent in all, and in how many frames at most: an input is to take no longer than others.
constexpr std::size_t max_sent = 1'000'000;
constexpr std::size_t max_frames = 1'000;

Configuration configuration_from(fuzz::Choices& choices) {
    constexpr std::array<std::size_t, 9> frame_sizes = {1, 2, 125, 126, 127, 4096, 65'535, 65'536, 1'000'000};
    Configuration configuration;
    const unsigned byte = choices.byte();
    configuration.allow_half_open = (byte & 1u) != 0;
    configuration.frame_size = frame_sizes[byte / 2 % frame_sizes.size()];
    return configuration;
}

Headers fields_from(fuzz::Choices& choices, unsigned count) {
    constexpr std::array<const char*, 8> names = {
        "Origin", "Sec-WebSocket-Protocol", "User-Agent", "Host", "Authorization", "X", "Upgrade", "Set-Cookie"};
    Headers fields;
    for (; count > 0; --count) {
        const unsigned byte = choices.byte();
        fields.add(names[byte % names.size()], std::string(choices.bytes(byte / names.size())));
    }
    return fields;
}

/// A payload up to the largest that has a use: a few bytes that are repeated, or noise, which no compression makes smaller.
std::string content_from(fuzz::Choices& choices, std::size_t frame_size) {
    const unsigned shift = choices.byte();
    std::size_t size = std::size_t{choices.byte()} << (shift % 12);
    size -= std::min<std::size_t>(size, shift / 12 % 3);
    size = std::min(size, max_frames * frame_size);
    const unsigned byte = choices.byte();
    const std::string_view pattern = choices.bytes(byte / 2 % 16);
    std::string content(size, 'a');
    std::mt19937 noise(byte);
    for (std::size_t i = 0; i < size; ++i) {
        if ((byte & 1u) != 0) content[i] = static_cast<char>(noise());
        if ((byte & 1u) == 0 && !pattern.empty()) content[i] = pattern[i % pattern.size()];
    }
    return content;
}

/// Whether RFC 6455 knows such a message.
bool is_sound(const MessageView& message) {
    switch (message.opcode) {
        case Opcode::text: return protocol::is_utf8(message.content);
        case Opcode::binary: return true;
        case Opcode::ping:
        case Opcode::pong: return message.length() <= 125;
        case Opcode::close:
            if (message.close_status == CloseCode::no_status) return message.content.empty();
            return is_sendable(message.close_status) && message.length() <= 123 && protocol::is_utf8(message.content);
    }
    return false;
}

std::string described(const Headers& headers) {
    std::string text;
    for (const Header& field : headers) text += field.name + ": " + field.value + "\n";
    return text;
}

bool is_close(const std::string& event) { return event.starts_with("close"); }
bool is_data(const std::string& event) { return event.starts_with("text") || event.starts_with("binary"); }
bool is_message(const std::string& event) {
    return is_data(event) || is_close(event) || event.starts_with("ping") || event.starts_with("pong");
}

/// How many of the messages that were sent have come to the one who was told, if each came once and in order, or has no text and binary
/// behind it that came.
std::optional<std::size_t> count_arrived(const std::vector<std::string>& told, const std::vector<std::string>& sent, bool may_skip) {
    std::size_t arrived = 0;
    bool has_skipped = false;
    auto next = told.begin();
    for (; arrived < sent.size(); ++arrived) {
        const std::string& message = sent[arrived];
        if (next != told.end() && *next == message && !(has_skipped && is_data(message)))
            ++next;
        else if (may_skip && is_data(message))
            has_skipped = true;
        else
            break;
    }
    return next == told.end() ? std::optional(arrived) : std::nullopt;
}

class Exchange {
public:
    explicit Exchange(fuzz::Choices& choices)
        : choices_(choices), pair_{configuration_from(choices), configuration_from(choices), choices.byte()} {
        for (End* end : {&pair_.client, &pair_.server}) {
            const unsigned flags = choices_.byte();
            if ((flags & 1u) != 0) use_deflate(*end, flags / 4);
            answers_close_.push_back((flags & 2u) != 0);
            misses_.push_back(false);
            has_stopped_.push_back(false);
            may_skip_.push_back(false);
            end->peer.reaction = [this, end](const std::string& event) { react(*end, event); };
        }
        pair_.server.peer.agrees = false;
        answer_byte_ = choices_.byte();
        answer_fields_ = fields_from(choices_, answer_byte_ / 4 % 4);
    }

    /// The client's request is on its way, unless it may not be made or sent.
    bool start() {
        support::SessionPeer& client = pair_.client.peer;
        const unsigned byte = choices_.byte();
        const std::string target = "/" + std::string(choices_.bytes(byte / 8));
        Uri uri("ws://user:word@host:8080/");
        fuzz::accepts(Errc::bad_uri, [&] { uri = uri.resolve(target); });
        const bool is_made = fuzz::accepts(Errc::invalid_option, [&] {
            client.request = protocol::make_request(uri, fields_from(choices_, byte % 4), client.entropy);
            if ((byte & 4u) != 0) client.request.target = target;
            client.session.offer_extensions(client.request);
            client.session.start(client.request);
        });
        return is_made && !client.session.is_over();
    }

    bool goes_on() const {
        return !choices_.rest().empty() && sent_size_ < max_sent &&
               (!pair_.client.peer.session.is_over() || !pair_.server.peer.session.is_over());
    }

    /// What the input's next byte has happen.
    void step() {
        const unsigned what = choices_.byte();
        End& end = (what & 1u) != 0 ? pair_.client : pair_.server;
        const unsigned detail = what / 20;
        pair_.collect();
        switch (what / 2 % 10) {
            case 0: send_new(end, detail); break;
            case 1: send_prepared(end, detail); break;
            case 2: close(end); break;
            case 3: shut(end, detail); break;
            case 4: wait(Seconds(detail)); break;
            case 5: set_reading(end, detail % 2 == 0); break;
            case 6: pair_.deliver(end, std::size_t{1} << (choices_.byte() % 18)); break;
            case 7: pair_.obey(end); break;
            case 8: meet_socket(end, detail); break;
            default: configure(end); break;
        }
        note_skips();
    }

    /// All that is on its way arrives, then both close.
    void finish() {
        settle();
        check();
        for (End* end : {&pair_.client, &pair_.server}) {
            const bool is_open = end->peer.session.is_writable();
            fuzz::require(send(*end, {Opcode::close, "the end", CloseCode::normal}) == (is_open ? SendStatus::ok : SendStatus::closed),
                          "whoever can send can close");
        }
        settle();
        check();
        const bool is_undisturbed = misses_ == std::vector<bool>(2, false);
        for (int i = 0; i < 3 && !is_undisturbed; ++i) {
            wait(Seconds(100));
            settle();
        }
        for (End* end : {&pair_.client, &pair_.server}) fuzz::require(end->peer.session.is_over(), "two that close end");
    }

private:
    std::size_t index(const End& end) const { return &end == &pair_.client ? 0 : 1; }

    void use_deflate(End& end, unsigned detail) {
        DeflateOptions options = fuzz::deflate_options(choices_);
        options.threshold = detail % 4 * 60;
        options.level = 1 + static_cast<int>(detail / 4 % 9);
        end.peer.session.use_deflate(options, std::make_shared<DeflatePool>());
    }

    void react(End& end, const std::string& event) {
        if (event.starts_with("request")) respond(end.peer);
        if (is_close(event) && answers_close_[index(end)]) send(end, {Opcode::close, {}, CloseCode::no_status});
    }

    void respond(support::SessionPeer& server) {
        fuzz::require(described(server.request.headers) == described(pair_.client.peer.request.headers), "a request's fields arrive");
        fuzz::require(server.request.target == pair_.client.peer.request.target, "a request's target arrives");
        Response& answer = answer_.emplace();
        if (answer_byte_ % 4 != 0) {
            answer = protocol::accept_response(server.request);
            server.session.answer_extensions(server.request, answer);
        } else {
            constexpr std::array statuses = {400, 99, 204, 302, 304, 503, 999, 1000};
            answer = protocol::refuse_response({statuses[answer_byte_ / 4 % statuses.size()], std::string(answer_byte_ * 7, 'b')});
        }
        for (const Header& field : answer_fields_) answer.headers.add(field.name, field.value);
        const std::size_t before = server.events.size();
        server.session.respond(answer, server.now);
        if (server.events.size() != before && server.events.back().starts_with("error"))
            answer_ = protocol::refuse_response({500, "the server failed to answer"});
    }

    SendStatus send(End& end, const MessageView& message, const PreparedMessage* prepared = nullptr) {
        const bool is_writable = end.peer.session.is_writable();
        const SendStatus status = pair_.send(end, message, prepared);
        sent_size_ += message.length();
        if (message.opcode == Opcode::close && status == SendStatus::ok) check_close(end.peer);
        fuzz::require(status == (!is_writable        ? SendStatus::closed
                                 : is_sound(message) ? SendStatus::ok
                                                     : SendStatus::refused),
                      "what may be sent is sent, and nothing else");
        return status;
    }

    void check_close(const support::SessionPeer& closing) {
        const bool came_first = std::none_of(closing.events.begin(), closing.events.end(), is_close);
        fuzz::require(closing.session.close_began_here() == came_first, "who began to close is known");
    }

    MessageView message_from(unsigned detail, std::string_view content) {
        constexpr std::array kinds = {Opcode::text, Opcode::binary, Opcode::ping, Opcode::pong, Opcode::text, static_cast<Opcode>(3)};
        return {.opcode = kinds[detail % kinds.size()], .content = content, .compress = detail / kinds.size() == 0};
    }

    void send_new(End& end, unsigned detail) {
        const std::string content = content_from(choices_, end.peer.configuration.frame_size);
        send(end, message_from(detail, content));
    }

    /// Made once, sent by both, again and again.
    void send_prepared(End& end, unsigned detail) {
        if (detail > 5 || prepared_.empty()) {
            const std::size_t frame_size = end.peer.configuration.frame_size;
            const std::string content = content_from(choices_, frame_size);
            try {
                prepared_.emplace_back(message_from(detail, content), frame_size);
            } catch (const Error&) {
                return fuzz::require(!is_sound(message_from(detail, content)), "what can be sent can be prepared");
            }
        }
        const PreparedMessage& prepared = prepared_[detail % prepared_.size()];
        if (prepared.view().length() <= max_frames * end.peer.configuration.frame_size) send(end, prepared.view(), &prepared);
    }

    void close(End& end) {
        const unsigned byte = choices_.byte();
        const auto code = byte < 200 ? static_cast<CloseCode>(1000 + byte % 20) : static_cast<CloseCode>(byte * 20);
        const unsigned size = choices_.byte();
        std::string reason(choices_.bytes(size / 128));
        reason.resize(size % 128, '.');
        send(end, {Opcode::close, reason, code});
    }

    void shut(End& end, unsigned detail) {
        if (detail % 3 == 1) return end.peer.session.close_write();
        misses_[index(end)] = true;
        if (detail % 3 == 0) return end.peer.session.close_read();
        end.peer.session.transport_failed("reset");
    }

    void wait(Seconds duration) {
        for (End* end : {&pair_.client, &pair_.server}) {
            const bool was_over = end->peer.session.is_over();
            end->peer.wait(duration);
            if (!was_over && end->peer.session.is_over()) misses_[index(*end)] = true;
        }
    }

    void meet_socket(End& end, unsigned detail) {
        if (detail % 2 == 0)
            end.peer.session.write_blocked(end.peer.now);
        else
            end.peer.session.write_progress(end.peer.now);
    }

    void set_reading(End& end, bool reading) {
        has_stopped_[index(end)] = !reading;
        end.peer.session.set_reading(reading, end.peer.now);
    }

    /// An end that has sent its Close and stops reading gives up what comes from there on, but for control messages.
    void note_skips() {
        for (const End* end : {&pair_.client, &pair_.server})
            if (has_stopped_[index(*end)] && std::any_of(end->sent.begin(), end->sent.end(), is_close)) may_skip_[index(*end)] = true;
    }

    void configure(End& end) {
        end.peer.configuration = configuration_from(choices_);
        end.peer.session.configure(end.peer.configuration);
    }

    void settle() {
        has_stopped_.assign(2, false);
        pair_.settle([] { return std::size_t{100'000}; });
    }

    /// An end that was opened, and was not shut, reset or out of time, was told all that the other sent.
    void check() {
        for (const End* end : {&pair_.client, &pair_.server}) {
            std::vector<std::string> told;
            for (const std::string& event : end->peer.events) {
                fuzz::require(event != "error protocol_error", "no end sends what breaks the protocol");
                if (is_message(event)) told.push_back(event);
            }
            const std::vector<std::string>& sent = pair_.other(const_cast<End&>(*end)).sent;
            const auto arrived = count_arrived(told, sent, may_skip_[index(*end)]);
            fuzz::require(arrived.has_value(), "messages arrive once, in order");
            fuzz::require(arrived == sent.size() || misses_[index(*end)] || !end->peer.session.was_open(), "all messages arrive");
        }
        check_answer();
    }

    void check_answer() {
        const support::SessionPeer& client = pair_.client.peer;
        if (!answer_ || client.response.status == Response{}.status) return;
        fuzz::require(client.response.status == answer_->status, "a response's status arrives");
        const std::string_view body = std::string_view(answer_->body).substr(0, 1024);
        fuzz::require(body.starts_with(client.response.body), "a refusal's body arrives");
        fuzz::require(body == client.response.body || misses_[index(pair_.client)], "the first KiB of a refusal's body arrives");
        fuzz::require(described(client.response.headers).starts_with(described(answer_->headers)), "a response's fields arrive");
    }

    fuzz::Choices& choices_;
    SessionPair pair_;
    std::vector<PreparedMessage> prepared_;
    std::vector<bool> answers_close_;
    std::vector<bool> misses_;       // an end that need not be told all that the other sends
    std::vector<bool> has_stopped_;  // an end whose reading is stopped
    std::vector<bool> may_skip_;     // an end that is told of control messages alone, from a message on
    std::size_t sent_size_ = 0;
    unsigned answer_byte_ = 0;
    Headers answer_fields_;
    std::optional<Response> answer_;  // unless the session refuses a request itself
};

}  // namespace

void fuzz::run(std::string_view input) {
    Choices choices(input);
    Exchange exchange(choices);
    if (!exchange.start()) return;
    while (exchange.goes_on()) exchange.step();
    exchange.finish();
}
