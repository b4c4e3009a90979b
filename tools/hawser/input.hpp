#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/reactor.hpp>

namespace hawser::command {

/// Standard input, read when there is something to read.
class Input {
public:
    enum class Pieces {
        lines,   ///< each line without its end; the last one may lack that
        chunks,  ///< what each read gives
    };

    /// A line beyond `longest` bytes is an error, thrown from the reactor.
    Input(Reactor& reactor, Pieces pieces, std::size_t longest) : reactor_(reactor), pieces_(pieces), longest_(longest) {}
    ~Input() { pause(); }
    Input(const Input&) = delete;
    Input& operator=(const Input&) = delete;

    /// Starts, or goes on after pause(). Without effect behind the end.
    void resume();
    /// Reads no more; the rest of what was read already may still come.
    void pause() noexcept;
    /// Reads no more, for good.
    void stop() noexcept;

    std::function<void(std::string_view)> on_piece{};
    std::function<void()> on_end{};

private:
    void read();
    void take_lines(std::string_view bytes);
    void check_length() const;

    Reactor& reactor_;
    Pieces pieces_;
    std::size_t longest_;
    std::vector<char> buffer_ = std::vector<char>(64 * 1024);
    std::string line_{};
    bool attached_ = false;
    bool over_ = false;
};

}  // namespace hawser::command
