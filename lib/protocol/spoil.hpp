#pragma once

#include <algorithm>
#include <string_view>

// Builds with assertions, and those with a sanitizer that looks after memory.
#if !defined(NDEBUG) || defined(__SANITIZE_ADDRESS__)
#define HAWSER_SPOILS_VIEWS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define HAWSER_SPOILS_VIEWS 1
#endif
#endif

namespace hawser::protocol {

/// In builds for development: overwrites a message that was delivered, so that a view of it that was kept too long shows. It lies in
/// memory of ours: the receive buffer, or storage.
inline void spoil([[maybe_unused]] std::string_view delivered) noexcept {
#ifdef HAWSER_SPOILS_VIEWS
    std::fill_n(const_cast<char*>(delivered.data()), delivered.size(), '\xDD');
#endif
}

}  // namespace hawser::protocol
