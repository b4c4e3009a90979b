#pragma once

#include <memory>

#include "reactor/core.hpp"
#include "transport/address.hpp"
#include "transport/transport.hpp"

namespace hawser::transport {

/// A connected stream socket, TCP or Unix, which is taken over and closed at the end.
std::unique_ptr<Transport> make_tcp(reactor::Core& core, int descriptor, const Address& local, const Address& remote);

}  // namespace hawser::transport
