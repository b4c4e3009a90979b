#include "protocol/http_parser.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <hawser/error.hpp>

#include "types/host.hpp"
#include "types/text.hpp"

namespace hawser::protocol {

namespace {

constexpr std::string_view http_version = "HTTP/1.1";
/// What every version begins with.
constexpr std::size_t protocol_size = 5;
/// So much is told of what is no HTTP.
constexpr std::size_t max_beginning = 64;

constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }
/// Of a field value or a reason phrase (RFC 9110, section 5.5).
constexpr bool is_text(char c) noexcept { return c == '\t' || !is_control_character(c); }
/// Visible ASCII, as browsers send more than RFC 3986 allows; but a fragment is never sent (RFC 6455, section 3).
constexpr bool is_target(char c) noexcept { return c > 0x20 && c < 0x7F && c != '#'; }
bool is_of_token(char c) noexcept { return is_token({&c, 1}); }

std::string hex(char byte) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const auto value = static_cast<unsigned char>(byte);
    return {'0', 'x', digits[value >> 4], digits[value & 15]};
}

/// The size of a leading "scheme://" of one of the schemes a target in absolute form may have here, or 0.
std::size_t scheme_size(std::string_view target) noexcept {
    constexpr std::array<std::string_view, 4> prefixes = {"ws://", "wss://", "http://", "https://"};
    for (const std::string_view prefix : prefixes)
        if (equals_ignoring_case(target.substr(0, prefix.size()), prefix)) return prefix.size();
    return 0;
}

}  // namespace

HttpParser::HttpParser(Kind kind, const Configuration& limits)
    : max_head_size_(limits.max_head_size), max_header_count_(limits.max_header_count), kind_(kind) {}

HttpParser::Status HttpParser::feed(std::string_view bytes, std::size_t& consumed) {
    consumed = 0;
    while (status_ == Status::incomplete && consumed < bytes.size()) {
        take(bytes[consumed++]);
        if (++size_ >= max_head_size_ && status_ == Status::incomplete)
            fail(431, "the head is longer than " + std::to_string(max_head_size_) + " bytes (max_head_size)");
    }
    return status_;
}

void HttpParser::take(char byte) {
    switch (state_) {
        case State::first: return take_first(byte);
        case State::blank_line: return take_line_feed(byte, State::method);
        case State::method: return take_method(byte);
        case State::target: return take_target(byte);
        case State::version: return take_version(byte);
        case State::other: return take_other(byte);
        case State::status_code: return take_status_code(byte);
        case State::reason: return take_reason(byte);
        case State::field_start: return take_field_start(byte);
        case State::name: return take_name(byte);
        case State::value: return take_value(byte);
        case State::line_end: return take_line_feed(byte, State::field_start);
        case State::head_end:
            take_line_feed(byte, State::head_end);
            if (status_ == Status::incomplete) end_head();
            return;
    }
}

void HttpParser::take_first(char byte) {
    // The types of a TLS record that begins a handshake or ends it with an alert (RFC 8446, section 5.1).
    if (byte == 0x16 || byte == 0x15)
        return fail(400, "the first byte looks like TLS, but this side speaks plain HTTP: use wss on both sides or ws on both");
    if (kind_ == Kind::response) {
        state_ = State::version;
        return take_version(byte);
    }
    // One empty line is ignored (RFC 9112, section 2.2).
    if (byte == '\r') {
        state_ = State::blank_line;
        return;
    }
    state_ = State::method;
    take_method(byte);
}

void HttpParser::take_method(char byte) {
    if (is_of_token(byte)) {
        text_ += byte;
    } else if (byte == ' ' && !text_.empty()) {
        request_.method = std::exchange(text_, {});
        state_ = State::target;
    } else {
        refuse(byte, "the request's method");
    }
}

void HttpParser::take_target(char byte) {
    const bool may_begin = byte == '/' || is_alpha(byte) || (byte == '*' && request_.method == "OPTIONS");
    if (text_.empty() && !may_begin) return refuse(byte, "the beginning of the request target");
    if (is_target(byte)) {
        text_ += byte;
    } else if (byte != ' ') {
        refuse(byte, "the request target");
    } else {
        state_ = State::version;
        end_target();
    }
}

