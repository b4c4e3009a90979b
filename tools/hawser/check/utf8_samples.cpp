#include "table.hpp"

namespace hawser::check {

// The first and last of each length, and what stands beside the gaps (RFC 3629, sections 3 and 4).
std::vector<Sample> valid_utf8() {
    return {
        {"greek", "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5"},
        {"u+0000", std::string(1, '\0')},
        {"u+007f", "\x7F"},
        {"u+0080", "\xC2\x80"},
        {"u+07ff", "\xDF\xBF"},
        {"u+0800", "\xE0\xA0\x80"},
        {"u+0fff", "\xE0\xBF\xBF"},
        {"u+1000", "\xE1\x80\x80"},
        {"u+cfff", "\xEC\xBF\xBF"},
        {"u+d000", "\xED\x80\x80"},
        {"u+d7ff", "\xED\x9F\xBF"},
        {"u+e000", "\xEE\x80\x80"},
        {"u+feff", "\xEF\xBB\xBF"},
        {"u+fffd", "\xEF\xBF\xBD"},
        {"u+fffe", "\xEF\xBF\xBE"},
        {"u+ffff", "\xEF\xBF\xBF"},
        {"u+10000", "\xF0\x90\x80\x80"},
        {"u+3ffff", "\xF0\xBF\xBF\xBF"},
        {"u+40000", "\xF1\x80\x80\x80"},
        {"u+fffff", "\xF3\xBF\xBF\xBF"},
        {"u+100000", "\xF4\x80\x80\x80"},
        {"u+10ffff", "\xF4\x8F\xBF\xBF"},
    };
}

std::vector<Sample> invalid_utf8() {
    return {
        {"lone-80", "\x80"},
        {"lone-bf", "\xBF"},
        {"two-lone", "\x80\xBF"},
        {"c0-80", "\xC0\x80"},
        {"c1-bf", "\xC1\xBF"},
        {"c2-no-continuation", "\xC2 "},
        {"c2-twice", "\xC2\xC2\x80"},
        {"df-c0", "\xDF\xC0"},
        {"e0-80-80", "\xE0\x80\x80"},
        {"e0-9f-bf", "\xE0\x9F\xBF"},
        {"e1-80-no-continuation", "\xE1\x80 "},
        {"e1-80-c0", "\xE1\x80\xC0"},
        {"ed-a0-80", "\xED\xA0\x80"},
        {"ed-bf-bf", "\xED\xBF\xBF"},
        {"surrogate-pair", "\xED\xA0\x80\xED\xB0\x80"},
        {"f0-80-80-80", "\xF0\x80\x80\x80"},
        {"f0-8f-bf-bf", "\xF0\x8F\xBF\xBF"},
        {"f0-90-80-no-continuation", "\xF0\x90\x80 "},
        {"f0-90-80-c0", "\xF0\x90\x80\xC0"},
        {"f4-90-80-80", "\xF4\x90\x80\x80"},
        {"f5-80-80-80", "\xF5\x80\x80\x80"},
        {"f7-bf-bf-bf", "\xF7\xBF\xBF\xBF"},
        {"f8-88-80-80-80", "\xF8\x88\x80\x80\x80"},
        {"fc-84-80-80-80-80", "\xFC\x84\x80\x80\x80\x80"},
        {"fe", "\xFE"},
        {"ff", "\xFF"},
        {"cut-latin-1", "caf\xE9"},
        {"cut-c2", "\xC2"},
        {"cut-e1", "\xE1"},
        {"cut-e1-80", "\xE1\x80"},
        {"cut-f0", "\xF0"},
        {"cut-f0-90", "\xF0\x90"},
        {"cut-f0-90-80", "\xF0\x90\x80"},
    };
}

}  // namespace hawser::check
