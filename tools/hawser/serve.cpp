#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <hawser/server.hpp>

#include "commands.hpp"
#include "flow.hpp"
#include "options.hpp"
#include "page.hpp"
#include "self_signed.hpp"
#include "signals.hpp"
#include "terminal.hpp"
#include "text_commands.hpp"

namespace hawser::command {

namespace {

constexpr const char* about_serve =
    "When it is ready it prints where it listens, as one line on standard output. A browser that is sent there is\n"
    "shown a page that talks to the server. SIGINT and SIGTERM close all connections with 1001; a second one drops them.\n"
    "With --commands, these texts are obeyed instead of echoed: @close @ping @disconnect @info for the connection,\n"
    "@server-stop @server-close @server-ping @server-disconnect @server-info for the server; its stop and its\n"
    "disconnect end the command. Those for the server are not obeyed where a browser shows a page of another origin,\n"
    "unless it is --commands=all.";

struct ServeOptions {
    CommonOptions common{};
    ServerTlsOptions tls{};
    std::string host = "127.0.0.1";
    std::uint16_t port = 9001;
    std::size_t frame_size = 4096;
    std::size_t max_connections = 0;
    std::vector<std::string> subprotocols{};
    Option commands{};
    std::string commanders{};
    bool broadcast = false;

    void add_to(Subcommand& subcommand);
    ServerOptions server_options() const;
    bool has_certificate() const;
    /// For whom the certificate is that is made for this run.
    std::vector<std::string> certificate_names() const;
};

std::string check_commanders(const std::string& text) {
    return text.empty() || text == "all" ? std::string() : "--commands takes nothing, or all, not \"" + text + "\"";
}

void ServeOptions::add_to(Subcommand& subcommand) {
    subcommand.add_option("--host", host, "Address or name to listen on; \"\" for all (127.0.0.1)");
    subcommand.add_option("--port", port, "Port to listen on; 0 for any that is free (9001)").check(check_port).type_name("PORT");
    commands = subcommand.add_option("--commands", commanders, "Do what texts like @close say").value_is_optional().check(check_commanders);
    commands.type_name("[all]");
    subcommand.add_flag("--broadcast", broadcast, "Send each message to all connections");
    subcommand.add_list("--subprotocol", subprotocols, "A subprotocol to agree on, if it is offered (repeatable)")
        .check(check_subprotocol)
        .type_name("NAME");
    subcommand.add_option("--frame-size", frame_size, "Longest frame that is sent (4K)").transform(to_bytes).type_name("BYTES");
    subcommand.add_option("--max-connections", max_connections, "Refuse more with 503; 0: no bound (0)")
        .check(check_count)
        .type_name("COUNT");
    tls.add_to(subcommand);
    common.add_to(subcommand);
    subcommand.footer(about_serve);
}

ServerOptions ServeOptions::server_options() const {
    ServerOptions options;
    options.host = host;
    options.port = port;
    options.unix_path = common.unix_path;
    options.ssl = tls.enabled;
    options.configuration = common.configuration(tls);
    options.configuration.frame_size = frame_size;
    options.configuration.max_connections = max_connections;
    if (common.verbose) options.configuration.logger = stderr_logger(LogLevel::debug);
    return options;
}

bool ServeOptions::has_certificate() const {
    const Context context = common.configuration(tls).context;
    return context.get_option("ssl", "local_cert") || context.get_option("ssl", "SNI_server_certs");
}

std::vector<std::string> ServeOptions::certificate_names() const {
    std::vector<std::string> names = {"localhost", "127.0.0.1", "::1"};
    if (!host.empty() && std::find(names.begin(), names.end(), host) == names.end()) names.push_back(host);
    return names;
}

/// Whether no browser, or a page of this server's, is behind the connection.
bool is_own(const Connection& connection, bool is_secure) {
    const Request* request = connection.handshake_request();
    if (!request || !request->headers.has("Origin")) return request != nullptr;
    const auto origin = request->headers.get("Origin"), host = request->headers.get("Host");
    return origin && host && request->headers.count("Origin") == 1 && *origin == (is_secure ? "https://" : "http://") + std::string(*host);
}

Response answer_page(const Request& request) {
    // A health check of the server as a whole, as "OPTIONS *" or "OPTIONS /".
    if (request.method == "OPTIONS") return {200, "", {{"Allow", "GET, HEAD, OPTIONS"}}, ""};
    if (request.path() != "/") return {404, "", {{"Content-Type", "text/plain; charset=utf-8"}}, "nothing here: the page is at /\n"};
    return {200,
            "",
            {{"Content-Type", "text/html; charset=utf-8"},
             {"Cache-Control", "no-cache"},
             {"Content-Security-Policy",
              "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self' ws: wss:; img-src data:"}},
            std::string(page)};
}

/// The echo server.
class Serve {
public:
    explicit Serve(const ServeOptions& options);
    int run();

private:
    void on_message(Connection& connection, const MessageView& message);
    bool obeys(Connection& connection, std::string_view text);
    void on_signal(bool again);
    void start();

