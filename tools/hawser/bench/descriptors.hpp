#pragma once

#include <cstddef>
#include <string>

namespace hawser::bench {

/// Raises the soft limit of open descriptors to the hard one if so many connections need that. Returns a complaint when
/// that is not enough, or an empty text.
std::string make_room_for(std::size_t connections);

}  // namespace hawser::bench
