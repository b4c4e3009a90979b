#pragma once

#include <memory>

#include "load.hpp"

namespace hawser::bench {

// The modes. Echo is a closed loop, or an open one if there is a rate.
std::unique_ptr<Load> make_closed_loop(Reactor& reactor, const Plan& plan);
std::unique_ptr<Load> make_open_loop(Reactor& reactor, const Plan& plan);
std::unique_ptr<Load> make_connect_load(Reactor& reactor, const Plan& plan);
std::unique_ptr<Load> make_idle_load(Reactor& reactor, const Plan& plan);

}  // namespace hawser::bench
