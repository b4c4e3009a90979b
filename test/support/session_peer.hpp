#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/configuration.hpp>
#include <hawser/error.hpp>
#include <hawser/uri.hpp>

#include "protocol/handshake.hpp"
#include "protocol/session.hpp"
#include "support/frames.hpp"
#include "types/entropy.hpp"

namespace support {

/// Pseudo-random bytes from a seed; remembers the masking keys it gave.
class SeededEntropy final : public hawser::Entropy {
public:
    explicit SeededEntropy(unsigned seed = 1) : random_(seed) {}
    void fill(std::span<unsigned char> bytes) override {
        for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random_());
        ++draws;
        if (bytes.size() == 4) keys.insert(std::string(bytes.begin(), bytes.end()));
    }

    std::size_t draws = 0;
    std::set<std::string> keys;

private:
    std::mt19937 random_;
};

/// Collects what is sent. Room that is reserved is exactly as large as asked for.
class CapturedOutput final : public hawser::protocol::Output {
public:
    char* reserve(std::size_t size) override {
        commit();
        largest_reserve = std::max(largest_reserve, size);
        room_.reset(new char[size]);
        room_size_ = size;
        return room_.get();
    }
    void write(std::span<const iovec> slices) override {
        commit();
        ++writes;
        for (const iovec& slice : slices) bytes_.append(static_cast<const char*>(slice.iov_base), slice.iov_len);
    }
    void write_shared(const std::shared_ptr<const std::string>& bytes) override {
        commit();
        ++shared_writes;
        bytes_ += *bytes;
    }
    /// What was sent since the last call.
    std::string take() {
        commit();
        return std::exchange(bytes_, {});
    }

    std::size_t largest_reserve = 0;
    std::size_t writes = 0;
    std::size_t shared_writes = 0;

private:
    void commit() { bytes_.append(room_.get(), std::exchange(room_size_, 0)); }

    std::string bytes_;
    std::unique_ptr<char[]> room_;
    std::size_t room_size_ = 0;
};

inline std::string errc_name(hawser::Errc code) {
    switch (code) {
        case hawser::Errc::bad_opcode: return "bad_opcode";
        case hawser::Errc::connection_timeout: return "connection_timeout";
        case hawser::Errc::message_encoding: return "message_encoding";
        case hawser::Errc::message_too_big: return "message_too_big";
        case hawser::Errc::connection_closed: return "connection_closed";
        case hawser::Errc::connection_failure: return "connection_failure";
        case hawser::Errc::handshake_failed: return "handshake_failed";
        case hawser::Errc::protocol_error: return "protocol_error";
        default: return hawser::make_error_code(code).message();
    }
}

/// What a test writes down of a message: "text hello", "close 1000 bye".
inline std::string described(const hawser::MessageView& message) {
    std::string text(message.opcode_name());
    if (message.opcode == hawser::Opcode::close) text += " " + std::to_string(static_cast<unsigned>(message.close_status));
    if (message.has_content()) text.append(" ").append(message.content);
    return text;
}

/// The messages in a stream of frames, described; the last is "failed" or "incomplete" when it does not end with one.
inline std::vector<std::string> decoded(std::string_view stream, hawser::protocol::Role receiver) {
    const ExactBytes copy(stream);
    std::span<char> rest = copy.span();
    hawser::protocol::Assembler assembler(receiver);
    hawser::Configuration limits;
    limits.max_message_size = stream.size();
    std::vector<std::string> messages;
    for (;;) {
        hawser::MessageView message;
        switch (assembler.next(rest, limits, message)) {
            case hawser::protocol::Assembler::Status::message: messages.push_back(described(message)); break;
            case hawser::protocol::Assembler::Status::failed: messages.emplace_back("failed"); return messages;
            case hawser::protocol::Assembler::Status::incomplete:
                if (!rest.empty() || assembler.in_message()) messages.emplace_back("incomplete");
                return messages;
        }
    }
}

inline const std::string request_head =
    "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A session with all that it needs around it, which takes bytes as a connection would: what the session leaves is kept,
/// and shown again with more behind it. Time stands still unless the test moves it.
class SessionPeer : public hawser::protocol::Session::Events {
public:
    using Role = hawser::protocol::Role;
    using Session = hawser::protocol::Session;
    using Step = hawser::protocol::Session::Step;
    using Events = std::vector<std::string>;

    explicit SessionPeer(Role role, const hawser::Configuration& settings = {}, unsigned seed = 1)
        : configuration(settings), entropy(seed), session(role, *this, output, entropy, configuration, now) {}

    hawser::Configuration configuration;
    SeededEntropy entropy;
    CapturedOutput output;
    hawser::TimePoint now{std::chrono::hours(1)};
    Session session;

