// async_authorization: the handshake waits for an answer that takes its time, a database's say; the loop does not.
// ws://127.0.0.1:PORT/?anna is let in, others get 403.
#include <hawser/hawser.hpp>

#include <iostream>

namespace {

/// Calls back later, as a driver of a database would.
void ask_database(hawser::Reactor& reactor, const std::string& user, std::function<void(bool)> answer) {
    reactor.after(hawser::Seconds(0.05), [user, answer = std::move(answer)] { answer(user == "anna"); });
}

}  // namespace

int main() {
    hawser::Reactor reactor;
    hawser::Server server(reactor, {.host = "127.0.0.1", .port = 0});
    const auto authorization = std::make_shared<hawser::Callback>();
    authorization->on_http_incoming = [&](hawser::Connection& connection, hawser::HttpMessage message, const hawser::HttpNext& next) {
        const auto request = std::get<hawser::Request>(std::move(message));
        const std::string user(request.query());
        connection.set_meta("user", user);
        // What is kept does nothing when the client has gone meanwhile.
        ask_database(reactor, user, [later = next.later(), request](bool is_known) {
            if (is_known)
                later(request);
            else
                later.respond({403, "", {{"Content-Type", "text/plain"}}, "who are you?\n"});
        });
    };
    server.add_middleware(authorization);
    server.on_handshake([](hawser::Connection& connection, const hawser::Request&, const hawser::Response&) {
        connection.text("hello " + *connection.meta<std::string>("user"));
    });
    server.start();
    std::cout << "listening on ws://" << server.name() << '/' << std::endl;
    reactor.run();
}
