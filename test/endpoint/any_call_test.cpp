#include "endpoint/any_call.hpp"

// Each public call, in each callback that it brings about: whatever is destroyed, ended, thrown or changed there.

using namespace support;

namespace {

struct Call {
    const char* name;
    bool on_open;  ///< of an open connection
    std::function<void(Stage&)> make;
    std::vector<std::string> brings;
    std::vector<Setting> not_in{};
};

const std::vector<std::string> handshake = {"client.http_outgoing", "server.http_incoming", "server.http_outgoing",
                                            "server.log",           "server.on_handshake",  "client.http_incoming",
                                            "client.log",           "client.on_handshake"};

/// From the one side's send to the other's listeners.
std::vector<std::string> passes(const std::string& from, const std::string& to, const char* listener) {
    return {from + ".outgoing", to + ".incoming", to + listener, to + ".on_message"};
}

std::vector<std::string> closes(const std::string& from, const std::string& to) {
    return {from + ".outgoing", to + ".incoming",  to + ".on_close",      to + ".outgoing",
            from + ".incoming", from + ".on_close", from + ".on_disconnect", to + ".on_disconnect"};
}

/// Runs an endpoint, for a moment at most.
template <typename Endpoint>
void run(Stage& stage, std::unique_ptr<Endpoint>& endpoint) {
    const TimerId timer = stage.reactor->after(Seconds(0.05), [&] {
        if (endpoint) endpoint->stop();
    });
    stage.calls([&] { endpoint->run(); });
    stage.reactor->cancel(timer);
}

void ask_for_page(Stage& stage) {
    const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    stage.visitor = connect_to(Address::literal("127.0.0.1", stage.server->port()));
    REQUIRE(send(stage.visitor.get(), request.data(), request.size(), MSG_NOSIGNAL) == ssize_t(request.size()));
}

const std::vector<Call> calls = {
    {"Client::connect", false, [](Stage& s) { s.client->connect(); }, handshake},
    {"Client::start", false, [](Stage& s) { s.client->start(); }, {"client.http_incoming", "client.on_handshake"}},
    {"Client::run", false, [](Stage& s) { run(s, s.client); }, {"client.http_outgoing", "client.on_handshake", "client.on_tick"},
     {Setting::blocking}},
    {"Client::text, twice before the handshake", false,
     [](Stage& s) {
         s.client->text("one");
         if (s.client) s.client->text("two");
     },
     {"client.on_handshake", "client.outgoing", "server.incoming", "server.on_text"}},
    {"Client::close, with a text before the handshake", false,
     [](Stage& s) {
         s.client->text("one");
         if (s.client) s.client->close();
     },
     {"client.on_handshake", "client.outgoing", "server.on_close", "client.on_close", "client.on_disconnect"},
     {Setting::blocking}},
    {"Client::disconnect, with a text before the handshake", false,
     [](Stage& s) {
         s.client->text("one");
         if (s.client) s.client->disconnect();
     },
     {"client.on_error"},
     {Setting::blocking}},
    {"Client::text, refused before the handshake", false, [](Stage& s) { s.client->text("\xFF"); }, {"client.on_error"}},
    {"Client::connect, to nobody", false,
     [](Stage& s) {
         s.server->disconnect();
         s.client->connect();
     },
     {"client.log", "client.on_error"}},
    {"a request for a page", false, ask_for_page, {"server.on_http"}, {Setting::wss}},
    {"Client::text", true, [](Stage& s) { s.client->text("one"); }, passes("client", "server", ".on_text")},
    {"Client::binary", true, [](Stage& s) { s.client->binary(std::string(100'000, 'x')); },
     {"client.outgoing", "client.on_drain", "server.on_binary"}},
    {"Client::ping", true, [](Stage& s) { s.client->ping("one"); }, {"server.on_ping", "server.outgoing", "client.on_pong"}},
    {"Client::close", true, [](Stage& s) { s.client->close(); }, closes("client", "server")},
    {"Client::disconnect", true, [](Stage& s) { s.client->disconnect(); }, {"client.on_disconnect", "server.on_disconnect"}},
    {"Client::receive", true,
     [](Stage& s) {
         s.at_server()->text("one");
         if (s.is_blocking()) s.client->receive();
     },
     {"client.incoming", "client.on_text", "client.on_message"}},
    {"Connection::text, refused", true, [](Stage& s) { s.client->connection()->text("\xFF"); }, {"client.outgoing", "client.on_error"}},
    {"Connection::tick", true, [](Stage& s) { s.client->connection()->tick(); }, {"client.tick"}},
    {"Connection::close_write", true, [](Stage& s) { s.client->connection()->close_write(); },
     {"client.on_disconnect", "server.on_disconnect"}},
    {"Server::text", true, [](Stage& s) { s.server->text("one"); }, passes("server", "client", ".on_text")},
    {"Server::text, refused", true, [](Stage& s) { s.server->text("\xFF"); }, {"server.on_error"}},
    {"Server::binary", true, [](Stage& s) { s.server->binary(std::string(100'000, 'x')); },
     {"server.outgoing", "server.on_drain", "client.on_binary"}},
    {"Server::ping", true, [](Stage& s) { s.server->ping("one"); }, {"client.on_ping", "client.outgoing", "server.on_pong"}},
    {"Server::close", true, [](Stage& s) { s.server->close(); }, closes("server", "client")},
    {"Server::disconnect", true, [](Stage& s) { s.server->disconnect(); }, {"server.on_disconnect", "client.on_disconnect"}},
    {"Server::shutdown", true, [](Stage& s) { s.server->shutdown(); }, closes("server", "client")},
    {"Server::shutdown, with a code that no Close may have", true,
     [](Stage& s) { s.server->shutdown(CloseCode::abnormal, Seconds(0.02)); }, {"server.on_error", "server.on_disconnect"}},
    {"Server::run", true, [](Stage& s) { run(s, s.server); }, {"server.on_tick", "server.tick"}},
};

struct Deed {
    const char* name;
    std::function<void(Stage&, const std::string& callback, Connection*)> act;
};

bool is_client(const std::string& callback) { return callback.starts_with("client"); }

const std::vector<Deed> deeds = {
    {"destroy its endpoint",
     [](Stage& s, const std::string& callback, Connection*) { is_client(callback) ? s.destroy_client() : s.destroy_server(); }},
    {"destroy the other",
     [](Stage& s, const std::string& callback, Connection*) { is_client(callback) ? s.destroy_server() : s.destroy_client(); }},
    {"destroy both", [](Stage& s, const std::string&, Connection*) { s.destroy_server(), s.destroy_client(); }},
    {"disconnect",
     [](Stage& s, const std::string& callback, Connection* connection) {
         if (connection) connection->disconnect();
         if (is_client(callback) && s.client) s.client->disconnect();
         if (!is_client(callback) && s.server) s.server->disconnect();
     }},
    {"throw", [](Stage&, const std::string&, Connection*) { throw std::runtime_error("from a callback"); }},
    {"destroy its endpoint and throw",
     [](Stage& s, const std::string& callback, Connection*) {
         is_client(callback) ? s.destroy_client() : s.destroy_server();
         throw std::runtime_error("from a callback");
     }},
    {"replace the listeners", [](Stage& s, const std::string& callback, Connection*) { s.replace_listeners(callback); }},
    {"remove the middleware", [](Stage& s, const std::string& callback, Connection*) { s.remove_middleware(callback); }},
};

/// Makes the call, and runs until each callback came that it brings, or the one that has something to do has done it.
void perform(Stage& stage, const Call& call) {
    stage.calls([&] { call.make(stage); });
    const auto has_come = [&](const std::string& callback) { return stage.came.contains(callback); };
    stage.run_until([&] { return stage.acted || std::all_of(call.brings.begin(), call.brings.end(), has_come); });
}

bool applies(const Call& call, Setting setting) {
    return std::find(call.not_in.begin(), call.not_in.end(), setting) == call.not_in.end();
}

template <typename Each>
void for_each_callback(Setting setting, Each&& each) {
    for (const Call& call : calls)
        for (const std::string& callback : call.brings)
            if (applies(call, setting)) each(call, callback);
}

Setting any_setting() { return GENERATE(Setting::ws, Setting::wss, Setting::borrowed_loop, Setting::blocking, Setting::persistent); }

}  // namespace

TEST_CASE("any call: each brings about the callbacks that the others are tried in", "[any_call]") {
    const Setting setting = any_setting();
    for (const Call& call : calls) {
        if (!applies(call, setting)) continue;
        INFO(int(setting) << " " << call.name);
        Stage stage(setting);
        if (call.on_open) stage.open();
        perform(stage, call);
        for (const std::string& callback : call.brings) CHECK((stage.came.contains(callback) ? "" : callback) == "");
        CHECK(stage.late.empty());
    }
}

TEST_CASE("any call: whatever is done in a callback, nothing is told behind the end, and the loop comes to rest", "[any_call]") {
    const Setting setting = any_setting();
    for_each_callback(setting, [&](const Call& call, const std::string& callback) {
        for (const Deed& deed : deeds) {
            INFO(int(setting) << " " << call.name << ", in " << callback << ": " << deed.name);
            Stage stage(setting);
            if (call.on_open) stage.open();
            stage.give(callback, [&](Stage& s, Connection* connection) { deed.act(s, callback, connection); });
            perform(stage, call);
            CHECK(stage.acted);
            CHECK(stage.late == std::vector<std::string>());
            const bool throws = std::string_view(deed.name).ends_with("throw");
            CHECK(std::count(stage.thrown.begin(), stage.thrown.end(), "from a callback") <= (throws ? 1 : 0));
        }
    });
}

TEST_CASE("any call: ReconnectRequested fails over, in whatever callback of a client it is thrown", "[any_call]") {
    const Setting setting = any_setting();
    for_each_callback(setting, [&](const Call& call, const std::string& callback) {
        // What leaves a logger is swallowed.
        if (!is_client(callback) || callback == "client.log") return;
        INFO(int(setting) << " " << call.name << ", in " << callback);
        Stage stage(setting);
        if (call.on_open) stage.open();
        stage.give(callback, [](Stage& s, Connection*) { throw ReconnectRequested(s.other_uri()); });
        perform(stage, call);
        CHECK(stage.acted);
        stage.run_until([&] { return stage.failovers != 0; });
        CHECK(stage.failovers == 1);
        CHECK(stage.late == std::vector<std::string>());
        const auto leaves = [](const std::string& what) { return what.find("connect anew") != what.npos; };
        CHECK(std::none_of(stage.thrown.begin(), stage.thrown.end(), leaves));
    });
}