/// Takes origin form, and asterisk form where the method is OPTIONS; turns absolute form into origin form (RFC 9112, section 3.2).
void HttpParser::end_target() {
    request_.target = std::exchange(text_, {});
    if (request_.target.front() == '/' || request_.target == "*") return;
    const std::size_t scheme = scheme_size(request_.target);
    if (scheme == 0) return fail(400, "the request target is neither a path nor an http or ws URI");
    const std::size_t path = std::min(request_.target.find_first_of("/?", scheme), request_.target.size());
    authority_ = request_.target.substr(scheme, path - scheme);
    request_.target.erase(0, path);
    if (!request_.target.starts_with('/')) request_.target.insert(0, 1, '/');
    if (!is_host_and_port(authority_)) fail(400, "the request target names " + cited(authority_) + ", which is no host and port");
}

void HttpParser::take_version(char byte) {
    const std::size_t at = text_.size();
    if (at < http_version.size()) {
        const bool fits = at == 5 || at == 7 ? is_digit(byte) : byte == http_version[at];
        if (!fits && at < protocol_size && kind_ == Kind::response) return take_other(byte);
        if (!fits) return refuse(byte, "the HTTP version");
        text_ += byte;
        // Minor versions are told by the same messages (RFC 9110, section 2.5).
        if (at + 1 == http_version.size() && text_[5] != http_version[5])
            fail(505, text_ + " is not spoken here, but " + std::string(http_version));
        return;
    }
    if (byte != (kind_ == Kind::request ? '\r' : ' ')) return refuse(byte, "the HTTP version");
    minor_version_ = text_.back() - '0';
    text_.clear();
    state_ = kind_ == Kind::request ? State::line_end : State::status_code;
}

/// The beginning of what is no HTTP, in text, is collected: it tells what answers there.
void HttpParser::take_other(char byte) {
    const bool is_printable = byte >= ' ' && byte < 0x7F;
    if (!is_printable && text_.empty()) return refuse(byte, "the HTTP version");
    state_ = State::other;
    if (is_printable) text_ += byte;
    if (!is_printable || text_.size() == max_beginning) end();
}

HttpParser::Status HttpParser::end() {
    if (status_ == Status::incomplete && state_ == State::other)
        fail(400, "it begins with " + cited(text_) + ", so another service answers there: are host and port right?");
    return status_;
}

void HttpParser::take_status_code(char byte) {
    if (text_.size() < 3) {
        if (!is_digit(byte) || (text_.empty() && byte == '0')) return refuse(byte, "the status code");
        text_ += byte;
        response_.status = (text_.size() == 1 ? 0 : response_.status * 10) + (byte - '0');
        return;
    }
    // A missing space is forgiven where there is no reason phrase either: some servers leave out both.
    if (byte != ' ' && byte != '\r') return refuse(byte, "the status code");
    text_.clear();
    state_ = byte == ' ' ? State::reason : State::line_end;
}

void HttpParser::take_reason(char byte) {
    if (is_text(byte)) {
        text_ += byte;
    } else if (byte == '\r') {
        response_.reason = std::exchange(text_, {});
        state_ = State::line_end;
    } else {
        refuse(byte, "the reason phrase");
    }
}

void HttpParser::take_field_start(char byte) {
    if (byte == '\r') {
        state_ = State::head_end;
    } else if (is_blank(byte)) {
        fail(400, "a header line begins with white space: folded lines are obsolete (RFC 9112, section 5.2)");
    } else if (headers().size() == max_header_count_ && is_of_token(byte)) {
        fail(431, "there are more than " + std::to_string(max_header_count_) + " header fields (max_header_count)");
    } else {
        state_ = State::name;
        take_name(byte);
    }
}

void HttpParser::take_name(char byte) {
    if (is_of_token(byte)) {
        text_ += byte;
    } else if (byte == ':' && !text_.empty()) {
        name_ = text_;
        text_.clear();
        state_ = State::value;
    } else {
        refuse(byte, "the name of a header field");
    }
}

void HttpParser::take_value(char byte) {
    if (is_text(byte)) {
        text_ += byte;
    } else if (byte == '\r') {
        headers().add(std::move(name_), std::string(trim(text_)));
        text_.clear();
        state_ = State::line_end;
    } else {
        refuse(byte, "the header field " + name_);
    }
}

void HttpParser::take_line_feed(char byte, State next) {
    if (byte != '\n') return fail(400, "a CR is followed by " + hex(byte) + " instead of LF");
    state_ = next;
}

