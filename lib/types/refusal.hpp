#pragma once

namespace hawser {

/// Whether asking again will not change an answer with this status, a server's or a proxy's.
constexpr bool is_final_refusal(int status) noexcept {
    return status >= 400 && status < 500 && status != 408 && status != 425 && status != 429;
}

}  // namespace hawser
