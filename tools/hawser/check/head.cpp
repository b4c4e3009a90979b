#include "head.hpp"

#include <algorithm>
#include <charconv>

#include <mbedtls/base64.h>
#include <mbedtls/md.h>

namespace hawser::check {

namespace {

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

bool is_token_character(char c) { return c > ' ' && c < 0x7F && std::string_view("()<>@,;:\\\"/[]?={}").find(c) == std::string_view::npos; }

}  // namespace

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

std::string trim(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return std::string(text.substr(begin, text.find_last_not_of(" \t") - begin + 1));
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    while (true) {
        const std::size_t end = text.find(separator);
        parts.push_back(trim(text.substr(0, end)));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::string Head::str() const {
    std::string out = first_line + "\r\n";
    for (const Field& field : fields) out += field.name + ": " + field.value + "\r\n";
    return out + "\r\n";
}

std::string Head::get(std::string_view name) const {
    for (const Field& field : fields)
        if (lower(field.name) == lower(name)) return field.value;
    return {};
}

std::size_t Head::count(std::string_view name) const {
    return static_cast<std::size_t>(
        std::count_if(fields.begin(), fields.end(), [&](const Field& field) { return lower(field.name) == lower(name); }));
}

bool Head::has_token(std::string_view name, std::string_view token) const {
    for (const Field& field : fields) {
        if (lower(field.name) != lower(name)) continue;
        const auto tokens = split(lower(field.value), ',');
        if (std::find(tokens.begin(), tokens.end(), lower(token)) != tokens.end()) return true;
    }
    return false;
}

void Head::set(std::string_view name, std::string value) {
    for (Field& field : fields) {
        if (lower(field.name) != lower(name)) continue;
        field.value = std::move(value);
        return;
    }
    fields.push_back({std::string(name), std::move(value)});
}

void Head::remove(std::string_view name) {
    std::erase_if(fields, [&](const Field& field) { return lower(field.name) == lower(name); });
}

int Head::status() const {
    constexpr std::size_t at = std::string_view("HTTP/1.1 ").size();
    int status = 0;
    if (first_line.size() >= at) std::from_chars(first_line.data() + at, first_line.data() + first_line.size(), status);
    return status;
}

std::optional<Head> Head::parse(std::string_view text) {
    Head head;
    while (!text.empty()) {
        const std::size_t end = text.find("\r\n");
        if (end == std::string_view::npos) return std::nullopt;
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 2);
        if (line.empty()) return text.empty() && !head.first_line.empty() ? std::optional(head) : std::nullopt;
        if (head.first_line.empty()) {
            head.first_line = line;
            continue;
        }
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || colon == 0) return std::nullopt;
        const std::string_view name = line.substr(0, colon);
        if (!std::all_of(name.begin(), name.end(), is_token_character)) return std::nullopt;
        head.fields.push_back({std::string(name), trim(line.substr(colon + 1))});
    }
    return std::nullopt;
}

std::string to_base64(std::string_view bytes) {
    std::size_t size = 0;
    std::string out(4 * (bytes.size() / 3 + 1) + 1, '\0');
    mbedtls_base64_encode(reinterpret_cast<unsigned char*>(out.data()), out.size(), &size, bytes_of(bytes), bytes.size());
    out.resize(size);
    return out;
}

std::optional<std::string> from_base64(const std::string& text) {
    std::size_t size = 0;
    std::string out(text.size() + 1, '\0');
    if (mbedtls_base64_decode(reinterpret_cast<unsigned char*>(out.data()), out.size(), &size, bytes_of(text), text.size()) != 0)
        return std::nullopt;
    out.resize(size);
    return out;
}

std::string accept_for(const std::string& key) {
    const std::string input = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::string digest(20, '\0');
    mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA1), bytes_of(input), input.size(), reinterpret_cast<unsigned char*>(digest.data()));
    return to_base64(digest);
}

}  // namespace hawser::check
