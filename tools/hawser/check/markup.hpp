#pragma once

#include <string>
#include <string_view>

namespace hawser::check {

/// Text for XML and HTML: what has a meaning there is escaped, what is not allowed there is replaced.
inline std::string markup(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '&': out += "&amp;"; break;
            case '"': out += "&quot;"; break;
            default: out += static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t' ? '?' : c;
        }
    }
    return out;
}

}  // namespace hawser::check
