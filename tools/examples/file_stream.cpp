// file_stream FILE: sends the file to each who connects, in binary messages, and closes. No more of it is in memory than the
// socket and the high-water mark hold.
#include <hawser/hawser.hpp>

#include <fstream>
#include <iostream>

namespace {

void send_some(hawser::Connection& connection) {
    auto& file = **connection.meta<std::shared_ptr<std::ifstream>>("file");
    std::string piece(64 * 1024, '\0');
    while (connection.is_writable()) {
        file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        const auto size = static_cast<std::size_t>(file.gcount());
        if (size == 0) {
            connection.close(file.bad() ? hawser::CloseCode::internal_error : hawser::CloseCode::normal);
            return;
        }
        if (connection.binary(std::string_view(piece).substr(0, size)) != hawser::SendStatus::ok) return;  // goes on at on_drain
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return std::cerr << "usage: file_stream FILE\n", 2;
    const std::string path = argv[1];
    hawser::Reactor reactor;
    hawser::Server server(reactor, {.host = "127.0.0.1", .port = 0});
    server.on_handshake([&](hawser::Connection& connection, const hawser::Request&, const hawser::Response&) {
        auto file = std::make_shared<std::ifstream>(path, std::ios::binary);
        if (!*file) {
            connection.close(hawser::CloseCode::internal_error, "cannot open the file");
            return;
        }
        connection.set_meta("file", file);
        connection.set_frame_size(64 * 1024);
        send_some(connection);
    });
    server.on_drain(send_some);
    server.start();
    std::cout << "listening on ws://" << server.name() << '/' << std::endl;
    reactor.run();
}
