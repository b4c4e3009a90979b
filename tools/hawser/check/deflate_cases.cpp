#include <algorithm>

#include "edits.hpp"
#include "table.hpp"

namespace hawser::check {

namespace {

constexpr const char* extensions_field = "Sec-WebSocket-Extensions";
constexpr const char* negotiation = "RFC 7692, section 7.1";
// Farther than any window but the largest reaches.
constexpr std::size_t far_back = 20'000;

struct Offer {
    const char* name;
    const char* text;
};

/// Whether an answer keeps to an offer (RFC 7692, section 7.1).
bool keeps_to(const DeflateAnswer& answer, const std::string& offer) {
    const auto bits = [&](const std::string& name) {
        for (const std::string& parameter : split(offer, ';'))
            if (parameter.starts_with(name + "=")) return window_bits(parameter.substr(name.size() + 1));
        return 0;
    };
    const auto offered = [&](const char* name) { return offer.find(name) != std::string::npos; };
    if (offered("server_no_context_takeover") && !answer.server_no_context_takeover) return false;
    const int server_bits = bits("server_max_window_bits");
    if (server_bits > 0 && (answer.server_max_window_bits == 0 || answer.server_max_window_bits > server_bits)) return false;
    // The number of an offer is a hint (section 7.1.2.2).
    return answer.client_max_window_bits == 0 || offered("client_max_window_bits");
}

Judgement judge_answer(const Observation& seen) {
    if (!seen.deflate) return {Verdict::informational, "declined"};
    const std::string answer = seen.received.get(extensions_field);
    for (const std::string& offer : split(seen.sent.get(extensions_field), ','))
        if (offer.starts_with("permessage-deflate") && keeps_to(*seen.deflate, offer)) return {Verdict::ok, "\"" + answer + "\""};
    return {Verdict::failed, "its answer \"" + answer + "\" does not keep to the offer"};
}

Judgement judge_decline(const Observation& seen) {
    if (!seen.deflate) return {};
    return {Verdict::failed, "it agreed: \"" + seen.received.get(extensions_field) + "\""};
}

void add_offer(Table& table, const Offer& offer) {
    const std::string content = noise_twice(far_back);
    Case& a_case = table.echo(std::string("offer-") + offer.name, "an answer keeps to the offer", negotiation,
                              {data(op::text, content), data(op::binary, content)});
    a_case.extensions = offer.text;
    a_case.also = judge_answer;
    // An offer may be declined, and the next one taken (RFC 7692, section 5.1).
    if (std::string_view(offer.name) == "fallback") a_case.when_refused = Verdict::not_strict;
}

void add_offers(Table& table) {
    const Offer offers[] = {
        {"plain", "permessage-deflate"},
        {"server-takeover", "permessage-deflate; server_no_context_takeover"},
        {"client-takeover", "permessage-deflate; client_no_context_takeover"},
        {"both-takeover", "permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
        {"client-bits", "permessage-deflate; client_max_window_bits"},
        {"quoted-bits", "permessage-deflate; server_max_window_bits=\"10\""},
        {"everything",
         "permessage-deflate; client_max_window_bits=12; server_max_window_bits=11; server_no_context_takeover; "
         "client_no_context_takeover"},
        {"second", "x-unknown, permessage-deflate"},
        {"fallback", "permessage-deflate; server_max_window_bits=9; x-unknown=1, permessage-deflate"},
        {"two", "permessage-deflate; server_max_window_bits=10, permessage-deflate; client_max_window_bits"},
        {"tight", "permessage-deflate;client_max_window_bits=10;server_no_context_takeover"},
    };
    for (const Offer& offer : offers) add_offer(table, offer);
    for (int bits = 8; bits <= 15; ++bits) {
        const std::string number = std::to_string(bits);
        add_offer(table, {("server-bits-" + number).c_str(), ("permessage-deflate; server_max_window_bits=" + number).c_str()});
        add_offer(table, {("client-bits-" + number).c_str(), ("permessage-deflate; client_max_window_bits=" + number).c_str()});
    }
}

const Offer bad_parameters[] = {
    {"unknown", "x_unknown"},
    {"unknown-value", "x_unknown=10"},
    {"server-bits-7", "server_max_window_bits=7"},
    {"server-bits-16", "server_max_window_bits=16"},
    {"server-bits-0", "server_max_window_bits=0"},
    {"server-bits-negative", "server_max_window_bits=-10"},
    {"server-bits-08", "server_max_window_bits=010"},
    {"server-bits-text", "server_max_window_bits=9x"},
    {"server-bits-none", "server_max_window_bits"},
    {"client-bits-7", "client_max_window_bits=7"},
    {"client-bits-16", "client_max_window_bits=16"},
    {"client-bits-text", "client_max_window_bits=x"},
    {"server-takeover-value", "server_no_context_takeover=1"},
    {"client-takeover-value", "client_no_context_takeover=1"},
    {"server-takeover-twice", "server_no_context_takeover; server_no_context_takeover"},
    {"server-bits-twice", "server_max_window_bits=10; server_max_window_bits=10"},
    {"client-bits-twice", "client_max_window_bits=10; client_max_window_bits=11"},
};

}  // namespace

std::vector<Case> deflate_offer_cases() {
    Table table(Role::server, "deflate");
    add_offers(table);
    for (const Offer& bad : bad_parameters) {
        Case& a_case = table.echo(std::string("bad-offer-") + bad.name, "an offer with a wrong parameter is declined", negotiation,
                                  {data(op::text, "hello")});
        a_case.edit_head = set(extensions_field, std::string("permessage-deflate; ") + bad.text);
        a_case.extensions = "permessage-deflate";
        a_case.also = judge_decline;
        a_case.when_refused = Verdict::not_strict;
    }
    return table.take();
}

std::vector<Case> deflate_answer_cases() {
    Table table(Role::client, "deflate");
    const std::string content = noise_twice(far_back);
    std::vector<std::pair<std::string, std::string>> answers{{"plain", ""},
                                                             {"server-takeover", "server_no_context_takeover"},
                                                             {"client-takeover", "client_no_context_takeover"},
                                                             {"both-takeover", "server_no_context_takeover; client_no_context_takeover"}};
    for (int bits = 8; bits <= 15; ++bits) {
        const std::string number = std::to_string(bits);
        answers.emplace_back("server-bits-" + number, "server_max_window_bits=" + number);
        answers.emplace_back("client-bits-" + number, "client_max_window_bits=" + number);
    }
    for (const auto& [name, answer] : answers) {
        Case& a_case = table.echo("answer-" + name, "a valid answer is taken, and kept to", negotiation,
                                  {data(op::text, content), data(op::binary, content)});
        a_case.extensions = answer;
        a_case.needs_deflate = true;
    }
    std::vector<Offer> bad(std::begin(bad_parameters), std::end(bad_parameters));
    bad.push_back({"client-bits-none", "client_max_window_bits"});
    bad.push_back({"twice", "server_no_context_takeover, permessage-deflate"});
    for (const Offer& parameter : bad) {
        Case& a_case =
            table.add(std::string("bad-answer-") + parameter.name, "an answer with a wrong parameter fails the connection", negotiation);
        a_case.outcome = Outcome::refusal;
        a_case.extensions = parameter.text;
        a_case.steps.push_back({{data(op::text, "accepted?"), data(op::ping, "accepted?")}});
    }
    return table.take();
}

}  // namespace hawser::check
