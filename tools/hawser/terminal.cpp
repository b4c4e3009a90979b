#include "terminal.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "format.hpp"

namespace hawser::command {

namespace {

void append_hex(std::string& out, char c) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto value = static_cast<unsigned char>(c);
    out += digits[value >> 4];
    out += digits[value & 15];
}

void append_dump_line(std::string& out, std::size_t offset, std::string_view bytes) {
    out += formatted("%08zx ", offset);
    for (std::size_t i = 0; i < 16; ++i) {
        out += i % 8 == 0 ? "  " : " ";
        if (i < bytes.size())
            append_hex(out, bytes[i]);
        else
            out += "  ";
    }
    out += "  |";
    for (const char c : bytes) out += c >= 0x20 && c < 0x7F ? c : '.';
    out += "|\n";
}

void write_error(std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
        if (written < 0 && errno != EINTR) return;
        text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
    }
}

}  // namespace

std::string hex_dump(std::string_view bytes) {
    std::string out;
    // An empty message shows too.
    std::size_t offset = 0;
    do {
        append_dump_line(out, offset, bytes.substr(offset, 16));
        offset += 16;
    } while (offset < bytes.size());
    return out;
}

void print_error(std::string_view sentence) { write_error("hawser: " + escaped(sentence, "\t") + "\n"); }

std::string milliseconds(TimePoint since) {
    const std::chrono::duration<double, std::milli> passed = std::chrono::steady_clock::now() - since;
    return formatted("%.2f ms", passed.count());
}

void Terminal::show(const MessageView& message) {
    if (raw_) return output_.write(message.content);
    if (message.opcode == Opcode::binary) return print(hex_dump(message.content));
    print((isatty(STDOUT_FILENO) ? escaped(message.content, "\t\n") : std::string(message.content)) + "\n");
}

void Terminal::note(std::string_view line) {
    write_error(clear_line() + escaped(line, "\t") + "\n");
    renew_prompt();
}

bool Terminal::start_prompt() {
    if (raw_ || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) return false;
    prompt_ = "> ";
    renew_prompt();
    return true;
}

void Terminal::renew_prompt() {
    if (!prompt_.empty()) output_.write(prompt_);
}

void Terminal::end_prompt() {
    if (!prompt_.empty()) output_.write(clear_line());
    prompt_.clear();
}

void Terminal::print(std::string text) { output_.write(clear_line() + std::move(text) + prompt_); }

/// Begins the prompt's line anew: carriage return, and "erase in line" of ECMA-48.
std::string Terminal::clear_line() const { return prompt_.empty() ? "" : "\r\x1b[K"; }

}  // namespace hawser::command
