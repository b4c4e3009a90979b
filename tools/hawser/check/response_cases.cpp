#include "edits.hpp"
#include "table.hpp"

namespace hawser::check {

namespace {

constexpr const char* status_line = "HTTP/1.1 101 Switching Protocols";

Edit accept(std::function<std::string(std::string)> change) {
    return [change = std::move(change)](Head& head) { head.set("Sec-WebSocket-Accept", change(head.get("Sec-WebSocket-Accept"))); };
}

struct Demand {
    const char* name;
    const char* requirement;
    bool (*met)(const Head& request);
};

bool has_good_key(const Head& request) {
    const auto key = from_base64(request.get("Sec-WebSocket-Key"));
    return request.count("Sec-WebSocket-Key") == 1 && key && key->size() == 16;
}

void add_request(Table& table) {
    const Demand demands[] = {
        {"method", "the request's method is GET", [](const Head& request) { return request.first_line.starts_with("GET /"); }},
        {"http-version", "the request's HTTP version is at least 1.1",
         [](const Head& request) { return request.first_line.ends_with(" HTTP/1.1"); }},
        {"host", "the request has a Host", [](const Head& request) { return request.count("Host") == 1 && !request.get("Host").empty(); }},
        {"host-port", "Host names the port, unless it is the scheme's",
         [](const Head& request) { return request.get("Host").find(':') != std::string::npos; }},
        {"upgrade", "the request has Upgrade: websocket", [](const Head& request) { return request.has_token("Upgrade", "websocket"); }},
        {"connection", "the request has Connection: Upgrade",
         [](const Head& request) { return request.has_token("Connection", "Upgrade"); }},
        {"key", "the request has a key of 16 bytes in base64", has_good_key},
        {"version", "the request has Sec-WebSocket-Version: 13",
         [](const Head& request) { return request.get("Sec-WebSocket-Version") == "13"; }},
        {"version-once", "the request has one version", [](const Head& request) { return request.count("Sec-WebSocket-Version") == 1; }},
        {"no-body", "the request has no body",
         [](const Head& request) {
             return request.count("Transfer-Encoding") == 0 &&
                    (request.count("Content-Length") == 0 || request.get("Content-Length") == "0");
         }},
    };
    for (const Demand& demand : demands)
        table.echo(std::string("request-") + demand.name, demand.requirement, "4.1", {data(op::text, "hello")}).also =
            [met = demand.met](const Observation& seen) {
                return met(seen.received) ? Judgement{} : Judgement{Verdict::failed, "it does not"};
            };
}

void add_accepted(Table& table) {
    const HeadRow rows[] = {
        {"plain", "a correct response opens the connection", "4.1", [](Head&) {}},
        {"upgrade-case", "the value of Upgrade is compared without case", "4.1", set("Upgrade", "WebSocket")},
        {"connection-case", "the tokens of Connection are compared without case", "4.1", set("Connection", "upgrade")},
        {"connection-list", "Connection is a list of tokens", "4.1", set("Connection", "keep-alive, Upgrade")},
        {"other-reason", "the reason phrase means nothing", "RFC 9112, section 4", line(status_line, "HTTP/1.1 101 Whatever You Like")},
        {"no-reason", "the reason phrase may be empty", "RFC 9112, section 4", line(status_line, "HTTP/1.1 101 ")},
        {"unknown-field", "an unknown header field is ignored", "4.1", add("X-Unknown", "anything")},
        {"long-field", "a header field of 4 KiB is accepted", "4.1", add("X-Long", letters(4096))},
        {"cookie", "a response may set cookies", "4.1", add("Set-Cookie", "a=b")},
        {"lower-case", "names of header fields are compared without case", "RFC 9110, section 5.1", lower_names()},
        {"reversed", "header fields may come in any order", "4.1", reversed()},
        {"space-around-values", "space around the value of a field is not part of it", "RFC 9112, section 5", spaced_values()},
    };
    for (const HeadRow& row : rows) table.echo(row.name, row.requirement, row.place, {data(op::text, "hello")}).edit_head = row.edit;
    table.echo("bytewise", "a response may arrive one byte at a time", "4.1", {data(op::text, "hello")}).head_chop = 1;
    table.echo("pieces", "a response may arrive in pieces", "4.1", {data(op::text, "hello")}).head_chop = 7;
    table.echo("glued", "a message may arrive together with the response", "4.1", {data(op::text, "hello")}).glued = true;
    table
        .echo("glued-many", "messages may arrive together with the response", "4.1",
              {data(op::text, "hello"), data(op::ping, "x"), data(op::binary, letters(1000))})
        .glued = true;
}

void refuse(Table& table, const HeadRow& row) {
    Case& a_case = table.add(row.name, row.requirement, row.place);
    a_case.outcome = Outcome::refusal;
    a_case.edit_head = row.edit;
    a_case.otherwise = row.otherwise;
    a_case.steps.push_back({{data(op::text, "accepted?"), data(op::ping, "accepted?")}});
    // The end of such a response's body is the end of the connection.
    a_case.steps[0].finish = std::string(row.name).starts_with("status-");
}

void add_refused(Table& table) {
    const char* const upgrade = "a response needs Upgrade: websocket";
    const char* const connection = "a response needs Connection: Upgrade";
    const char* const status = "another status than 101 opens nothing";
    const HeadRow rows[] = {
        {"status-200", status, "4.1", line(status_line, "HTTP/1.1 200 OK")},
        {"status-100", status, "4.1", line(status_line, "HTTP/1.1 100 Continue")},
        {"status-102", status, "4.1", line(status_line, "HTTP/1.1 102 Processing")},
        {"status-204", status, "4.1", line(status_line, "HTTP/1.1 204 No Content")},
        {"status-400", status, "4.1", line(status_line, "HTTP/1.1 400 Bad Request")},
        {"status-404", status, "4.1", line(status_line, "HTTP/1.1 404 Not Found")},
        {"status-426", status, "4.1", line(status_line, "HTTP/1.1 426 Upgrade Required")},
        {"status-503", status, "4.1", line(status_line, "HTTP/1.1 503 Service Unavailable")},
        {"status-1010", "a status has three digits", "RFC 9112, section 4", line(status_line, "HTTP/1.1 1010 Switching Protocols")},
        {"status-missing", "a status line has a status", "RFC 9112, section 4", line(status_line, "HTTP/1.1 Switching Protocols")},
        {"no-http", "a response is HTTP", "RFC 9112, section 4", line(status_line, "101 Switching Protocols")},
        {"http-x", "a response is HTTP", "RFC 9112, section 4", line(status_line, "HTTX/1.1 101 Switching Protocols")},
        {"no-upgrade", upgrade, "4.1", without("Upgrade")},
        {"other-upgrade", upgrade, "4.1", set("Upgrade", "h2c")},
        {"similar-upgrade", upgrade, "4.1", set("Upgrade", "websockets")},
        {"no-connection", connection, "4.1", without("Connection")},
        {"other-connection", connection, "4.1", set("Connection", "keep-alive")},
        {"similar-connection", connection, "4.1", set("Connection", "Upgrades")},
    };
    for (const HeadRow& row : rows) refuse(table, row);
}

void add_wrong_proof(Table& table) {
    const char* const proof = "Sec-WebSocket-Accept must prove that the key was read";
    const HeadRow rows[] = {
        {"no-accept", proof, "4.1", without("Sec-WebSocket-Accept")},
        {"empty-accept", proof, "4.1", set("Sec-WebSocket-Accept", "")},
        {"other-accept", proof, "4.1", set("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")},
        {"accept-case", proof, "4.1", accept([](const std::string& value) { return lower(value) == value ? value + "x" : lower(value); })},
        {"accept-cut", proof, "4.1", accept([](const std::string& value) { return value.substr(0, value.size() - 2); })},
        {"accept-longer", proof, "4.1", accept([](const std::string& value) { return value + "AAAA"; })},
        {"accept-quoted", proof, "4.1", accept([](const std::string& value) { return '"' + value + '"'; })},
        {"two-accepts", "there is one Sec-WebSocket-Accept", "11.3.3", add("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")},
        {"subprotocol", "a subprotocol that was not asked for fails the connection", "4.1", add("Sec-WebSocket-Protocol", "x-unknown")},
        {"extension", "an extension that was not asked for fails the connection", "4.1", add("Sec-WebSocket-Extensions", "x-unknown")},
        {"extension-parameter", "an extension that was not asked for fails the connection", "4.1",
         add("Sec-WebSocket-Extensions", "x-unknown; a=1")},
        // A proxy is told to remove that space, and a user agent nothing.
        {"space-before-colon", "a client that sees space before a colon has no valid header", "RFC 9112, section 5.1",
         add("X-Space ", "value"), Verdict::not_strict},
        {"nul-in-value", "a NUL in a field's value is refused or replaced", "RFC 9110, section 5.5", add("X-Nul", std::string("a\0b", 3)),
         Verdict::informational},
        {"empty-name", "a field has a name", "RFC 9112, section 5", add("", "value")},
        {"no-colon", "a field has a colon", "RFC 9112, section 5", line(status_line, "HTTP/1.1 101 Switching Protocols\r\nno colon here")},
    };
    for (const HeadRow& row : rows) refuse(table, row);
}

void add_broken(Table& table) {
    const std::pair<const char*, std::string> rows[] = {{"garbage", "\x01\x02\x03 garbage\r\n\r\n"},
                                                        {"only-frames", "\x81\x05hello"},
                                                        {"http-0.9", "<html>hello</html>"},
                                                        {"empty", ""},
                                                        {"cut", "HTTP/1.1 101 Switching Proto"}};
    for (const auto& [name, bytes] : rows) {
        Case& a_case = table.add(name, "what is no response opens nothing", "4.1");
        a_case.outcome = Outcome::refusal;
        a_case.edit_text = [sent = bytes](std::string& head) { head = sent; };
        a_case.steps.push_back({});
        a_case.steps[0].finish = true;
    }
}

}  // namespace

std::vector<Case> response_cases() {
    Table table(Role::client, "response");
    add_request(table);
    add_accepted(table);
    add_refused(table);
    add_wrong_proof(table);
    add_broken(table);
    return table.take();
}

}  // namespace hawser::check
