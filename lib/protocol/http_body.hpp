#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <hawser/http.hpp>

namespace hawser::protocol {

/// Collects the content of a response up to a bound, without the framing of the chunked transfer coding, and knows where the message ends
/// (RFC 9112, sections 6.3 and 7.1). Framing that is broken ends it: what came before is kept.
class HttpBody {
public:
    /// `max_size`: of the content; `max_framing`: of all that is not content.
    HttpBody(const Response& head, std::size_t max_size, std::size_t max_framing);

    /// Takes what follows the head, and appends what is content; what comes behind the end is left out.
    void feed(std::string_view bytes, std::string& content);
    /// Nothing more is awaited: the message has ended, or the bound is reached.
    bool is_complete() const noexcept { return state_ == State::complete; }
    /// Nothing but the end of the connection ends it.
    bool ends_with_connection() const noexcept { return state_ == State::content && size_ == unbounded; }

private:
    static constexpr std::size_t unbounded = SIZE_MAX;
    /// What the next byte belongs to.
    enum class State : unsigned char {
        content,
        chunk_size_begin,
        chunk_size,
        chunk_extension,
        chunk_size_end,
        chunk_end_first,
        chunk_end,
        trailer_begin,
        trailer,
        trailer_end,
        complete
    };

    void begin(std::size_t size) noexcept;
    void take_content(std::string_view& bytes, std::string& content);
    void take_framing(char byte);
    void take_chunk_size(char byte);
    void expect(char byte, char expected, State next) noexcept { state_ = byte == expected ? next : State::complete; }

    std::size_t size_ = 0;  // of the content, or the chunk: what is left of it
    std::size_t room_;      // for content
    std::size_t max_framing_;
    bool is_chunked_ = false;
    State state_ = State::complete;
};

}  // namespace hawser::protocol
