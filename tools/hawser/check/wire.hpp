#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <hawser/reactor.hpp>

namespace hawser::check {

/// What is not printable ASCII as dots.
std::string printable(std::string_view bytes);

/// What passed on a connection, a line each, with the time since its beginning.
class Wire {
public:
    void begin(TimePoint now) { begin_ = now; }
    void sent(std::string_view bytes) { note_bytes("sent", bytes); }
    void received(std::string_view bytes) { note_bytes("received", bytes); }
    void note(const std::string& what);
    const std::vector<std::string>& lines() const noexcept { return lines_; }

private:
    void note_bytes(const char* verb, std::string_view bytes);

    TimePoint begin_{};
    std::vector<std::string> lines_{};
};

}  // namespace hawser::check
