#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include <hawser/reactor.hpp>

namespace hawser::command {

/// Standard output, written without ever waiting for its reader: what that does not take is kept.
class Output {
public:
    explicit Output(Reactor& reactor) : reactor_(reactor) {}
    ~Output();
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    void write(std::string_view bytes);
    /// So much is kept that no more should come until on_drain.
    bool is_full() const noexcept;
    /// Waits for the reader to take the rest. For the end, when nothing else is left to do.
    void finish();

    /// Everything that was kept is written.
    std::function<void()> on_drain{};
    /// The reader has gone; all further output is discarded. Any other failure is thrown from write() or the reactor.
    std::function<void()> on_broken{};

private:
    void flush(bool wait);
    bool is_ready(bool wait) const;
    void failed(int error);
    void watch();

    Reactor& reactor_;
    std::string kept_{};
    std::size_t written_ = 0;
    bool attached_ = false;
    bool broken_ = false;
};

/// Writes all of a text to standard output, and waits for its reader.
void print_out(Reactor& reactor, std::string_view text);

}  // namespace hawser::command
