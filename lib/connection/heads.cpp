#include "connection/heads.hpp"

#include <charconv>
#include <utility>

namespace hawser::connection {

namespace {

/// HTTP has no NUL in any of them.
constexpr char terminator = '\0';

void put(std::string& packed, std::string_view text) { packed.append(text).push_back(terminator); }

void put(std::string& packed, const Headers& headers) {
    for (const Header& field : headers) {
        put(packed, field.name);
        put(packed, field.value);
    }
    // No name is empty.
    put(packed, "");
}

std::string take(std::string_view& packed) {
    const std::size_t size = packed.find(terminator);
    std::string text(packed.substr(0, size));
    packed.remove_prefix(size + 1);
    return text;
}

Headers take_headers(std::string_view& packed) {
    Headers headers;
    for (std::string name = take(packed); !name.empty(); name = take(packed)) headers.add(std::move(name), take(packed));
    return headers;
}

}  // namespace

std::string pack(const Heads& heads) {
    std::string packed;
    put(packed, heads.request.method);
    put(packed, heads.request.target);
    put(packed, heads.request.headers);
    put(packed, std::to_string(heads.response.status));
    put(packed, heads.response.reason);
    put(packed, heads.response.headers);
    packed.shrink_to_fit();
    return packed;
}

Heads unpack(std::string_view packed) {
    Heads heads;
    heads.request.method = take(packed);
    heads.request.target = take(packed);
    heads.request.headers = take_headers(packed);
    const std::string status = take(packed);
    std::from_chars(status.data(), status.data() + status.size(), heads.response.status);
    heads.response.reason = take(packed);
    heads.response.headers = take_headers(packed);
    return heads;
}

}  // namespace hawser::connection
