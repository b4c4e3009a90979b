#include <hawser/http.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include "types/text.hpp"

namespace hawser {
namespace {

// Where the first element of a comma-separated list ends: a comma within a quoted string is part of its element
// (RFC 9110, section 5.6.4).
std::size_t end_of_element(std::string_view list) noexcept {
    bool in_quotes = false;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (list[i] == '"') in_quotes = !in_quotes;
        if (list[i] == '\\' && in_quotes) ++i;
        if (!in_quotes && list[i] == ',') return i;
    }
    return list.size();
}

auto named(std::string_view name) {
    return [name](const Header& field) { return equals_ignoring_case(field.name, name); };
}

struct Phrase {
    int status;
    std::string_view text;
};

constexpr std::array phrases = {
    Phrase{100, "Continue"},
    Phrase{101, "Switching Protocols"},
    Phrase{200, "OK"},
    Phrase{201, "Created"},
    Phrase{202, "Accepted"},
    Phrase{203, "Non-Authoritative Information"},
    Phrase{204, "No Content"},
    Phrase{205, "Reset Content"},
    Phrase{206, "Partial Content"},
    Phrase{300, "Multiple Choices"},
    Phrase{301, "Moved Permanently"},
    Phrase{302, "Found"},
    Phrase{303, "See Other"},
    Phrase{304, "Not Modified"},
    Phrase{305, "Use Proxy"},
    Phrase{307, "Temporary Redirect"},
    Phrase{308, "Permanent Redirect"},
    Phrase{400, "Bad Request"},
    Phrase{401, "Unauthorized"},
    Phrase{402, "Payment Required"},
    Phrase{403, "Forbidden"},
    Phrase{404, "Not Found"},
    Phrase{405, "Method Not Allowed"},
    Phrase{406, "Not Acceptable"},
    Phrase{407, "Proxy Authentication Required"},
    Phrase{408, "Request Timeout"},
    Phrase{409, "Conflict"},
    Phrase{410, "Gone"},
    Phrase{411, "Length Required"},
    Phrase{412, "Precondition Failed"},
    Phrase{413, "Content Too Large"},
    Phrase{414, "URI Too Long"},
    Phrase{415, "Unsupported Media Type"},
    Phrase{416, "Range Not Satisfiable"},
    Phrase{417, "Expectation Failed"},
    Phrase{421, "Misdirected Request"},
    Phrase{422, "Unprocessable Content"},
    Phrase{426, "Upgrade Required"},
    Phrase{428, "Precondition Required"},
    Phrase{429, "Too Many Requests"},
    Phrase{431, "Request Header Fields Too Large"},
    Phrase{500, "Internal Server Error"},
    Phrase{501, "Not Implemented"},
    Phrase{502, "Bad Gateway"},
    Phrase{503, "Service Unavailable"},
    Phrase{504, "Gateway Timeout"},
    Phrase{505, "HTTP Version Not Supported"},
    Phrase{511, "Network Authentication Required"},
};

}  // namespace

void Headers::add(std::string name, std::string value) { fields_.push_back({std::move(name), std::move(value)}); }

void Headers::set(std::string_view name, std::string value) {
    Header field{std::string(name), std::move(value)};
    const auto first = std::find_if(fields_.begin(), fields_.end(), named(field.name));
    if (first == fields_.end()) {
        fields_.push_back(std::move(field));
        return;
    }
    fields_.erase(std::remove_if(first + 1, fields_.end(), named(field.name)), fields_.end());
    *first = std::move(field);
}

std::size_t Headers::remove(std::string_view name) {
    // The name may be that of a field which is about to go.
    const std::string copy(name);
    return std::erase_if(fields_, named(copy));
}

std::optional<std::string_view> Headers::get(std::string_view name) const noexcept {
    const auto field = std::find_if(fields_.begin(), fields_.end(), named(name));
    if (field == fields_.end()) return std::nullopt;
    return field->value;
}

std::size_t Headers::count(std::string_view name) const noexcept {
    return static_cast<std::size_t>(std::count_if(fields_.begin(), fields_.end(), named(name)));
}

std::vector<std::string_view> Headers::list(std::string_view name) const {
    std::vector<std::string_view> elements;
    for (const Header& field : fields_) {
        if (!equals_ignoring_case(field.name, name)) continue;
        for (std::string_view rest = field.value; !rest.empty();) {
            const std::size_t end = end_of_element(rest);
            if (const std::string_view element = trim(rest.substr(0, end)); !element.empty()) elements.push_back(element);
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }
    return elements;
}

bool Headers::has_token(std::string_view name, std::string_view token) const {
    const std::vector<std::string_view> elements = list(name);
    return std::any_of(elements.begin(), elements.end(), [token](std::string_view e) { return equals_ignoring_case(e, token); });
}

std::string_view Request::path() const noexcept { return std::string_view(target).substr(0, target.find('?')); }

std::string_view Request::query() const noexcept {
    const std::size_t mark = target.find('?');
    return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

std::string_view reason_phrase(int status) noexcept {
    const auto* const phrase = std::find_if(phrases.begin(), phrases.end(), [status](const Phrase& p) { return p.status == status; });
    return phrase == phrases.end() ? std::string_view("Unknown") : phrase->text;
}

}  // namespace hawser
