#pragma once

#include <string_view>

namespace hawser {

/// Whether `text` is a host, in brackets if it is an IPv6 address, and behind a ":" a port from 1 to 65535, or none (RFC 3986, section
/// 3.2.2). A name may be any that the grammar has, not only one that can be looked up; it is not empty.
bool is_host_and_port(std::string_view text);
/// Whether `value` may be that of a Host field (RFC 9110, section 7.2): a host and port, or empty.
bool is_host_field(std::string_view value);

}  // namespace hawser
