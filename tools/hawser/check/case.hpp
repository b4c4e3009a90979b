#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "deflate.hpp"
#include "frame.hpp"
#include "head.hpp"

namespace hawser::check {

/// What the subject is: the endpoint that is checked. The checker is the other.
enum class Role { server, client };

enum class Verdict {
    ok,
    informational,  ///< the RFC leaves it open; the detail says what the subject does
    not_strict,     ///< a SHOULD is not followed, or what only a sender must not do is accepted
    failed,
};

struct Message {
    unsigned opcode;
    std::string content;

    bool operator==(const Message&) const = default;
};

/// How an exchange is to end.
enum class Outcome {
    echo,     ///< every message comes back and every ping is answered; then the checker closes with 1000
    failure,  ///< the subject fails the connection
    closing,  ///< the checker's Close is answered
    refusal,  ///< the opening handshake comes to nothing
    ending,   ///< the connection ends in any way
};

/// Something that the checker does once the connection is open.
struct Step {
    Frames frames{};
    /// Bytes a write; 0: all at once.
    std::size_t chop = 0;
    /// A pause after this many bytes; 0: none.
    std::size_t cut = 0;
    /// Seconds before it; not done any more if the subject has begun to end the connection.
    double wait = 0;
    /// Ends the sending direction behind it.
    bool finish = false;
    /// Only this many bytes of the frames; 0: all.
    std::size_t only = 0;
    /// Not these first bytes of the frames.
    std::size_t skip = 0;
};

/// What was seen of a subject.
struct Observation {
    enum class End { none, closed, reset };

    Role role = Role::server;
    /// Of the opening handshake: what the checker sent, and what came.
    Head sent{};
    Head received{};
    bool connected = false;
    bool opened = false;
    std::optional<DeflateAnswer> deflate{};
    std::vector<Message> messages{};
    std::vector<std::string> pongs{};
    std::size_t compressed_messages = 0;
    std::vector<std::array<char, 4>> masking_keys{};
    /// 1005 for a Close without a status.
    std::optional<unsigned> close_code{};
    /// Rules that the subject broke in what it sent.
    std::vector<std::string> violations{};
    /// It takes as valid what is not, so that nothing more needs to be seen.
    bool accepted = false;
    End end = End::none;
    /// How many steps were done when the subject began to end the connection.
    std::size_t steps_before_end = 0;
};

struct Judgement {
    Verdict verdict = Verdict::ok;
    std::string detail{};
};

struct Case {
    /// "section.name".
    std::string id{};
    std::string requirement{};
    /// "RFC 6455, section 5.2".
    std::string source{};

    // The checker's half of the opening handshake: a server's request is edited, or a client's response.
    std::function<void(Head&)> edit_head{};
    std::function<void(std::string&)> edit_text{};
    std::size_t head_chop = 0;
    /// The first step leaves in the same write as the head.
    bool glued = false;
    /// Sec-WebSocket-Extensions offered to a server; for a client parameters that its permessage-deflate is answered with.
    std::string extensions{};
    /// What the compressed frames need: the subject's agreement on deflate, a window of at least these bits, and takeover.
    bool needs_deflate = false;
    int needs_window_bits = 0;
    bool needs_takeover = false;

    std::vector<Step> steps{};
    Outcome outcome = Outcome::echo;
    std::vector<Message> messages{};
    std::vector<std::string> pongs{};
    /// What the subject's Close may say; with Outcome::echo: it may fail the connection with one of these instead.
    std::vector<unsigned> codes{};
    /// The verdict on a subject that takes as valid what it should refuse.
    Verdict otherwise = Verdict::failed;
    /// The verdict on a server that refuses the opening handshake.
    Verdict when_refused = Verdict::failed;
    /// The detail says after which step the connection was failed.
    bool tells_time = false;
    /// A further demand.
    std::function<Judgement(const Observation&)> also{};
};

/// All cases for a subject of that role.
std::vector<Case> all_cases(Role role);

const char* verdict_name(Verdict verdict);

Judgement judge(const Case& a_case, const Observation& seen);

}  // namespace hawser::check
