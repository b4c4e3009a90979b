#include "table.hpp"

#include <iterator>
#include <random>

#include "trial.hpp"

namespace hawser::check {

namespace {

/// What an echo server makes of valid frames.
void expect_answers(Case& a_case, const Frames& frames) {
    Message message{0, {}};
    for (const Frame& frame : frames) {
        if (frame.opcode == op::ping) a_case.pongs.push_back(frame.payload);
        if (frame.opcode >= op::close) continue;
        if (frame.opcode != op::continuation) message = {frame.opcode, {}};
        message.content += frame.payload;
        if (frame.fin) a_case.messages.push_back(message);
    }
}

}  // namespace

Case& Table::add(const std::string& name, std::string requirement, const std::string& place) {
    Case a_case;
    a_case.id = section_ + "." + name;
    a_case.requirement = std::move(requirement);
    a_case.source = place.starts_with("RFC") ? place : "RFC 6455, section " + place;
    cases_.push_back(std::move(a_case));
    return cases_.back();
}

Case& Table::echo(const std::string& name, std::string requirement, const std::string& place, Frames frames) {
    Case& a_case = add(name, std::move(requirement), place);
    expect_answers(a_case, frames);
    a_case.steps.push_back({std::move(frames)});
    return a_case;
}

Case& Table::fails(const std::string& name, std::string requirement, const std::string& place, Frames frames, std::vector<unsigned> codes) {
    Case& a_case = add(name, std::move(requirement), place);
    a_case.outcome = Outcome::failure;
    a_case.codes = std::move(codes);
    frames.push_back(data(op::ping, probe_content));
    a_case.steps.push_back({std::move(frames)});
    return a_case;
}

std::string opcode_text(unsigned opcode) {
    switch (opcode) {
        case op::continuation: return "continuation";
        case op::text: return "text";
        case op::binary: return "binary";
        case op::close: return "close";
        case op::ping: return "ping";
        case op::pong: return "pong";
        default: return "opcode-" + std::to_string(opcode);
    }
}

std::string letters(std::size_t length) {
    std::string out(length, ' ');
    for (std::size_t i = 0; i < length; ++i) out[i] = static_cast<char>('a' + (i + i / 26) % 26);
    return out;
}

std::string noise_twice(std::size_t length) {
    std::minstd_rand random(4711);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same bytes each time
    std::string out;
    while (out.size() < length) out += static_cast<char>('!' + random() % 90);
    return out + out;
}

std::vector<Case> all_cases(Role role) {
    std::vector<Case> all;
    const auto append = [&all](std::vector<Case> cases) {
        all.insert(all.end(), std::make_move_iterator(cases.begin()), std::make_move_iterator(cases.end()));
    };
    append(role == Role::server ? request_cases() : response_cases());
    for (const auto section :
         {framing_cases, mask_cases, reserved_cases, control_cases, fragment_cases, utf8_cases, close_cases, timing_cases, limit_cases})
        append(section(role));
    append(role == Role::server ? deflate_offer_cases() : deflate_answer_cases());
    append(deflate_data_cases(role));
    return all;
}

}  // namespace hawser::check