void HttpParser::end_head() {
    // The host of an absolute form replaces the Host field (RFC 9112, section 3.2.2), which HTTP/1.0 does without; that a field is
    // missing, there twice or wrong is for the handshake to say.
    const std::size_t hosts = request_.headers.count("Host");
    const bool is_replaced = hosts == 1 ? is_host_field(*request_.headers.get("Host")) : hosts == 0 && minor_version_ == 0;
    if (!authority_.empty() && is_replaced) request_.headers.set("Host", std::move(authority_));
    status_ = Status::complete;
}

void HttpParser::fail(int status, std::string reason) {
    failure_ = {status, std::move(reason)};
    status_ = Status::failed;
}

void HttpParser::refuse(char byte, std::string_view where) {
    std::string reason = (byte == '\n' ? "a line ends with LF alone in " : "there is an illegal byte, " + hex(byte) + ", in ");
    fail(400, reason.append(where));
}

namespace {

[[noreturn]] void refuse_to_send(const std::string& what) { throw Error(Errc::invalid_option, what); }

void append_fields(std::string& head, const Headers& headers) {
    for (const Header& field : headers) {
        if (!is_token(field.name)) refuse_to_send("the header field " + cited(field.name) + " cannot be sent: its name is not a token");
        if (const std::string_view fault = field_value_fault(field.value); !fault.empty())
            refuse_to_send("the header field " + field.name + " cannot be sent: its value " + std::string(fault));
        head.append(field.name).append(": ").append(field.value).append("\r\n");
    }
}

/// That what a response says of its body is what is sent (RFC 9112, section 6): it leaves in one piece. Where no body is sent, to HEAD and
/// with 304, a length is that of what there would be (RFC 9110, section 8.6).
void check_framing(const Response& response, bool is_of_head) {
    const auto refuse = [&](const std::string& why) {
        refuse_to_send("the response " + std::to_string(response.status) + " cannot be sent: " + why);
    };
    const bool has_none = !may_have_body(response.status);
    if (!response.body.empty() && (has_none || response.status == 205)) refuse("it has a body, which this status forbids");
    if (response.headers.has("Transfer-Encoding")) refuse("it has a Transfer-Encoding, but its body is sent as it is");
    const auto length = response.headers.get("Content-Length");
    if (!length) return;
    if (has_none && response.status != 304) refuse("it has a Content-Length, which this status forbids");
    if (response.headers.count("Content-Length") > 1) refuse("it has more than one Content-Length");
    const bool is_number = !length->empty() && std::all_of(length->begin(), length->end(), is_digit);
    const bool is_free = (is_of_head && response.body.empty()) || response.status == 304;
    const std::string_view value = length->substr(std::min(length->find_first_not_of('0'), length->size() - is_number));
    if (!is_number || (!is_free && value != std::to_string(response.body.size())))
        refuse("its Content-Length is " + cited(*length) + ", but its body has " + std::to_string(response.body.size()) + " bytes");
}

}  // namespace

bool may_have_body(int status) noexcept { return status >= 200 && status != 204 && status != 304; }

std::string format_request(const Request& request) {
    if (!is_token(request.method)) refuse_to_send("a request cannot be sent: its method is not a token (RFC 9110, section 9.1)");
    if (!request.target.starts_with('/') || !std::all_of(request.target.begin(), request.target.end(), is_target))
        refuse_to_send("a request cannot be sent: its target is not a path of visible ASCII; encode other characters with %");
    std::string head;
    head.append(request.method).append(" ").append(request.target).append(" ").append(http_version).append("\r\n");
    append_fields(head, request.headers);
    return head.append("\r\n");
}

std::string format_response(const Response& response, bool is_of_head) {
    const std::string status = std::to_string(response.status);
    const std::string_view reason = response.reason.empty() ? reason_phrase(response.status) : response.reason;
    if (response.status < 100 || response.status > 999)
        refuse_to_send("a response cannot be sent: its status " + status + " does not have 3 digits");
    if (const std::string_view fault = field_value_fault(reason); !fault.empty())
        refuse_to_send("the response " + status + " cannot be sent: its reason phrase " + std::string(fault));
    check_framing(response, is_of_head);
    std::string head;
    head.append(http_version).append(" ").append(status).append(" ").append(reason).append("\r\n");
    append_fields(head, response.headers);
    if (may_have_body(response.status) && !response.headers.has("Content-Length"))
        head.append("Content-Length: ").append(std::to_string(response.body.size())).append("\r\n");
    return head.append("\r\n").append(response.body);
}

}  // namespace hawser::protocol
