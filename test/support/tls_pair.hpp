#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/error_of.hpp"
#include "support/pipe_transport.hpp"
#include "transport/mbedtls_shim.hpp"
#include "transport/tls.hpp"

namespace support::tls {

using namespace hawser;
using namespace hawser::transport;
using Status = IoResult::Status;

inline Context context_of(const std::map<std::string, OptionValue>& options) {
    Context context;
    context.set_options({{"ssl", options}});
    return context;
}

/// What is told of options that no context can be made of.
inline std::string refusal(TlsRole role, const std::map<std::string, OptionValue>& options) {
    return error_of(Errc::invalid_option, [&] { make_tls_context(role, context_of(options)); });
}

/// The versions that this mbedTLS speaks.
inline std::vector<const char*> versions() {
    if (mbedtls::has_tls13()) return {"TLSv1.2", "TLSv1.3"};
    return {"TLSv1.2"};
}

inline std::shared_ptr<TlsContext> server_context() {
    const Authority& authority = Authority::instance();
    return make_tls_context(TlsRole::server, context_of({{"local_cert", authority.leaf_file}, {"local_pk", authority.key_file}}));
}

inline std::shared_ptr<TlsContext> client_context(const char* only_version = nullptr, bool no_ticket = false) {
    std::map<std::string, OptionValue> options = {{"cafile", Authority::instance().root_file}, {"no_ticket", no_ticket}};
    if (only_version) options["crypto_method"] = only_version;
    return make_tls_context(TlsRole::client, context_of(options));
}

/// A client and a server of TLS with a pipe between them.
struct Pair {
    explicit Pair(const std::shared_ptr<TlsContext>& at_client = client_context(),
                  const std::shared_ptr<TlsContext>& at_server = server_context())
        : client(make_tls(std::make_unique<support::PipeTransport>(to_client, to_server), at_client, {"localhost", "localhost:1"})),
          server(make_tls(std::make_unique<support::PipeTransport>(to_server, to_client), at_server)) {}

    /// Both sides read once; what they got is nothing before the handshake is complete.
    void shake_hands() {
        for (int i = 0; i < 20'000 && !(client->tls() && server->tls()); ++i) {
            step(*client);
            step(*server);
        }
        REQUIRE(client->tls());
        REQUIRE(server->tls());
    }
    static void step(Transport& side) {
        char byte = 0;
        const IoResult result = side.read({&byte, 1});
        INFO(side.tls_failure());
        REQUIRE(result.status == Status::would_block);
        // An empty write sends what is held.
        side.write({});
    }

    std::shared_ptr<PipeLane> to_client = std::make_shared<PipeLane>(), to_server = std::make_shared<PipeLane>();
    std::unique_ptr<Transport> client, server;
};

inline IoResult write(Transport& to, std::string_view bytes) {
    const std::array slice = {iovec{const_cast<char*>(bytes.data()), bytes.size()}};
    return to.write(slice);
}

/// What can be read now, and how the last read ended.
inline std::pair<std::string, IoResult> read_all(Transport& from, std::size_t at_once = 64 * 1024) {
    std::string received;
    std::string room(at_once, '\0');
    while (true) {
        const IoResult result = from.read(room);
        if (result.status != Status::done) return {received, result};
        received.append(room, 0, result.bytes);
    }
}

inline std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 23);
    return text;
}

}  // namespace support::tls
