#pragma once

#include <string>
#include <system_error>
#include <vector>

#include <hawser/context.hpp>
#include <hawser/error.hpp>

#include "transport/address.hpp"
#include "transport/descriptor.hpp"

namespace hawser::transport {

/// The context's "socket" options that hold for every stream: tcp_nodelay, so_keepalive, tcp_keepidle, tcp_keepintvl,
/// tcp_keepcnt, so_rcvbuf and so_sndbuf. Read once, applied to many.
class SocketOptions {
public:
    /// `family` is that of the sockets: a Unix socket has no TCP options.
    SocketOptions(const Context& context, int family);

    /// To be called before connect() or listen(), since the window's scale follows from the buffer (RFC 7323, section 2.2).
    /// Throws `std::system_error`, whose text names the option and the reason.
    void apply(int descriptor) const;

private:
    struct Option {
        int level;
        int name;
        int value;
        const char* label;
    };
    std::vector<Option> options_;
};

/// A new stream socket that neither blocks nor is inherited by children. Throws `std::system_error`.
Descriptor open_stream_socket(int family);

/// setsockopt, which throws `std::system_error` with `label` and the reason.
void set_socket_option(int descriptor, int level, int name, int value, const char* label);

/// Binds to the address that "bindto" asks for, if it does. Throws `std::system_error`, whose text names that address.
void bind_local(int descriptor, int family, const Context& context);

/// An Error whose sentence ends with the text of its cause already: Error adds that by itself.
Error error_of(Errc code, std::string sentence, std::error_code cause);

/// What is wrong with a Unix path for which Address::to_sockaddr gives 0.
std::string unix_path_bound();

}  // namespace hawser::transport
