#pragma once

#include "transport/dialer.hpp"

namespace hawser::transport {

/// Dials `options.proxy` and has it connect to the options' host and port, all within their timeout.
std::unique_ptr<Dialer> dial_through_proxy(reactor::Core& core, const DialOptions& options, Dialer::OnDone on_done);

}  // namespace hawser::transport