    /// What was told, in order: "request /chat", "open", "text hello", "error protocol_error" …
    Events events;
    std::vector<std::string> error_texts;
    /// The response that came with the last error.
    hawser::Response error_response;
    std::error_code error_cause;  // of the last
    /// Called behind each event, with what `events` says of it.
    std::function<void(const std::string&)> reaction;
    /// Answers a request with 101, and accepts a response.
    bool agrees = true;
    hawser::Request request;
    hawser::Response response;

    void feed(std::string_view bytes) {
        tail_ += bytes;
        if (!session.wants_input()) return;
        const ExactBytes copy(std::exchange(tail_, {}));
        const std::size_t taken = session.receive(copy.span(), now);
        tail_.assign(copy.span().begin() + static_cast<std::ptrdiff_t>(taken), copy.span().end());
    }
    std::span<char> direct_target() { return session.direct_target(spare_); }
    /// What has been received directly of a message is still there.
    bool holds_half_a_message() const noexcept { return !spare_.expired(); }
    /// Puts the front of `stream` where the session wants it, if it does; returns how much.
    std::size_t feed_direct(std::string_view stream, std::size_t most) {
        if (!tail_.empty()) return 0;
        const std::span<char> target = direct_target();
        const std::size_t size = stream.copy(target.data(), std::min(most, target.size()));
        if (size != 0) session.receive_direct(size, now);
        return size;
    }
    /// Shows the session again what it has left.
    void resume() { feed({}); }
    const std::string& tail() const noexcept { return tail_; }

    void wait(hawser::Seconds duration) {
        now = hawser::later(now, duration);
        session.tick(now);
    }
    hawser::SendStatus send(hawser::Opcode opcode, std::string_view content = {}) { return session.send({opcode, content}, now); }
    hawser::SendStatus close(hawser::CloseCode code = hawser::CloseCode::normal, std::string_view reason = {}) {
        return session.send({hawser::Opcode::close, reason, code}, now);
    }
    /// All that was sent has left; does what the session asks for then.
    Step flush() {
        const Step step = session.step(true);
        if (step == Step::shutdown_write) session.write_shut();
        if (step == Step::disconnect) session.set_over();
        return step;
    }

    /// The opening handshake, after which nothing is left of it.
    void open() {
        if (session.role() == Role::server) {
            feed(request_head);
        } else {
            start();
            feed(hawser::protocol::format_response(hawser::protocol::accept_response(request)));
        }
        events.clear();
        output.take();
    }
    void start() {
        request = hawser::protocol::make_request(hawser::Uri("ws://server.example.com/chat"), {}, entropy);
        session.offer_extensions(request);
        session.start(request);
    }

    /// A frame from the other end, as it has to be.
    std::string frame(unsigned first, std::string_view payload = {}) const {
        return raw_frame(first, payload, session.role() == Role::server);
    }
    /// The messages that were sent since the last call.
    std::vector<std::string> sent() { return decoded(output.take(), session.role() == Role::server ? Role::client : Role::server); }
    /// What was told since the last call.
    Events told() { return std::exchange(events, {}); }

private:
    void on_request(hawser::Request received) override {
        request = std::move(received);
        note("request " + request.target);
        if (!agrees) return;
        hawser::Response answer = hawser::protocol::accept_response(request);
        session.answer_extensions(request, answer);
        session.respond(answer, now);
    }
    void on_page_request(hawser::Request received) override {
        request = std::move(received);
        note("page " + request.target);
    }
    void on_response(hawser::Response received) override {
        response = std::move(received);
        note("response " + std::to_string(response.status));
        if (agrees) session.accept(response, now);
    }
    void on_open() override { note("open"); }
    void on_message(hawser::MessageView& message) override { note(described(message)); }
    void on_error(hawser::Errc code, std::string what, const hawser::Response* refused, std::error_code cause) override {
        const hawser::Error error = hawser::Error(code, what).with_cause(cause);
        if (error.level() == hawser::ErrorLevel::connection) session.note(error);
        error_texts.push_back(std::move(what));
        error_cause = cause;
        if (refused) error_response = *refused;
        note("error " + errc_name(code));
    }
    void note(const std::string& event) {
        events.push_back(event);
        if (reaction) reaction(event);
    }

    std::string tail_;
    std::weak_ptr<hawser::Buffer> spare_;
};

/// One whose opening handshake is complete.
class OpenPeer final : public SessionPeer {
public:
    explicit OpenPeer(Role role, const hawser::Configuration& settings = {}, unsigned seed = 1) : SessionPeer(role, settings, seed) {
        open();
    }
    void feed_frame(unsigned byte, std::string_view payload = {}) { feed(frame(byte, payload)); }
    void feed_close(unsigned code, std::string_view reason = {}) { feed_frame(first::close, close_payload(code, reason)); }
};

inline std::string role_name(hawser::protocol::Role role) { return role == hawser::protocol::Role::server ? "server" : "client"; }

}  // namespace support
