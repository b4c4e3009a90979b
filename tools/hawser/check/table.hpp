#pragma once

#include <string>
#include <utility>
#include <vector>

#include "case.hpp"

namespace hawser::check {

/// Makes the cases of a section. What add(), echo() and fails() return is valid until the next of them.
class Table {
public:
    Table(Role role, std::string section) : role_(role), section_(std::move(section)) {}

    Role role() const noexcept { return role_; }
    std::vector<Case> take() { return std::move(cases_); }

    /// `place`: "5.2" is a section of RFC 6455, anything else is the whole name.
    Case& add(const std::string& name, std::string requirement, const std::string& place);
    /// The frames make messages and pings that are to be answered.
    Case& echo(const std::string& name, std::string requirement, const std::string& place, Frames frames);
    /// The frames are to fail the connection. What came before the wrong one may be answered.
    Case& fails(const std::string& name, std::string requirement, const std::string& place, Frames frames,
                std::vector<unsigned> codes = {1002});

private:
    Role role_;
    std::string section_;
    std::vector<Case> cases_{};
};

std::string opcode_text(unsigned opcode);
/// Printable, of that length, and different at each place.
std::string letters(std::size_t length);
/// Printable, twice that length: its second half repeats the first, and what else repeats is short.
std::string noise_twice(std::size_t length);

// The sections.
std::vector<Case> framing_cases(Role role);
std::vector<Case> mask_cases(Role role);
std::vector<Case> reserved_cases(Role role);
std::vector<Case> control_cases(Role role);
std::vector<Case> fragment_cases(Role role);
std::vector<Case> utf8_cases(Role role);
std::vector<Case> close_cases(Role role);
std::vector<Case> timing_cases(Role role);
std::vector<Case> limit_cases(Role role);
std::vector<Case> request_cases();
std::vector<Case> response_cases();
std::vector<Case> deflate_offer_cases();
std::vector<Case> deflate_answer_cases();
std::vector<Case> deflate_data_cases(Role role);

/// A string of bytes, and what it is.
struct Sample {
    const char* name;
    std::string bytes;
};
std::vector<Sample> valid_utf8();
std::vector<Sample> invalid_utf8();

}  // namespace hawser::check
