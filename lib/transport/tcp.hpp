#pragma once

#include <memory>

#include "reactor/core.hpp"
#include "transport/address.hpp"
#include "transport/descriptor.hpp"
#include "transport/transport.hpp"

namespace hawser::transport {

/// Over a connected stream socket, TCP or Unix.
std::unique_ptr<Transport> make_tcp(reactor::Core& core, Descriptor descriptor, const Address& local, const Address& remote);

}  // namespace hawser::transport
