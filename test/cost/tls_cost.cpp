// What wss costs a server beyond mbedTLS's own work: tls_cost [ROUNDS]
//
// One client of bare mbedTLS talks over loopback TCP to a server of hawser's, and to one of bare mbedTLS that has the same
// settings and reads and writes the same bytes. Only what the servers do counts, in rounds that take turns; figures are
// medians, with the least and the most of the rounds.

#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/hawser.hpp>

#include "cost/measure.hpp"
#include "protocol/frame.hpp"
#include "support/certificates.hpp"
#include "transport/mbedtls_shim.hpp"
#include "transport/tls_context.hpp"

namespace {

using namespace hawser;
using support::Descriptor;

constexpr std::string_view request =
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
constexpr std::size_t exchanges_a_round = 400;
constexpr std::size_t handshakes_a_round = 15;
constexpr std::size_t idle_connections = 100;

void require(bool condition, const char* what) {
    if (!condition) throw std::runtime_error(what);
}

/// Bytes on their way between the ends of a bare connection; neither call blocks. 0: nothing was moved.
class Wire {
public:
    virtual ~Wire() = default;
    virtual std::size_t send(std::string_view bytes) = 0;
    virtual std::size_t receive(std::span<char> into) = 0;
};

class SocketWire final : public Wire {
public:
    explicit SocketWire(Descriptor socket) : socket_(std::move(socket)) {
        const int on = 1;
        require(setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
    }
    std::size_t send(std::string_view bytes) override { return moved(::send(socket_.get(), bytes.data(), bytes.size(), flags)); }
    std::size_t receive(std::span<char> into) override { return moved(recv(socket_.get(), into.data(), into.size(), flags)); }

private:
    static constexpr int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    static std::size_t moved(ssize_t size) noexcept { return size > 0 ? static_cast<std::size_t>(size) : 0; }
    Descriptor socket_;
};

/// Two of them share what each sends.
class MemoryWire final : public Wire {
public:
    MemoryWire(std::string& out, std::string& in) : out_(out), in_(in) {}
    std::size_t send(std::string_view bytes) override {
        out_.append(bytes);
        return bytes.size();
    }
    std::size_t receive(std::span<char> into) override {
        const std::size_t size = in_.copy(into.data(), into.size(), taken_);
        taken_ += size;
        if (taken_ == in_.size()) {
            in_.clear();
            taken_ = 0;
        }
        return size;
    }

private:
    std::string& out_;
    std::string& in_;
    std::size_t taken_ = 0;
};

/// One end of a connection as a program without hawser has it: mbedTLS over a wire, or the wire alone.
class End {
public:
    End(std::unique_ptr<Wire> wire, const mbedtls_ssl_config* config) : wire_(std::move(wire)) {
        if (!config) return;
        ssl_ = std::make_unique<transport::mbedtls::Ssl>();
        require(mbedtls_ssl_setup(ssl_->get(), config) == 0, "mbedtls_ssl_setup");
        mbedtls_ssl_set_bio(ssl_->get(), wire_.get(), send, receive, nullptr);
    }
    /// Goes on with the handshake; returns whether it is complete.
    bool shake_hands() {
        if (is_open_ || !ssl_) return true;
        const int result = mbedtls_ssl_handshake(ssl_->get());
        require(result == 0 || result == MBEDTLS_ERR_SSL_WANT_READ, "the handshake failed");
        is_open_ = result == 0;
        return is_open_;
    }
    void write(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
            const int size = ssl_ ? mbedtls_ssl_write(ssl_->get(), data, bytes.size()) : static_cast<int>(wire_->send(bytes));
            require(size > 0, "the socket's buffer is too small");
            bytes.remove_prefix(static_cast<std::size_t>(size));
        }
    }
    /// Reads so many bytes, or what there is.
    std::size_t read(std::span<char> into) {
        std::size_t total = 0;
        while (total < into.size()) {
            const std::span<char> rest = into.subspan(total);
            const int size = ssl_ ? mbedtls_ssl_read(ssl_->get(), reinterpret_cast<unsigned char*>(rest.data()), rest.size())
                                  : static_cast<int>(wire_->receive(rest));
            if (size <= 0) break;
            total += static_cast<std::size_t>(size);
        }
        return total;
    }

private:
    static int send(void* wire, const unsigned char* bytes, std::size_t size) {
        const std::size_t sent = static_cast<Wire*>(wire)->send({reinterpret_cast<const char*>(bytes), size});
        return sent != 0 ? static_cast<int>(sent) : MBEDTLS_ERR_SSL_WANT_WRITE;
    }
    static int receive(void* wire, unsigned char* into, std::size_t size) {
        const std::size_t received = static_cast<Wire*>(wire)->receive({reinterpret_cast<char*>(into), size});
        return received != 0 ? static_cast<int>(received) : MBEDTLS_ERR_SSL_WANT_READ;
    }

