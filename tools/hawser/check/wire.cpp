#include "wire.hpp"

#include "../format.hpp"

namespace hawser::check {

namespace {

constexpr std::size_t shown_bytes = 48;
constexpr std::size_t shown_head = 600;
// Of a long exchange its beginning and its end are kept.
constexpr std::ptrdiff_t first_lines = 40;
constexpr std::size_t most_lines = 80;

bool is_head(std::string_view bytes) { return bytes.starts_with("GET ") || bytes.starts_with("HTTP/"); }

std::string hex_digits(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) out += command::formatted(" %02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    return out;
}

/// A head in one line of ASCII.
std::string line_of(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) out += c == '\r' ? "\\r" : c == '\n' ? "\\n" : printable(std::string_view(&c, 1));
    return out;
}

}  // namespace

std::string printable(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) out += c >= ' ' && c < 0x7F ? c : '.';
    return out;
}

void Wire::note(const std::string& what) {
    if (lines_.size() == most_lines) {
        lines_.erase(lines_.begin() + first_lines);
        lines_[first_lines] = "(and more)";
    }
    const std::chrono::duration<double, std::milli> passed = std::chrono::steady_clock::now() - begin_;
    lines_.push_back(command::formatted("%9.1f ms  ", passed.count()) + what);
}

void Wire::note_bytes(const char* verb, std::string_view bytes) {
    const bool head = is_head(bytes);
    const std::string_view shown = bytes.substr(0, head ? shown_head : shown_bytes);
    const std::string content = head ? " " + line_of(shown) : hex_digits(shown) + "  |" + printable(shown) + "|";
    note(std::string(verb) + " " + std::to_string(bytes.size()) + ":" + content + (shown.size() < bytes.size() ? " ..." : ""));
}

}  // namespace hawser::check
