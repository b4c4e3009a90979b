#include "protocol/http_body.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "protocol/http_parser.hpp"
#include "types/text.hpp"

namespace hawser::protocol {

namespace {

/// Nothing when it is invalid; one that is too large for a size is as good as the largest (RFC 9110, section 8.6).
std::optional<std::size_t> content_length(const Headers& headers) {
    const auto values = headers.list("Content-Length");
    if (values.empty() || std::any_of(values.begin(), values.end(), [&](std::string_view value) { return value != values.front(); }))
        return std::nullopt;
    const std::string_view digits = values.front();
    if (!std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
    std::size_t length = SIZE_MAX - 1;
    std::from_chars(digits.data(), digits.data() + digits.size(), length);
    return std::min<std::size_t>(length, SIZE_MAX - 1);
}

}  // namespace

HttpBody::HttpBody(const Response& head, std::size_t max_size, std::size_t max_framing) : room_(max_size), max_framing_(max_framing) {
    if (!may_have_body(head.status)) return;
    if (head.headers.has("Transfer-Encoding")) {
        const auto codings = head.headers.list("Transfer-Encoding");
        is_chunked_ = !codings.empty() && equals_ignoring_case(codings.back(), "chunked");
        if (is_chunked_)
            state_ = State::chunk_size_begin;
        else
            begin(unbounded);
    } else if (head.headers.has("Content-Length")) {
        // Where the message ends cannot be told from an invalid one: nothing is waited for.
        begin(content_length(head.headers).value_or(0));
    } else {
        begin(unbounded);
    }
}

void HttpBody::feed(std::string_view bytes, std::string& content) {
    while (!bytes.empty() && state_ != State::complete) {
        if (state_ == State::content) {
            take_content(bytes, content);
        } else {
            take_framing(bytes.front());
            bytes.remove_prefix(1);
        }
    }
}

void HttpBody::begin(std::size_t size) noexcept {
    size_ = size;
    state_ = size_ == 0 ? State::complete : State::content;
}

void HttpBody::take_content(std::string_view& bytes, std::string& content) {
    const std::size_t taken = std::min({bytes.size(), size_, room_});
    content.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    room_ -= taken;
    if (size_ != unbounded) size_ -= taken;
    if (size_ == 0 && is_chunked_) state_ = State::chunk_end_first;
    if (room_ == 0 || (size_ == 0 && !is_chunked_)) state_ = State::complete;
}

void HttpBody::take_framing(char byte) {
    if (max_framing_-- == 0) {
        state_ = State::complete;
        return;
    }
    switch (state_) {
        case State::chunk_size_begin:
        case State::chunk_size: return take_chunk_size(byte);
        case State::chunk_extension:
            if (byte == '\r') state_ = State::chunk_size_end;
            if (byte == '\n') state_ = State::complete;
            return;
        case State::chunk_size_end: return expect(byte, '\n', size_ == 0 ? State::trailer_begin : State::content);
        case State::chunk_end_first: return expect(byte, '\r', State::chunk_end);
        case State::chunk_end: return expect(byte, '\n', State::chunk_size_begin);
        case State::trailer_begin: state_ = byte == '\r' ? State::complete : State::trailer; return;
        case State::trailer:
            if (byte == '\r') state_ = State::trailer_end;
            return;
        case State::trailer_end: return expect(byte, '\n', State::trailer_begin);
        case State::content:
        case State::complete: return;
    }
}

void HttpBody::take_chunk_size(char byte) {
    const bool begins = state_ == State::chunk_size_begin;
    if (begins) size_ = 0;
    if (is_hex_digit(byte)) {
        const int digit = is_digit(byte) ? byte - '0' : lower(byte) - 'a' + 10;
        // What is beyond the bound need not be told apart.
        size_ = std::min(size_, room_) * 16 + static_cast<std::size_t>(digit);
        state_ = State::chunk_size;
    } else if (begins) {
        state_ = State::complete;
    } else if (byte == '\r') {
        state_ = State::chunk_size_end;
    } else {
        state_ = byte == ';' || byte == ' ' || byte == '\t' ? State::chunk_extension : State::complete;
    }
}

}  // namespace hawser::protocol
