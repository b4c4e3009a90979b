#include "edits.hpp"
#include "table.hpp"

namespace hawser::check {

namespace {

void add_accepted(Table& table) {
    const HeadRow rows[] = {
        {"plain", "a correct request is answered with 101", "4.2.2", [](Head&) {}},
        {"upgrade-case", "the value of Upgrade is compared without case", "4.2.1", set("Upgrade", "WebSocket")},
        {"connection-case", "the tokens of Connection are compared without case", "4.2.1", set("Connection", "upgrade")},
        {"connection-list", "Connection is a list of tokens", "4.2.1", set("Connection", "keep-alive, Upgrade")},
        {"connection-list-tight", "Connection is a list of tokens", "4.2.1", set("Connection", "keep-alive,Upgrade")},
        {"connection-twice", "Connection may be spread over several fields", "RFC 9110, section 5.3", add("Connection", "keep-alive")},
        {"unknown-field", "an unknown header field is ignored", "4.2.1", add("X-Unknown", "anything")},
        {"long-field", "a header field of 4 KiB is accepted", "4.2.1", add("X-Long", letters(4096))},
        {"origin", "an Origin may be sent", "4.2.1", add("Origin", "http://example.com")},
        {"empty-field", "a header field may be empty", "RFC 9112, section 5", add("X-Empty", "")},
        {"unknown-extension", "an extension that the server does not know is not agreed on", "9.1",
         set("Sec-WebSocket-Extensions", "x-unknown; a=1")},
        {"query", "the request target may have a query", "4.2.1", line(" HTTP", "?a=1&b=%20 HTTP")},
        {"reversed", "header fields may come in any order", "4.2.1", reversed()},
        {"lower-case", "names of header fields are compared without case", "RFC 9110, section 5.1", lower_names()},
        {"space-around-values", "space around the value of a field is not part of it", "RFC 9112, section 5", spaced_values()},
    };
    for (const HeadRow& row : rows) table.echo(row.name, row.requirement, row.place, {data(op::text, "hello")}).edit_head = row.edit;
    table.echo("bytewise", "a request may arrive one byte at a time", "4.2.1", {data(op::text, "hello")}).head_chop = 1;
    table.echo("pieces", "a request may arrive in pieces", "4.2.1", {data(op::text, "hello")}).head_chop = 7;
}

void add_choices(Table& table) {
    Case& subprotocol =
        table.echo("unknown-subprotocol", "a server chooses no subprotocol that was not offered", "4.2.2", {data(op::text, "hello")});
    subprotocol.edit_head = set("Sec-WebSocket-Protocol", "x-unknown-1, x-unknown-2");
    subprotocol.also = [](const Observation& seen) {
        const std::string chosen = seen.received.get("Sec-WebSocket-Protocol");
        const bool offered = chosen.empty() || seen.sent.has_token("Sec-WebSocket-Protocol", chosen);
        return offered ? Judgement{} : Judgement{Verdict::failed, "it chose \"" + chosen + "\""};
    };
    Case& none = table.echo("no-subprotocol", "a server chooses no subprotocol if none was offered", "4.2.2", {data(op::text, "hello")});
    none.also = [](const Observation& seen) {
        return seen.received.count("Sec-WebSocket-Protocol") == 0 ? Judgement{} : Judgement{Verdict::failed, "it chose one"};
    };
    Case& no_extension =
        table.echo("no-extension", "a server agrees on no extension if none was offered", "9.1", {data(op::text, "hello")});
    no_extension.also = [](const Observation& seen) {
        return seen.received.count("Sec-WebSocket-Extensions") == 0 ? Judgement{} : Judgement{Verdict::failed, "it agreed on one"};
    };
    Case& glued = table.echo("glued", "a frame must wait for the response; a server may take or refuse one that did not", "4.1",
                             {data(op::text, "hello")});
    glued.glued = true;
    glued.otherwise = glued.when_refused = Verdict::informational;
}

Case& refuse(Table& table, const HeadRow& row) {
    Case& a_case = table.add(row.name, row.requirement, row.place);
    a_case.outcome = Outcome::refusal;
    a_case.edit_head = row.edit;
    a_case.otherwise = row.otherwise;
    return a_case;
}

void add_refused(Table& table) {
    const HeadRow rows[] = {
        {"no-host", "a request needs a Host", "4.2.1", without("Host")},
        {"two-hosts", "a request has one Host", "RFC 9112, section 3.2", add("Host", "example.com")},
        {"no-upgrade", "a request needs Upgrade: websocket", "4.2.1", without("Upgrade")},
        {"other-upgrade", "a request needs Upgrade: websocket", "4.2.1", set("Upgrade", "h2c")},
        {"similar-upgrade", "a request needs Upgrade: websocket", "4.2.1", set("Upgrade", "websockets")},
        {"no-connection", "a request needs Connection: Upgrade", "4.2.1", without("Connection")},
        {"other-connection", "a request needs Connection: Upgrade", "4.2.1", set("Connection", "keep-alive")},
        {"similar-connection", "a request needs Connection: Upgrade", "4.2.1", set("Connection", "Upgrades")},
    };
    for (const HeadRow& row : rows) refuse(table, row);
}

void add_wrong_keys(Table& table) {
    const char* const key = "Sec-WebSocket-Key";
    const char* const key_rule = "the key is 16 bytes in base64";
    const HeadRow rows[] = {
        {"no-key", "a request needs a key", "4.2.1", without(key)},
        {"empty-key", key_rule, "4.2.1", set(key, "")},
        {"key-of-15", key_rule, "4.2.1", set(key, to_base64(letters(15)))},
        {"key-of-17", key_rule, "4.2.1", set(key, to_base64(letters(17)))},
        {"key-of-32", key_rule, "4.2.1", set(key, to_base64(letters(32)))},
        {"key-not-base64", key_rule, "4.2.1", set(key, "!!!!!!!!!!!!!!!!!!!!!!==")},
        {"key-unpadded", key_rule, "4.2.1", set(key, to_base64(letters(16)).substr(0, 22))},
        {"two-keys", "there is one key", "11.3.1", add(key, to_base64(letters(16)))},
        {"two-versions", "there is one version", "11.3.5", add("Sec-WebSocket-Version", "8")},
    };
    for (const HeadRow& row : rows) refuse(table, row);
}

void add_wrong_syntax(Table& table) {
    const HeadRow rows[] = {
        {"post", "the method is GET", "4.2.1", line("GET", "POST")},
        {"head", "the method is GET", "4.2.1", line("GET", "HEAD")},
        {"lower-case-get", "methods are compared with case", "RFC 9110, section 9.1", line("GET", "get")},
        {"http-1.0", "the HTTP version is at least 1.1", "4.2.1", line("HTTP/1.1", "HTTP/1.0")},
        {"http-0.9", "the HTTP version is at least 1.1", "4.2.1", line(" HTTP/1.1", "")},
        {"http-x", "a request line names an HTTP version", "RFC 9112, section 3", line("HTTP/1.1", "HTTX/1.1")},
        // A server SHOULD answer that with 400.
        {"no-target", "a request line has a target", "RFC 9112, section 3", line("/", ""), Verdict::not_strict},
        {"space-before-colon", "no space stands between a name and its colon", "RFC 9112, section 5.1", add("X-Space ", "value")},
        {"space-in-name", "a field's name is a token", "RFC 9112, section 5", add("X Space", "value")},
        {"empty-name", "a field has a name", "RFC 9112, section 5", add("", "value")},
        {"nul-in-value", "a NUL in a field's value is refused or replaced", "RFC 9110, section 5.5", add("X-Nul", std::string("a\0b", 3)),
         Verdict::informational},
        {"carriage-return-in-value", "a bare CR in a field's value is refused or replaced", "RFC 9112, section 2.2",
         add("X-Return", "a\rb"), Verdict::informational},
    };
    for (const HeadRow& row : rows) refuse(table, row);
    refuse(table, {"no-colon", "a field has a colon", "RFC 9112, section 5", [](Head& head) { head.first_line += "\r\nno colon here"; }});
    const std::pair<const char*, std::string> garbage[] = {
        {"garbage", "\x01\x02\x03 garbage\r\n\r\n"},
        {"client-hello", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03", 11) + letters(500) + "\r\n\r\n"},
    };
    for (const auto& [name, bytes] : garbage) {
        Case& a_case = table.add(name, "what is no HTTP is refused", "4.2.1");
        a_case.outcome = Outcome::refusal;
        a_case.edit_text = [sent = bytes](std::string& head) { head = sent; };
    }
}

void add_large(Table& table) {
    const std::pair<const char*, Edit> rows[] = {
        {"field-of-100000", add("X-Large", letters(100'000))},
        {"2000-fields",
         [](Head& head) {
             for (int i = 0; i < 2000; ++i) head.fields.push_back({"X-" + std::to_string(i), "value"});
         }},
        {"spaces", add("X-Spaces", std::string(50'000, ' ') + "x")},
    };
    for (const auto& [name, edit] : rows)
        refuse(table, {name, "a request may be refused for its size", "10.4", edit, Verdict::informational});
}

void add_versions(Table& table) {
    for (const std::string version : {"", "0", "7", "8", "12", "14", "99", "255", "256", "x", "13, 8"}) {
        Case& a_case = table.add("version-" + (version.empty()      ? "none"
                                               : version == "13, 8" ? "list"
                                                                    : version),
                                 "a server that does not know a version answers with those that it knows", "4.4");
        a_case.outcome = Outcome::refusal;
        a_case.edit_head = [version](Head& head) {
            version.empty() ? head.remove("Sec-WebSocket-Version") : head.set("Sec-WebSocket-Version", version);
        };
        const bool number = !version.empty() && version.find_first_not_of("0123456789") == std::string::npos;
        if (!number) continue;
        a_case.also = [](const Observation& seen) {
            const bool told = seen.received.has_token("Sec-WebSocket-Version", "13");
            return told ? Judgement{} : Judgement{Verdict::failed, "no Sec-WebSocket-Version says what it knows"};
        };
    }
}

}  // namespace

std::vector<Case> request_cases() {
    Table table(Role::server, "request");
    add_accepted(table);
    add_choices(table);
    add_refused(table);
    add_wrong_keys(table);
    add_wrong_syntax(table);
    add_large(table);
    add_versions(table);
    return table.take();
}

}  // namespace hawser::check
