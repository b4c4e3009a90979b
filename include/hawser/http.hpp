#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/export.hpp>

namespace hawser {

/// One header field: a name as it was written, and its value without surrounding white space.
struct Header {
    /// As it was written.
    std::string name;
    /// Without white space around it.
    std::string value;
};

/// Header fields in the order in which they were sent or received. Names are compared without case
/// (RFC 9110, section 5.1).
class HAWSER_API Headers {
public:
    /// Without a field.
    Headers() = default;
    /// With these fields, in this order.
    Headers(std::initializer_list<Header> fields) : fields_(fields) {}

    /// Appends a field, even if the name is there already.
    void add(std::string name, std::string value);
    /// Replaces all fields of this name by one.
    void set(std::string_view name, std::string value);
    /// Removes all fields of this name; returns how many there were.
    std::size_t remove(std::string_view name);
    /// The value of the first field of this name. The view dies with the next change.
    std::optional<std::string_view> get(std::string_view name) const noexcept;
    /// Whether there is a field of this name.
    bool has(std::string_view name) const noexcept { return get(name).has_value(); }
    /// How many fields have this name.
    std::size_t count(std::string_view name) const noexcept;
    /// The elements of a comma-separated list, over all fields of this name, trimmed, empty ones left out
    /// (RFC 9110, section 5.6.1).
    std::vector<std::string_view> list(std::string_view name) const;
    /// Whether the list of that name has this token, compared without case.
    bool has_token(std::string_view name, std::string_view token) const;

    /// How many fields there are, names that repeat included.
    std::size_t size() const noexcept { return fields_.size(); }
    /// Whether there is none.
    bool empty() const noexcept { return fields_.empty(); }
    /// The first field; iterators die with the next change.
    auto begin() const noexcept { return fields_.begin(); }
    /// Behind the last field.
    auto end() const noexcept { return fields_.end(); }

private:
    std::vector<Header> fields_;
};

/// The head of a request of HTTP/1.1, or HTTP/1.0. A WebSocket opening handshake has no body.
struct HAWSER_API Request {
    /// As sent, in capitals.
    std::string method = "GET";
    /// Origin form: path and query, as sent; or the "*" of OPTIONS.
    std::string target = "/";
    /// Its fields.
    Headers headers{};

    /// The target up to its "?".
    std::string_view path() const noexcept;
    /// The target behind its "?", or empty.
    std::string_view query() const noexcept;
};

/// A response of HTTP/1.1, or HTTP/1.0. Of a refused handshake the client keeps the first KiB of the body, without the framing of chunks.
struct HAWSER_API Response {
    /// Status code, 100 to 599.
    int status = 200;
    /// Reason phrase; when empty, the standard one for the status is sent.
    std::string reason{};
    /// Its fields. Content-Length is added when it is sent.
    Headers headers{};
    /// What follows the head.
    std::string body{};
};

/// The standard reason phrase of a status code (RFC 9110, section 15, and RFC 6585), or "Unknown".
HAWSER_API std::string_view reason_phrase(int status) noexcept;

}  // namespace hawser
