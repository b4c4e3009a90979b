#pragma once

#include <hawser/compression.hpp>

#include "fuzz/fuzz.hpp"

namespace fuzz {

/// What is negotiated about, chosen by the input.
inline hawser::DeflateOptions deflate_options(Choices& choices) {
    hawser::DeflateOptions options;
    const unsigned flags = choices.byte();
    options.server_no_context_takeover = (flags & 1u) != 0;
    options.client_no_context_takeover = (flags & 2u) != 0;
    options.server_max_window_bits = choices.between(9, 15);
    options.client_max_window_bits = choices.between(9, 15);
    return options;
}

}  // namespace fuzz
