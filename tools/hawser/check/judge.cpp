#include <algorithm>

#include "case.hpp"
#include "wire.hpp"

namespace hawser::check {

namespace {

constexpr unsigned normal = 1000;

std::string shorten(const std::string& content) {
    return std::to_string(content.size()) + " bytes \"" + printable(content.substr(0, 24)) + (content.size() > 24 ? "...\"" : "\"");
}

std::string close_text(const Observation& seen) {
    if (!seen.close_code) return "no Close";
    return *seen.close_code == 1005 ? "a Close without a status" : "Close " + std::to_string(*seen.close_code);
}

std::string end_text(const Observation& seen) {
    if (seen.end == Observation::End::none) return "the connection stayed open (" + close_text(seen) + ")";
    return std::string(seen.end == Observation::End::reset ? "the connection was reset (" : "the connection was closed (") +
           close_text(seen) + ")";
}

bool has(const std::vector<unsigned>& codes, unsigned code) { return std::find(codes.begin(), codes.end(), code) != codes.end(); }

Judgement failed(std::string detail) { return {Verdict::failed, std::move(detail)}; }

/// The messages that came are the first of those that were to come.
Judgement compare_messages(const Case& a_case, const Observation& seen) {
    for (std::size_t i = 0; i < seen.messages.size(); ++i) {
        if (i >= a_case.messages.size()) return {a_case.otherwise, "accepted: it answered " + shorten(seen.messages[i].content)};
        const Message& expected = a_case.messages[i];
        if (seen.messages[i].opcode != expected.opcode) return failed("a message came back with another opcode");
        if (seen.messages[i].content != expected.content)
            return failed("a message came back as " + shorten(seen.messages[i].content) + " instead of " + shorten(expected.content));
    }
    return {};
}

/// A subject may answer only the newest of several pings (RFC 6455, section 5.5.3), but answers in their order.
Judgement compare_pongs(const Case& a_case, const Observation& seen) {
    auto expected = a_case.pongs.begin();
    for (const std::string& content : seen.pongs) {
        expected = std::find(expected, a_case.pongs.end(), content);
        if (expected == a_case.pongs.end()) return failed("an unexpected pong came: " + shorten(content));
        ++expected;
    }
    if (!a_case.pongs.empty() && (seen.pongs.empty() || seen.pongs.back() != a_case.pongs.back()))
        return failed("the ping was not answered with its content");
    return {};
}

Judgement judge_end(const Observation& seen) {
    if (seen.end != Observation::End::none) return {};
    return failed(seen.role == Role::server ? "it did not close the TCP connection after the closing handshake" : end_text(seen));
}

/// What a subject says that takes the Close it was sent as a valid one.
bool is_usual_answer(const Case& a_case, unsigned code) {
    const Frame& last = a_case.steps.front().frames.front();
    if (last.opcode != op::close) return false;
    return code == normal || code == 1005 || last.payload.starts_with(close_frame(code).payload);
}

Judgement judge_failure(const Case& a_case, const Observation& seen) {
    if (seen.accepted || (seen.end == Observation::End::none && !seen.close_code)) return {a_case.otherwise, "accepted: " + end_text(seen)};
    const std::string when = a_case.tells_time ? (seen.steps_before_end < a_case.steps.size() ? "fails fast: " : "fails late: ") : "";
    if (!seen.close_code) return {a_case.tells_time ? Verdict::informational : Verdict::not_strict, when + end_text(seen)};
    if (!has(a_case.codes, *seen.close_code))
        return {is_usual_answer(a_case, *seen.close_code) ? a_case.otherwise : Verdict::not_strict, when + end_text(seen)};
    return {a_case.tells_time ? Verdict::informational : Verdict::ok, when + end_text(seen)};
}

Judgement judge_echo(const Case& a_case, const Observation& seen) {
    if (!a_case.codes.empty() && seen.close_code && has(a_case.codes, *seen.close_code)) return {Verdict::ok, end_text(seen)};
    if (a_case.otherwise != Verdict::failed && !seen.close_code && seen.end != Observation::End::none)
        return {a_case.otherwise, end_text(seen)};
    if (seen.messages.size() < a_case.messages.size())
        return {a_case.otherwise, std::to_string(seen.messages.size()) + " of " + std::to_string(a_case.messages.size()) +
                                      " messages came back, and " + end_text(seen)};
    if (Judgement pongs = compare_pongs(a_case, seen); pongs.verdict != Verdict::ok) return pongs;
    if (!seen.close_code) return failed("its Close did not come: " + end_text(seen));
    if (*seen.close_code != normal) return {Verdict::not_strict, "Close 1000 was answered with " + close_text(seen)};
    return judge_end(seen);
}

Judgement judge_closing(const Case& a_case, const Observation& seen) {
    if (!seen.close_code) return {a_case.otherwise, "the Close was not answered: " + end_text(seen)};
    if (!has(a_case.codes, *seen.close_code)) return {Verdict::not_strict, "the Close was answered with " + close_text(seen)};
    if (!seen.pongs.empty() && a_case.pongs.empty()) return failed("a ping behind the Close was answered");
    // An application that echoes may learn of the Close first.
    if (seen.messages.size() < a_case.messages.size() && judge_end(seen).verdict == Verdict::ok)
        return {Verdict::informational, "the Close was answered before the messages"};
    return judge_end(seen);
}

Judgement judge_refusal(const Case& a_case, const Observation& seen) {
    if (seen.role == Role::client) {
        if (!seen.messages.empty() || !seen.pongs.empty() || seen.close_code) return {a_case.otherwise, "accepted: it sent frames"};
        return seen.end == Observation::End::none ? Judgement{a_case.otherwise, end_text(seen)} : Judgement{};
    }
    const int status = seen.received.status();
    if (status == 101) return {a_case.otherwise, "accepted: status 101"};
    if (status >= 400) return {Verdict::ok, "status " + std::to_string(status)};
    if (status != 0) return {Verdict::not_strict, "status " + std::to_string(status)};
    return seen.end == Observation::End::none ? failed("nothing came")
                                              : Judgement{Verdict::not_strict, end_text(seen) + " without a response"};
}

Judgement judge_unopened(const Case& a_case, const Observation& seen) {
    if (!seen.connected) return failed("no connection came about");
    const int status = seen.received.status();
    if (status == 0) return failed("the opening handshake did not succeed: " + end_text(seen));
    return {a_case.when_refused, "the opening handshake was refused with status " + std::to_string(status)};
}

Judgement judge_outcome(const Case& a_case, const Observation& seen) {
    switch (a_case.outcome) {
        case Outcome::echo: return judge_echo(a_case, seen);
        case Outcome::failure: return judge_failure(a_case, seen);
        case Outcome::closing: return judge_closing(a_case, seen);
        case Outcome::refusal: return judge_refusal(a_case, seen);
        case Outcome::ending:
            if (seen.end == Observation::End::none) return failed(end_text(seen));
            return {Verdict::informational, std::to_string(seen.messages.size()) + " messages came back, then " + end_text(seen)};
    }
    return {};
}

}  // namespace

const char* verdict_name(Verdict verdict) {
    switch (verdict) {
        case Verdict::ok: return "ok";
        case Verdict::informational: return "informational";
        case Verdict::not_strict: return "not strict";
        case Verdict::failed: return "failed";
    }
    return "";
}

Judgement judge(const Case& a_case, const Observation& seen) {
    if (!seen.violations.empty()) return failed("it " + seen.violations.front());
    if (a_case.outcome != Outcome::refusal) {
        if (!seen.opened) return judge_unopened(a_case, seen);
        if (Judgement messages = compare_messages(a_case, seen); messages.verdict != Verdict::ok) return messages;
    }
    Judgement judgement = judge_outcome(a_case, seen);
    if (!a_case.also || judgement.verdict > Verdict::informational) return judgement;
    Judgement also = a_case.also(seen);
    return also.verdict >= judgement.verdict && !also.detail.empty() ? also : judgement;
}

}  // namespace hawser::check
