#pragma once

#include <array>

namespace faults {

/// What the application was told in the course of a scenario.
struct Outcome {
    bool is_whole = false;     ///< everything that was sent came back, and the closing handshake was complete at both ends
    bool is_told = false;      ///< an error, an unclean ending or an exception
    bool is_over = false;      ///< all has ended in the time it may take
    bool is_balanced = false;  ///< each on_handshake had its on_disconnect, and nothing came behind that
    std::array<char, 200> first_told{};
};

enum class Scenario { plain, half_close, compressed, tls, unix_socket, look_up };

/// Client and server in this process, on real sockets: handshake, messages small and large both ways, a ping, the closing handshake; or a
/// look-up by a name server of its own. Leaves nothing behind.
Outcome play(Scenario scenario);

}  // namespace faults
