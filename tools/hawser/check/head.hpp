#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hawser::check {

/// The head of an HTTP request or response, right or wrong.
struct Head {
    struct Field {
        std::string name;
        std::string value;
    };

    std::string first_line{};
    std::vector<Field> fields{};

    /// With the empty line.
    std::string str() const;
    /// The first field of that name, or empty; names are compared without case.
    std::string get(std::string_view name) const;
    std::size_t count(std::string_view name) const;
    /// Whether the comma-separated list of that name has this token, compared without case.
    bool has_token(std::string_view name, std::string_view token) const;
    void set(std::string_view name, std::string value);
    void remove(std::string_view name);
    /// Of a response; 0 if there is none.
    int status() const;

    /// Reads what ends with an empty line; nothing if a line makes no sense.
    static std::optional<Head> parse(std::string_view text);
};

std::string lower(std::string_view text);
std::string trim(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);

std::string to_base64(std::string_view bytes);
/// Nothing if it is not base64.
std::optional<std::string> from_base64(const std::string& text);
/// Sec-WebSocket-Accept for a key (RFC 6455, section 4.2.2).
std::string accept_for(const std::string& key);

}  // namespace hawser::check
