#pragma once

#include <functional>
#include <string>

#include "head.hpp"

namespace hawser::check {

/// A change of a head, for a table's row.
using Edit = std::function<void(Head&)>;

Edit set(std::string name, std::string value);
Edit add(std::string name, std::string value);
Edit without(std::string name);
/// Puts `to` in the place of the first `from` of the first line.
Edit line(std::string from, std::string to);
Edit reversed();
Edit lower_names();
Edit spaced_values();

}  // namespace hawser::check
