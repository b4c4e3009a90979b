#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>

#include <hawser/message.hpp>

#include "../options.hpp"

namespace hawser::bench {

enum class Mode { echo, connect, idle };

/// What a load is to be.
struct Plan {
    command::CallOptions call{};
    Mode mode = Mode::echo;
    std::size_t connections = 100;
    std::size_t size = 20;
    std::size_t depth = 1;
    bool text = false;
    /// The contents of the echoes are not looked at.
    bool length_only = false;
    double duration = 3;
    double warmup = 0.5;
    /// Messages a second, over all connections; without it each waits for its echoes.
    std::optional<double> rate{};
    std::optional<pid_t> server{};

    Opcode opcode() const noexcept { return text ? Opcode::text : Opcode::binary; }
};

}  // namespace hawser::bench
