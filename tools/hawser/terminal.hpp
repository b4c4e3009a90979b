#pragma once

#include <string>
#include <string_view>

#include <hawser/message.hpp>
#include <hawser/reactor.hpp>

#include "output.hpp"

namespace hawser::command {

/// As `hexdump -C` shows it: offset, 16 bytes, and the characters among them; a line for each 16 bytes.
std::string hex_dump(std::string_view bytes);
/// One line on standard error: "hawser: " and the sentence.
void print_error(std::string_view sentence);
/// "1.23 ms".
std::string milliseconds(TimePoint since);

/// What the user sees: data on standard output, everything else on standard error. When a person sits in front of
/// both standard input and output there is a prompt, which is kept below what is printed.
class Terminal {
public:
    /// With `raw`, content is written as it is, without line ends and dumps.
    Terminal(Reactor& reactor, bool raw) : output_(reactor), raw_(raw) {}

    Output& output() noexcept { return output_; }
    /// A text as a line, a binary message as a hex dump.
    void show(const MessageView& message);
    void note(std::string_view line);
    /// Shows the prompt from here on, if a person is there. Returns whether one is.
    bool start_prompt();
    /// The user has ended the prompt's line.
    void renew_prompt();
    void end_prompt();

private:
    void print(std::string text);
    std::string clear_line() const;

    Output output_;
    std::string prompt_{};
    bool raw_;
};

}  // namespace hawser::command
