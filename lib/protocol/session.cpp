#include "protocol/session.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/handshake.hpp"
#include "protocol/session_opening.hpp"
#include "protocol/spoil.hpp"

namespace hawser::protocol {

namespace {

/// How much of a refusing response's body is kept.
constexpr std::size_t max_body = 1024;
/// How long more of a body is waited for that ends with the connection: a server may keep that open.
constexpr Seconds body_pause{0.5};
/// What there is at least to decide about a response that has taken all the time of the handshake.
constexpr Seconds least_decision{0.5};
/// Interim responses that may come before the answer.
constexpr unsigned max_interim = 8;

Seconds opening_limit(Role role, const Configuration& configuration) {
    Seconds limit = std::min(configuration.handshake_timeout, configuration.timeout);
    const OptionValue* bound = role == Role::client ? configuration.context.get_option("http", "timeout") : nullptr;
    return bound ? std::min(limit, Seconds(static_cast<double>(std::get<std::int64_t>(*bound)))) : limit;
}

/// The cause of what is told when a wait runs out.
std::error_code timed_out() noexcept { return std::make_error_code(std::errc::timed_out); }

std::string_view as_view(std::span<const char> bytes) { return {bytes.data(), bytes.size()}; }

}  // namespace

Session::Session(Role role, Events& events, Output& output, Entropy& entropy, const Configuration& configuration, TimePoint now)
    : events_(events),
      output_(output),
      entropy_(entropy),
      configuration_(&configuration),
      opening_(std::make_unique<Opening>(role == Role::server ? HttpParser::Kind::request : HttpParser::Kind::response, configuration,
                                         opening_limit(role, configuration), now)),
      wait_deadline_(opening_->deadline),
      last_received_(now),
      assembler_(role),
      role_(role) {}

Session::~Session() = default;

// The opening handshake.

void Session::start(const Request& request) {
    if (over_) return;
    opening_->request = request;
    std::string head;
    try {
        head = format_request(request);
    } catch (const Error& error) {
        return end_with(Errc::handshake_failed, std::string("the opening handshake failed: ") + error.what());
    }
    output_.write(std::array{iovec{head.data(), head.size()}});
}

void Session::examine(Request request, TimePoint now) {
    HttpFailure failure;
    opening_->head_only = request.method == "HEAD";
    switch (examine_request(request, opening_->parser.minor_version(), failure)) {
        case Wish::refused: return refuse(failure, now);
        case Wish::websocket: opening_->key = *request.headers.get("Sec-WebSocket-Key"); return events_.on_request(std::move(request));
        case Wish::page: return events_.on_page_request(std::move(request));
    }
}

void Session::refuse(const HttpFailure& failure, TimePoint now) {
    phase_ = Phase::deciding;
    respond(refuse_response(failure), now);
    events_.on_error(Errc::handshake_failed,
                     "the opening handshake was refused with " + std::to_string(failure.status) + ": " + failure.reason, nullptr, {});
}

void Session::respond(const Response& response, TimePoint now) {
    if (phase_ != Phase::deciding || over_) return;
    std::string bytes;
    try {
        bytes = format_answer(response);
    } catch (const Error& error) {
        respond(refuse_response({500, "the server failed to answer"}), now);
        return events_.on_error(Errc::handshake_failed, std::string("a request was answered with 500: ") + error.what(), nullptr, {});
    }
    output_.write(std::array{iovec{bytes.data(), bytes.size()}});
    if (response.status == 101) return open(now);
    phase_ = Phase::refused;
    read_ = write_ = Half::closing;
    fin_due_ = true;
    start_close_wait(now);
}

/// The bytes of a response. Throws `Errc::invalid_option` for one that cannot be sent, or is none that ends the exchange: an interim
/// response, or 101 to a request that asks for no WebSocket, or without the proof of one (RFC 6455, section 4.2.2).
std::string Session::format_answer(const Response& response) const {
    if (response.status == 101 && !opening_->key.empty()) {
        if (const auto problem = check_accept(opening_->key, response.headers)) throw Error(Errc::invalid_option, *problem);
        return format_response(response);
    }
    if (response.status >= 100 && response.status < 200)
        throw Error(Errc::invalid_option, "the response " + std::to_string(response.status) + " cannot be the answer to this request");
    Response last = response;
    last.headers.set("Connection", "close");
    std::string bytes = format_response(last, opening_->head_only);
    if (opening_->head_only) bytes.resize(bytes.size() - response.body.size());
    return bytes;
}

void Session::accept(const Response& response, TimePoint now) {
    if (phase_ != Phase::deciding || over_) return;
    auto problem = check_response(opening_->request, response);
    if (!problem) problem = check_extensions(response);
    if (!problem) return open(now);
    over_ = true;
    events_.on_error(Errc::handshake_failed, "the opening handshake failed: " + *problem, &response, {});
}

void Session::abandon(Errc code, std::string what) {
    if (!is_open()) end_with(code, std::move(what));
}

void Session::open(TimePoint now) {
    if (opening_->agreed) start_deflate();
    phase_ = Phase::open;
    was_open_ = true;
    opening_.reset();
    wait_deadline_ = TimePoint::max();
    last_received_ = now;
    events_.on_open();
}

// The way in.

std::size_t Session::receive(std::span<char> bytes, TimePoint now) {
    if (over_) return bytes.size();
    heard(now);
    std::span<char> rest = bytes;
    if (phase_ == Phase::head) receive_head(rest, now);
    if (phase_ == Phase::body) receive_body(rest, now);
    if (phase_ == Phase::open) receive_messages(rest, now);
    // What comes behind the last message is of no interest, but it must not fill the socket.
    if (phase_ == Phase::refused || over_ || (phase_ == Phase::open && read_ != Half::open)) rest = {};
    return bytes.size() - rest.size();
}

void Session::receive_head(std::span<char>& rest, TimePoint now) {
    std::size_t consumed = 0;
    opening_->received_any = true;
    const HttpParser::Status status = opening_->parser.feed(as_view(rest), consumed);
    rest = rest.subspan(consumed);
    if (status == HttpParser::Status::incomplete) return;
    if (status == HttpParser::Status::failed) return head_failed(now);
    phase_ = Phase::deciding;
    if (role_ == Role::server) return examine(std::move(opening_->parser.request()), now);
    const int status_code = opening_->parser.response().status;
    if (status_code < 200 && status_code != 101) return skip_interim(rest, now);
    if (status_code == 101 && opening_->parser.minor_version() == 0)
        return end_with(Errc::handshake_failed,
                        "the opening handshake failed: the server, or a proxy in between, answered 101 by HTTP/1.0");
    opening_->response = std::move(opening_->parser.response());
    if (status_code == 101) return deliver_response(now);
    phase_ = Phase::body;
    opening_->body.emplace(opening_->response, max_body, configuration_->max_head_size);
}

void Session::head_failed(TimePoint now) {
    const HttpFailure failure = opening_->parser.failure();
    if (role_ == Role::client)
        return end_with(Errc::handshake_failed, "the opening handshake failed: the response is not HTTP/1.1: " + failure.reason);
    opening_->head_only = opening_->parser.request().method == "HEAD";
    refuse(failure, now);
}

/// Whether what has come of a head is none: that is told, and not that no more of it came.
bool Session::is_no_head(TimePoint now) {
    if (over_ || phase_ != Phase::head || opening_->parser.end() != HttpParser::Status::failed) return false;
    head_failed(now);
    return true;
}

/// The answer itself follows (RFC 9110, section 15.2).
void Session::skip_interim(std::span<char>& rest, TimePoint now) {
    if (++opening_->interim_count > max_interim)
        return end_with(Errc::handshake_failed, "the opening handshake failed: the server sends interim responses without end");
    opening_->parser = HttpParser(HttpParser::Kind::response, *configuration_);
    phase_ = Phase::head;
    if (!rest.empty()) receive_head(rest, now);
}

void Session::receive_body(std::span<char>& rest, TimePoint now) {
    HttpBody& body = *opening_->body;
    body.feed(as_view(rest), opening_->response.body);
    rest = {};
    if (body.is_complete()) return deliver_response(now);
    if (body.ends_with_connection()) wait_deadline_ = std::min(opening_->deadline, later(now, body_pause));
}

/// What was waited for of the body is no bound for the decision, which has the time of the handshake, and a moment from `now` on.
void Session::deliver_response(TimePoint now) {
    phase_ = Phase::deciding;
    wait_deadline_ = std::max(opening_->deadline, later(now, least_decision));
    events_.on_response(std::move(opening_->response));
}

void Session::receive_messages(std::span<char>& rest, TimePoint now) {
    in_frame_ = false;
    if (!wants_messages()) return;
    do {
        MessageView message;
        switch (assembler_.next(rest, *configuration_, message)) {
            case Assembler::Status::incomplete: in_frame_ = !rest.empty(); return;
            case Assembler::Status::failed: return fail(assembler_.failure(), now);
            case Assembler::Status::message: break;
        }
        if (message.opcode == Opcode::close)
            receive_close(message, now);
        else if (!close_sent_ || !is_held_back(message.opcode))
            show(message);
    } while (!rest.empty() && wants_messages());
    // The next may be long in coming.
    assembler_.forget();
}

/// Behind our Close nothing is delivered past a pause. Nor is what follows, which would leave a gap.
bool Session::is_held_back(Opcode opcode) noexcept {
    if (is_control(opcode)) return false;
    if (!reading_) skips_data_ = true;
    return skips_data_;
}

void Session::show(MessageView& message) {
    const std::string_view content = message.content;
    events_.on_message(message);
    spoil(content);
}

void Session::receive_direct(std::size_t size, TimePoint now) {
    assembler_.received(size);
    receive({}, now);
}

/// No message arrives any more; what there is of one goes.
void Session::stop_messages(Half half) noexcept {
    read_ = half;
    assembler_.abandon();
}

void Session::receive_close(MessageView& message, TimePoint now) {
    close_received_ = true;
    stop_messages(Half::closing);
    ending_slot().code = message.close_status;
    ending_slot().reason = message.content;
    start_close_wait(now);
    if (close_sent_) both_closes_passed();
    show(message);
    if (write_ == Half::closed) over_ = true;
}

void Session::receive_end() {
    if (over_) return;
    end_received_ = true;
    if (phase_ == Phase::body) return deliver_response(last_received_);
    if (is_no_head(last_received_)) return;
    if (is_opening()) {
        // A connection that never said anything is a port probe, not an error.
        if (role_ == Role::server && !opening_->received_any) return set_over();
        return end_with(Errc::connection_closed, "the peer closed the connection during the opening handshake");
    }
    const bool truncated = read_ == Half::open && (in_frame_ || assembler_.in_message());
    const bool may_go_on = configuration_->allow_half_open && read_ != Half::closing && write_ == Half::open && !truncated;
    stop_messages(Half::closed);
    if (!may_go_on) end_when_flushed();
    if (truncated) events_.on_error(Errc::connection_closed, "the peer closed the connection in the middle of a message", nullptr, {});
}

void Session::set_reading(bool reading, TimePoint now) noexcept {
    if (reading && !reading_) last_received_ = now;
    reading_ = reading;
}

void Session::fail(Failure failure, TimePoint now) {
    failed_ = true;
    end_by_close(failure.code, failure.reason, now);
    events_.on_error(Errc::protocol_error, std::string("the peer broke the protocol: ") + failure.reason, nullptr, {});
}

void Session::application_failed(TimePoint now) {
    if (is_open() && !over_) end_by_close(CloseCode::internal_error, {}, now);
}

void Session::end_by_close(CloseCode code, std::string_view reason, TimePoint now) {
    stop_messages(Half::closing);
    if (write_ == Half::open) send_close(code, reason, now);
    if (write_ == Half::closed) over_ = true;
    fin_due_ = true;
    start_close_wait(now);
}

// The way out.

SendStatus Session::send(const MessageView& message, TimePoint now, const PreparedMessage* prepared) {
    if (!is_writable()) return SendStatus::closed;
    if (!prepared && !is_sound_data(message)) {
        if (auto objection = object_to(message)) {
            events_.on_error(objection->code, "a message was not sent: " + objection->what, nullptr, {});
            return SendStatus::refused;
        }
    }
    if (message.opcode == Opcode::close) {
        close_began_here_ = !close_received_;
        send_close(message.close_status, message.content, now);
    } else if (deflater_ && deflater_->wants(message)) {
        send_compressed(message, prepared);
    } else if (can_share(prepared)) {
        output_.write_shared(prepared->frames());
    } else {
        write(message.opcode, message.content);
    }
    return SendStatus::ok;
}

bool Session::can_share(const PreparedMessage* prepared) const noexcept {
    return prepared && role_ == Role::server && prepared->frame_size() == configuration_->frame_size;
}

void Session::write(Opcode opcode, std::string_view payload, unsigned rsv) {
    if (role_ == Role::server)
        write_unmasked(output_, opcode, payload, configuration_->frame_size, rsv);
    else
        write_masked(output_, entropy_, opcode, payload, configuration_->frame_size, rsv);
}

void Session::send_close(CloseCode code, std::string_view reason, TimePoint now) {
    std::array<char, max_control_payload> payload;
    write(Opcode::close, write_close_payload(payload, code, reason));
    close_sent_ = true;
    write_ = Half::closing;
    start_close_wait(now);
    if (close_received_) return both_closes_passed();
    if (read_ == Half::closed) end_when_flushed_ = true;
}

void Session::close_read() noexcept {
    if (is_opening()) return set_over();
    if (read_ == Half::closing && write_ != Half::closed) return;
    stop_messages(Half::closed);
    if (write_ != Half::open) end_when_flushed();
}

void Session::close_write() noexcept {
    if (is_opening()) return set_over();
    if (write_ == Half::closed) return;
    write_ = Half::closing;
    fin_due_ = true;
    if (read_ == Half::closed) end_when_flushed_ = true;
}

/// Nothing more is to be received that matters: what is queued still leaves, then the connection ends.
void Session::end_when_flushed() noexcept {
    if (write_ == Half::closed) return set_over();
    write_ = Half::closing;
    end_when_flushed_ = true;
}

/// A server closes the socket first; a client waits for that, unless it has happened (RFC 6455, section 7.1.1).
void Session::both_closes_passed() noexcept {
    if (role_ == Role::server || read_ == Half::closed) end_when_flushed_ = true;
}

/// While what was sent before a Close is on its way, the peer cannot answer that yet. One that broke the protocol is not waited for.
void Session::write_progress(TimePoint now) noexcept {
    stalled_since_ = TimePoint::max();
    const bool closing = wait_deadline_ != TimePoint::max() && phase_ >= Phase::open;
    if (closing && !failed_) wait_deadline_ = std::max(wait_deadline_, later(now, configuration_->close_timeout));
}

void Session::write_blocked(TimePoint now) noexcept {
    if (stalled_since_ == TimePoint::max()) stalled_since_ = now;
}

void Session::transport_failed(std::string what, Errc code, std::error_code cause) {
    // Behind the closing handshake, a failure or an answer that refuses, a peer may go as it likes.
    const bool expected = (close_sent_ && close_received_) || phase_ == Phase::refused || (ending_ && ending_->error);
    if (expected) return set_over();
    // A server that refuses may reset the connection behind its answer.
    if (phase_ == Phase::body && !over_) return deliver_response(last_received_);
    if (is_no_head(last_received_)) return;
    end_with(code, std::move(what), cause);
}

void Session::end_with(Errc code, std::string what, std::error_code cause) {
    if (over_) return;
    over_ = true;
    events_.on_error(code, std::move(what), nullptr, cause);
}

// Time.

void Session::start_close_wait(TimePoint now) noexcept {
    if (wait_deadline_ == TimePoint::max() || phase_ == Phase::refused) wait_deadline_ = later(now, configuration_->close_timeout);
}

TimePoint Session::idle_deadline() const noexcept {
    return is_readable() && reading_ && !silence_reported_ ? later(last_received_, configuration_->timeout) : TimePoint::max();
}

TimePoint Session::stall_deadline() const noexcept {
    return stalled_since_ == TimePoint::max() ? TimePoint::max() : later(stalled_since_, configuration_->timeout);
}

TimePoint Session::next_deadline() const noexcept {
    if (over_) return TimePoint::max();
    return std::min({wait_deadline_, stall_deadline(), idle_deadline()});
}

void Session::tick(TimePoint now, bool is_securing) {
    if (over_) return;
    if (now >= wait_deadline_) wait_is_over(now, is_securing);
    if (!over_ && now >= stall_deadline())
        end_with(Errc::connection_failure, "the peer took no bytes for " + seconds_text(configuration_->timeout), timed_out());
    if (!over_ && now >= idle_deadline()) {
        silence_reported_ = true;
        events_.on_error(Errc::connection_timeout, "nothing was received for " + seconds_text(configuration_->timeout), nullptr,
                         timed_out());
    }
}

/// What the opening handshake has not come by.
const char* Session::missing_step(bool is_securing) const noexcept {
    const bool is_server = role_ == Role::server;
    if (is_securing) return "TLS is not established";
    if (phase_ == Phase::deciding)
        return is_server ? "the application has not answered the HTTP request" : "the application has not accepted the HTTP response";
    return is_server ? "no whole HTTP request has come" : "no whole HTTP response has come";
}

void Session::wait_is_over(TimePoint now, bool is_securing) {
    wait_deadline_ = TimePoint::max();
    if (phase_ == Phase::body) return deliver_response(now);
    if (is_no_head(now)) return;
    if (is_opening()) {
        const std::string within = "the opening handshake was not complete within " + seconds_text(opening_->limit);
        return end_with(Errc::connection_failure, within + ": " + missing_step(is_securing), timed_out());
    }
    // What is not an answer too late, but bytes that the peer does not take, is told, unless a failure was.
    const bool is_told = failed_ || (ending_ && ending_->error);
    if (stalled_since_ != TimePoint::max() && !is_told)
        return end_with(Errc::connection_failure, "the peer took no bytes for " + seconds_text(configuration_->close_timeout), timed_out());
    const bool answered = (close_sent_ && close_received_) || fin_due_;
    if (answered) return set_over();
    const std::string within = " within " + seconds_text(configuration_->close_timeout);
    end_with(Errc::connection_failure, close_sent_ ? "no Close came in answer" + within : "the peer's Close was not answered" + within,
             timed_out());
}

// How it ended.

Disconnect& Session::ending_slot() {
    if (!ending_) ending_ = std::make_unique<Disconnect>();
    return *ending_;
}

void Session::note(const Error& error) {
    if (!ending_slot().error) ending_->error = error;
}

Disconnect Session::ending() const {
    Disconnect ending = ending_ ? *ending_ : Disconnect{};
    ending.clean = close_sent_ && close_received_ && !ending.error;
    return ending;
}

}  // namespace hawser::protocol
