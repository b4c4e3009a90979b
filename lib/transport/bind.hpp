#pragma once

#include <sys/types.h>

#include <vector>

#include "transport/address.hpp"
#include "transport/descriptor.hpp"
#include "transport/listener.hpp"
#include "types/fork.hpp"

namespace hawser::transport {

/// The file that a Unix socket was bound to: removed at the end by the process that bound it, unless another socket has taken its place.
class SocketFile {
public:
    SocketFile() noexcept = default;
    /// `path` was bound just now.
    explicit SocketFile(std::string path);
    SocketFile(SocketFile&& other) noexcept { *this = std::move(other); }
    SocketFile& operator=(SocketFile&& other) noexcept;
    ~SocketFile();

private:
    std::string path_{};  // empty: none
    dev_t device_ = 0;
    ino_t inode_ = 0;
    Origin origin_{};
};

/// A listening socket, which does not block.
struct BoundSocket {
    Descriptor descriptor{};
    Address address{};
    SocketFile file{};  // goes before the descriptor, which keeps the file's inode from being given to another file
};

/// Opens what `options` asks for, at least one socket; all have the same port. A name is looked up on the spot, which
/// may block. Throws `Errc::server_failed`, naming address and reason.
std::vector<BoundSocket> bind_sockets(const ListenOptions& options);

}  // namespace hawser::transport