    const ServeOptions& options_;
    std::optional<SelfSigned> self_signed_{};
    Reactor reactor_{};
    Server server_;
    Signals signals_;
};

Serve::Serve(const ServeOptions& options)
    : options_(options), server_(reactor_, options.server_options()), signals_(reactor_, [this](bool again) { on_signal(again); }) {
    const auto on_message = [this](Connection& connection, const MessageView& message) { this->on_message(connection, message); };
    server_.on_text(on_message)
        .on_binary(on_message)
        .on_drain([](Connection& connection) { connection.resume(); })
        .on_error([](Connection* connection, const Error& error) {
            if (!connection) print_error(error.what());
        })
        .on_http(answer_page);
    if (options.tls.enabled && !options.has_certificate()) {
        self_signed_.emplace(options.certificate_names());
        server_.set_option("ssl", "local_cert", self_signed_->path());
    }
    if (!options.subprotocols.empty()) server_.add_middleware(std::make_shared<SubprotocolNegotiation>(options.subprotocols));
    options.common.compression.apply_to(server_);
}

void Serve::on_message(Connection& connection, const MessageView& message) {
    if (const auto& logger = server_.configuration().logger)
        logger->log(LogLevel::debug, "received",
                    {{"peer", connection.remote_name()}, {"kind", message.opcode_name()}, {"length", bytes_text(message.length())}});
    if (message.opcode == Opcode::text && obeys(connection, message.content)) return;
    if (!options_.broadcast) return send_back(connection, message);
    server_.send(MessageView{message.opcode, message.content});
    throttle(connection);
}

bool Serve::obeys(Connection& connection, std::string_view text) {
    if (options_.commands.count() == 0) return false;
    const bool commands_server = !options_.commanders.empty() || is_own(connection, options_.tls.enabled);
    return obey(server_, connection, text, commands_server);
}

void Serve::on_signal(bool again) {
    if (again)
        server_.disconnect();
    else
        server_.shutdown();
}

void Serve::start() {
    try {
        server_.start();
    } catch (const Error& error) {
        if (error.cause() != std::errc::address_in_use) throw;
        const char* advice =
            options_.common.unix_path.empty() ? " (choose another with --port, or 0 for any)" : " (choose another with --unix)";
        throw Error(error.errc(), error.what() + std::string(advice));
    }
}

int Serve::run() {
    start();
    const bool is_unix = !options_.common.unix_path.empty();
    Output output(reactor_);
    output.write("listening on " + (is_unix ? server_.name() : server_.scheme() + "://" + server_.name() + "/") + "\n");
    if (self_signed_) {
        self_signed_->remove();  // it has been read
        output.write("fingerprint " + self_signed_->fingerprint() + "\n");
    }
    output.finish();
    server_.run();
    return 0;
}

}  // namespace

Command make_serve(CommandLine& line) {
    Subcommand subcommand = line.add_subcommand("serve", "Serve: echo what comes in");
    const auto options = std::make_shared<ServeOptions>();
    options->add_to(subcommand);
    return {subcommand, [options] { return Serve(*options).run(); }};
}

}  // namespace hawser::command
