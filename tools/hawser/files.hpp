#pragma once

#include <string>

namespace hawser::command {

/// The whole content of a file; throws if it cannot be read.
std::string read_text(const std::string& path);
/// Replaces the content of a file, or makes it; throws if it cannot be written.
void write_text(const std::string& path, const std::string& text);

}  // namespace hawser::command
