// An echo server of websocketpp on Asio: no locks, no logs, no limit of size.
#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/logger/stub.hpp>
#include <websocketpp/server.hpp>

#include "listening.hpp"

namespace benchmark {

struct Config : websocketpp::config::asio {
    using concurrency_type = websocketpp::concurrency::none;
    using elog_type = websocketpp::log::stub;
    using alog_type = websocketpp::log::stub;
    struct TransportConfig : websocketpp::config::asio::transport_config {
        using concurrency_type = websocketpp::concurrency::none;
        using elog_type = websocketpp::log::stub;
        using alog_type = websocketpp::log::stub;
        static constexpr bool enable_multithreading = false;
    };
    using transport_type = websocketpp::transport::asio::endpoint<TransportConfig>;
    static constexpr bool enable_multithreading = false;
    static constexpr std::size_t connection_read_buffer_size = 64 * 1024;
    static constexpr std::size_t max_message_size = 200 * 1024 * 1024;
};
using Server = websocketpp::server<Config>;

}  // namespace benchmark

int main() {
    using benchmark::Server;
    Server server;
    server.init_asio();
    server.set_listen_backlog(4096);
    server.set_tcp_post_init_handler([&](websocketpp::connection_hdl connection) {
        server.get_con_from_hdl(connection)->get_raw_socket().set_option(boost::asio::ip::tcp::no_delay(true));
    });
    server.set_message_handler([&](websocketpp::connection_hdl connection, Server::message_ptr message) {
        websocketpp::lib::error_code error;
        server.send(connection, message->get_payload(), message->get_opcode(), error);
    });
    server.listen(boost::asio::ip::address_v4::loopback(), 0);
    server.start_accept();
    boost::system::error_code error;
    benchmark::announce(server.get_local_endpoint(error).port());
    server.run();
}