    std::unique_ptr<Wire> wire_;
    std::unique_ptr<transport::mbedtls::Ssl> ssl_;
    bool is_open_ = false;
};

/// A server under test.
class Host {
public:
    virtual ~Host() = default;
    /// Does what there is to do now.
    virtual void step() = 0;
    virtual std::size_t answers() const = 0;
    virtual End connect(const mbedtls_ssl_config* config) = 0;
    /// So long are the messages that come, and so long is what answers one.
    virtual void expect(std::size_t, std::size_t) {}
    /// The client has gone.
    virtual void hang_up() { step(); }
};

transport::Address loopback(std::uint16_t port) { return transport::Address::literal("127.0.0.1", port); }
std::unique_ptr<Wire> dial(const transport::Address& address) {
    Descriptor socket = support::connect_to(address);
    require(static_cast<bool>(socket), "cannot connect");
    return std::make_unique<SocketWire>(std::move(socket));
}

class HawserHost final : public Host {
public:
    HawserHost(bool ssl, const Configuration& configuration)
        : server_(reactor_, {.host = "127.0.0.1", .port = 0, .ssl = ssl, .configuration = configuration}) {
        server_.on_binary([this](Connection& connection, MessageView message) {
            connection.send(message);
            ++answers_;
        });
        server_.start();
    }
    void step() override { reactor_.run_once(Seconds(0)); }
    std::size_t answers() const override { return answers_; }
    End connect(const mbedtls_ssl_config* config) override { return {dial(loopback(server_.port())), config}; }

private:
    Reactor reactor_;
    Server server_;
    std::size_t answers_ = 0;
};

class BareHost final : public Host {
public:
    explicit BareHost(const mbedtls_ssl_config& config) : config_(config), listener_(support::listen_on(loopback(0))) {
        address_ = transport::Address::local_of(listener_.get());
    }
    /// The newest connection is the one that has something to do; before it may be those that idle.
    void step() override {
        if (std::exchange(dialled_, false)) {
            Descriptor socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            ends_.push_back(std::make_unique<End>(std::make_unique<SocketWire>(std::move(socket)), &config_));
        }
        if (ends_.empty() || !ends_.back()->shake_hands() || message_.empty()) return;
        received_ += ends_.back()->read(std::span(message_).subspan(received_));
        if (received_ < message_.size()) return;
        received_ = 0;
        ends_.back()->write(std::string_view(message_).substr(message_.size() - answer_));
        ++answers_;
    }
    std::size_t answers() const override { return answers_; }
    End connect(const mbedtls_ssl_config* config) override {
        dialled_ = true;
        return {dial(address_), config};
    }
    void expect(std::size_t message, std::size_t answer) override {
        message_.assign(message, '\0');
        answer_ = answer;
    }
    void hang_up() override { ends_.clear(); }

private:
    const mbedtls_ssl_config& config_;
    Descriptor listener_;
    transport::Address address_;
    std::vector<std::unique_ptr<End>> ends_;
    std::string message_;
    std::size_t answer_ = 0;
    std::size_t received_ = 0;
    std::size_t answers_ = 0;
    bool dialled_ = false;
};

// Measuring.

/// Lets the server work until it is `done`; the microseconds that this took.
template <typename Done>
double serve(Host& host, Done&& done) {
    return cost::time_of([&] {
        do host.step();
        while (!done());
    });
}

/// A client's message, and what the server sends back.
struct Exchange {
    explicit Exchange(std::size_t payload) : message(protocol::max_header_size + payload, 'x'), size(payload) {
        constexpr protocol::MaskingKey key = {'a', 'b', 'c', 'd'};
        const char* end = protocol::write_header(message.data(), true, static_cast<unsigned>(Opcode::binary), payload, key);
        message.resize(static_cast<std::size_t>(end - message.data()) + payload);
        answer.resize(protocol::header_size(payload, false) + payload);
    }
    std::string message;
    std::string answer;
    std::size_t size;
};

/// Median of the server's microseconds for one message.
double echo(Host& host, End& client, Exchange& exchange) {
    host.expect(exchange.message.size(), exchange.answer.size());
    std::vector<double> times;
    for (std::size_t i = 0; i < exchanges_a_round; ++i) {
        client.write(exchange.message);
        const std::size_t before = host.answers();
        times.push_back(serve(host, [&] { return host.answers() != before; }));
        require(client.read(exchange.answer) == exchange.answer.size(), "an answer is not complete");
    }
    return cost::median(times);
}

/// Median of the server's microseconds for one connection that shakes hands and goes.
double shake_hands(Host& host, const mbedtls_ssl_config& config) {
    std::vector<double> times;
    for (std::size_t i = 0; i < handshakes_a_round; ++i) {
        double time = 0;
        {
            End client = host.connect(&config);
            while (!client.shake_hands()) time += serve(host, [] { return true; });
        }
        times.push_back(time + cost::time_of([&] { host.hang_up(); }));
    }
    return cost::median(times);
}

void upgrade(Host& host, End& client) {
    client.write(request);
    std::array<char, 512> response;
    std::size_t size = 0;
    while (size == 0) {
        host.step();
        size = client.read(response);
    }
    require(std::string_view(response.data(), size).starts_with("HTTP/1.1 101 "), "the server does not answer with 101");
}

/// Median of the microseconds for reading and writing the same bytes as records, without any socket.
double records(const mbedtls_ssl_config& server_config, const mbedtls_ssl_config& client_config, Exchange& exchange) {
    std::string to_server, to_client;
    End server(std::make_unique<MemoryWire>(to_client, to_server), &server_config);
    End client(std::make_unique<MemoryWire>(to_server, to_client), &client_config);
    while (!client.shake_hands() || !server.shake_hands()) server.shake_hands();
    std::string message(exchange.message.size(), '\0');
    std::vector<double> times;
    for (std::size_t i = 0; i < exchanges_a_round; ++i) {
        client.write(exchange.message);
        times.push_back(cost::time_of([&] {
            server.read(message);
            server.write(exchange.answer);
        }));
        client.read(exchange.answer);
    }
    return cost::median(times);
}

std::size_t heap() {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/// Bytes of heap that the server takes for each of its idle connections.
std::size_t idle_memory(Host& host, const mbedtls_ssl_config* config, bool is_websocket) {
    std::vector<End> clients;
    clients.reserve(idle_connections);
    std::size_t grown = 0;
    const auto step = [&] {
        const std::size_t before = heap();
        host.step();
        grown += heap() - before;
    };
    for (std::size_t i = 0; i < idle_connections; ++i) {
        End& client = clients.emplace_back(host.connect(config));
        while (!client.shake_hands()) step();
        if (!is_websocket) continue;
        client.write(request);
        std::array<char, 512> response;
        while (client.read(response) == 0) step();
    }
    return grown / idle_connections;
}

// Reporting.

class Bench {
public:
    explicit Bench(std::size_t rounds) : rounds_(rounds) {}

    void report_echo(std::size_t payload) {
        Exchange exchange(payload);
        HawserHost plain_host(false, {}), tls_host(true, server_settings_);
        BareHost bare_host(server_config());
        End plain = plain_host.connect(nullptr), tls = open(tls_host), bare = open(bare_host);
        upgrade(plain_host, plain);
        upgrade(tls_host, tls);
        cost::Rounds plain_time, tls_time, bare_time, record_time, of_bare, of_sum;
        for (std::size_t round = 0; round < rounds_; ++round) {
            const double in_plain = echo(plain_host, plain, exchange), in_tls = echo(tls_host, tls, exchange);
            const double in_bare = echo(bare_host, bare, exchange), in_records = records(server_config(), client_config(), exchange);
            plain_time.add(in_plain);
            tls_time.add(in_tls);
            bare_time.add(in_bare);
            record_time.add(in_records);
            of_bare.add(in_bare / in_tls);
            of_sum.add((in_plain + in_records) / in_tls);
        }
        std::cout << "| " << payload << " | " << tls_time.text() << " | " << plain_time.text() << " | " << record_time.text() << " | "
                  << bare_time.text() << " | " << of_bare.text(3) << " | " << of_sum.text(3) << " |" << std::endl;
    }

    void report_handshakes() {
        HawserHost host(true, server_settings_);
        BareHost bare_host(server_config());
        cost::Rounds time, bare_time, ratio;
        for (std::size_t round = 0; round < rounds_; ++round) {
            const double bare = shake_hands(bare_host, client_config()), ours = shake_hands(host, client_config());
            time.add(ours);
            bare_time.add(bare);
            ratio.add(bare / ours);
        }
        std::cout << "\nA full handshake, microseconds: hawser " << time.text(0) << ", bare mbedTLS " << bare_time.text(0) << ", rate "
                  << ratio.text(3) << " of its own\n";
    }

    void report_memory() {
        HawserHost plain_host(false, {}), host(true, server_settings_);
        BareHost bare_host(server_config());
        const std::size_t plain = idle_memory(plain_host, nullptr, true), tls = idle_memory(host, &client_config(), true);
        const std::size_t bare = idle_memory(bare_host, &client_config(), false);
        std::string to_server, to_client;
        const std::size_t before = heap();
        const End unused(std::make_unique<MemoryWire>(to_client, to_server), &server_config());
        const std::size_t set_up = heap() - before;
        std::cout << "\nHeap of an idle connection, bytes: wss " << tls << ", ws " << plain << "; bare mbedTLS " << bare << ", of which "
                  << set_up << " before the handshake\n";
    }

private:
    static Context ssl_options(const std::map<std::string, OptionValue>& options) {
        Context context;
        context.set_options({{"ssl", options}});
        return context;
    }
    const mbedtls_ssl_config& server_config() const { return server_context_->config(); }
    const mbedtls_ssl_config& client_config() const { return client_context_->config(); }
    End open(Host& host) const {
        End client = host.connect(&client_config());
        while (!client.shake_hands()) host.step();
        return client;
    }

    std::size_t rounds_;
    const support::Authority& authority_ = support::Authority::instance();
    Context server_options_ = ssl_options({{"local_cert", authority_.leaf_file}, {"local_pk", authority_.key_file}});
    Configuration server_settings_{.context = server_options_};
    std::shared_ptr<transport::TlsContext> server_context_ = transport::make_tls_context(transport::TlsRole::server, server_options_);
    std::shared_ptr<transport::TlsContext> client_context_ =
        transport::make_tls_context(transport::TlsRole::client, ssl_options({{"verify_peer", false}}));
};

}  // namespace

int main(int argc, char** argv) {
    Bench bench(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 11);
    std::cout << transport::mbedtls::library_name() << ", microseconds of a server for one message\n\n"
              << "| bytes | wss | ws | its records alone | bare mbedTLS on a socket | rate, of bare mbedTLS's | rate, of ws and records |\n"
              << "|---|---|---|---|---|---|---|" << std::endl;
    // With its header, 16 bytes less than 16 KiB fit into one record.
    for (const std::size_t size : {20U, 125U, 1024U, 4096U, 16 * 1024U - 16, 16 * 1024U, 64 * 1024U}) bench.report_echo(size);
    bench.report_handshakes();
    bench.report_memory();
}
