#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <zlib.h>

namespace hawser::check {

/// How a message is compressed.
struct DeflateStyle {
    int window_bits = 15;
    int level = 6;
    int strategy = Z_DEFAULT_STRATEGY;
};

/// Compresses messages (RFC 7692, section 7.2.1), each with what the ones before it left in the window.
class Deflater {
public:
    explicit Deflater(const DeflateStyle& style);
    std::string message(std::string_view content);

private:
    struct Free {
        void operator()(z_stream* stream) const;
    };
    std::unique_ptr<z_stream, Free> stream_;
};

/// One message, compressed by itself.
std::string deflated(std::string_view content, const DeflateStyle& style = {});

/// Decompresses messages (RFC 7692, section 7.2.2).
class Inflater {
public:
    Inflater(int window_bits, bool takeover);
    /// Nothing if it is not valid.
    std::optional<std::string> message(std::string compressed);

private:
    struct Free {
        void operator()(z_stream* stream) const;
    };
    std::unique_ptr<z_stream, Free> stream_;
    bool takeover_;
};

/// The value of a window bits parameter: 8 to 15, without leading zeros; 0 if it is none (RFC 7692, section 7.1.2).
int window_bits(std::string_view value);

/// What an element of Sec-WebSocket-Extensions says of permessage-deflate.
struct DeflateAnswer {
    bool server_no_context_takeover = false;
    bool client_no_context_takeover = false;
    /// 0: not there.
    int server_max_window_bits = 0;
    int client_max_window_bits = 0;

    /// Nothing if it is no valid answer (RFC 7692, section 7.1).
    static std::optional<DeflateAnswer> parse(std::string_view text);
};

/// The shortest answer that accepts the first offer of permessage-deflate in a list, with further parameters; nothing
/// without an offer, or if it forbids them.
std::optional<std::string> answer_to(const std::string& offers, const std::string& parameters);

}  // namespace hawser::check
