#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <hawser/configuration.hpp>
#include <hawser/http.hpp>

#include "types/text.hpp"

namespace hawser::protocol {

/// Why a head was refused: the status a server answers with, and a sentence that says what is wrong.
struct HttpFailure {
    int status = 400;
    std::string reason{};
};

/// Collects and parses the head of one HTTP/1.x message, strictly (RFC 9112): CR LF only, no obs-fold, no NUL or
/// other control character, token names, no space before the colon, an authority that is host and port. Incremental: every byte is looked
/// at a bounded number of times, however they are split. Bounded by `max_head_size` and `max_header_count`, over which a request is refused
/// with 431. Fails as early as it can; of a response that is no HTTP but text it collects the beginning first, to tell it.
class HttpParser {
public:
    enum class Kind { request, response };
    enum class Status { incomplete, complete, failed };

    HttpParser(Kind kind, const Configuration& limits);

    /// Takes bytes of the head; `consumed` tells how many: all, unless the head ends, or fails, at the last of them.
    Status feed(std::string_view bytes, std::size_t& consumed);
    /// No more bytes come. Fails when those that came begin no HTTP message but something else.
    Status end();

    /// The parsed head, when complete.
    Request& request() noexcept { return request_; }
    Response& response() noexcept { return response_; }
    /// The x of its version HTTP/1.x, when complete.
    int minor_version() const noexcept { return minor_version_; }
    /// What is wrong, when failed.
    const HttpFailure& failure() const noexcept { return failure_; }

private:
    /// What the next byte belongs to.
    enum class State : unsigned char {
        first,
        blank_line,
        method,
        target,
        version,
        other,
        status_code,
        reason,
        field_start,
        name,
        value,
        line_end,
        head_end
    };

    void take(char byte);
    void take_first(char byte);
    void take_method(char byte);
    void take_target(char byte);
    void take_version(char byte);
    void take_other(char byte);
    void take_status_code(char byte);
    void take_reason(char byte);
    void take_field_start(char byte);
    void take_name(char byte);
    void take_value(char byte);
    void take_line_feed(char byte, State next);
    void end_target();
    void end_head();
    void fail(int status, std::string reason);
    void refuse(char byte, std::string_view where);

    Headers& headers() noexcept { return kind_ == Kind::request ? request_.headers : response_.headers; }

    Request request_;
    Response response_;
    HttpFailure failure_;
    std::string text_;       // what has been collected of the present element
    std::string name_;       // of the field whose value is being collected
    std::string authority_;  // of a target in absolute form
    std::size_t max_head_size_;
    std::size_t max_header_count_;
    std::size_t size_ = 0;
    int minor_version_ = 1;
    Kind kind_;
    Status status_ = Status::incomplete;
    State state_ = State::first;
};

/// Whether a response of this status has content (RFC 9110, section 6.4.1).
bool may_have_body(int status) noexcept;

/// The bytes of a head, fields in their order. A response without a reason phrase gets the standard one, its body goes
/// behind the head, and where a body may be, Content-Length tells its size unless a field does so already.
/// Throws `Errc::invalid_option` for whatever HTTP does not allow: nothing in a request or response can add a line.
std::string format_request(const Request& request);
std::string format_response(const Response& response, bool is_of_head = false);

}  // namespace hawser::protocol
