// An echo server of Boost.Beast: one io_context, no locks, no type-erased executor.
#define BOOST_ASIO_DISABLE_THREADS 1
#define BOOST_ASIO_NO_TS_EXECUTORS 1
#include <functional>
#include <memory>
#include <utility>

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>

#include "listening.hpp"

namespace asio = boost::asio;
namespace beast = boost::beast;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

namespace {

class Session : public std::enable_shared_from_this<Session> {
public:
    explicit Session(Socket socket) : stream_(std::move(socket)) {
        stream_.read_message_max(0);
        stream_.auto_fragment(false);
        stream_.next_layer().set_option(asio::ip::tcp::no_delay(true));
    }
    void start() {
        stream_.async_accept([self = shared_from_this()](beast::error_code error) {
            if (!error) self->read();
        });
    }

private:
    void read() {
        stream_.async_read(message_, [self = shared_from_this()](beast::error_code error, std::size_t) {
            if (!error) self->write();
        });
    }
    void write() {
        stream_.text(stream_.got_text());
        stream_.async_write(message_.data(), [self = shared_from_this()](beast::error_code error, std::size_t) {
            if (error) return;
            self->message_.consume(self->message_.size());
            self->read();
        });
    }

    beast::websocket::stream<Socket> stream_;
    beast::flat_buffer message_;
};

}  // namespace

int main() {
    asio::io_context context(1);
    asio::basic_socket_acceptor<asio::ip::tcp, Executor> acceptor(context.get_executor(), {asio::ip::address_v4::loopback(), 0});
    acceptor.listen(4096);
    std::function<void()> accept = [&] {
        acceptor.async_accept([&](beast::error_code error, Socket socket) {
            if (!error) std::make_shared<Session>(std::move(socket))->start();
            accept();
        });
    };
    accept();
    benchmark::announce(acceptor.local_endpoint().port());
    context.run();
}
