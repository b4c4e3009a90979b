#pragma once

#include <string>

#include <hawser/error.hpp>

#include "support/catch.hpp"

namespace support {

/// The text of the Error that `call` throws, which is to be of this code.
template <typename Call>
std::string error_of(hawser::Errc code, Call call) {
    try {
        call();
    } catch (const hawser::Error& error) {
        CHECK(error.errc() == code);
        return error.what();
    }
    return "nothing was thrown";
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace support
