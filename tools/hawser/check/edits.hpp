#pragma once

#include <functional>
#include <string>

#include "case.hpp"

namespace hawser::check {

/// A change of a head, for a table's row.
using Edit = std::function<void(Head&)>;

/// A row of such a table.
struct HeadRow {
    const char* name;
    const char* requirement;
    const char* place;
    Edit edit;
    /// Of a head that is to be refused.
    Verdict otherwise = Verdict::failed;
};

Edit set(std::string name, std::string value);
Edit add(std::string name, std::string value);
Edit without(std::string name);
/// Puts `to` in the place of the first `from` of the first line.
Edit line(std::string from, std::string to);
Edit reversed();
Edit lower_names();
Edit spaced_values();

}  // namespace hawser::check
